"""Killed at any moment, the same command goes on: nothing durable is paid twice, no row is lost or doubled."""

import random
import signal
import time
from collections.abc import Callable

import pytest

from tests.faults import invariants
from tests.faults.shop import Shop
from tests.faults.waiting import CONCURRENCY, asked_to_stop, held_up, stretched, until_calls, until_quiet

OpenShop = Callable[..., Shop]
Say = Callable[[str, object], None]


@pytest.mark.scenario("F1", "I1 I2 I10")
@pytest.mark.parametrize("percent", [10, 40, pytest.param(90, marks=pytest.mark.faults)])
def test_f1_a_killed_run_is_resumed(open_shop: OpenShop, percent: int) -> None:
    shop = open_shop(40, latency=0.02)
    killed = shop.begin()
    until_calls(shop, 161 * percent // 100)
    killed.kill()

    ended = shop.enrich()

    assert ended.code == 0, ended.errors
    invariants.reported(ended, 40)
    invariants.hold(shop, repeats=CONCURRENCY)


@pytest.mark.faults
@pytest.mark.scenario("F1", "I1 I2 I10")
@pytest.mark.parametrize("seconds", [0.2, 0.5, 0.8, 1.1])
def test_f1_a_run_killed_while_it_starts_is_started_again(open_shop: OpenShop, seconds: float) -> None:
    shop = open_shop(10)
    killed = shop.begin(cold=1)
    time.sleep(seconds)
    killed.kill()

    ended = shop.enrich(cold=1)

    assert ended.code == 0, ended.errors
    invariants.hold(shop, repeats=CONCURRENCY)


@pytest.mark.scenario("F2", "I1 I2 I10")
def test_f2_only_the_calls_under_way_at_the_kill_are_paid_again(open_shop: OpenShop) -> None:
    shop = open_shop(20)
    killed = shop.begin()
    held_up(shop)
    durable, asked = invariants.usable(shop.provider), len(shop.provider.calls)
    killed.kill()
    shop.provider.open_gate()

    ended = shop.enrich()

    assert ended.code == 0, ended.errors
    assert len(shop.provider.calls) - asked == 1 + 20 * 6 - durable
    invariants.hold(shop, repeats=CONCURRENCY)  # the provider counts what it sent to the dead process as answered


@pytest.mark.scenario("F3", "I1 I2 I10 I13")
def test_f3_killed_at_a_commit(open_shop: OpenShop) -> None:
    undisturbed, moments = commit_moments(open_shop)

    for share in (0.3, 0.7):
        killed_at(open_shop, max(1, round(share * moments)), undisturbed)


@pytest.mark.faults
@pytest.mark.scenario("F3", "I1 I2 I10 I13")
@pytest.mark.parametrize("part", range(4))
def test_f3_killed_at_every_commit(open_shop: OpenShop, part: int, record_property: Say) -> None:
    undisturbed, moments = commit_moments(open_shop)
    mine = range(1 + part, moments + 1, 4)

    repeats = [killed_at(open_shop, moment, undisturbed) for moment in mine]

    said = f"killed at {len(mine)} of {moments} moments: {sum(repeats)} calls under way paid twice, at most 1 a kill"
    record_property("figures", f"{said}; durable calls repeated 0, items lost 0, rows doubled 0")


def commit_moments(open_shop: OpenShop) -> tuple[Shop, int]:
    """Return a shop that nothing befell, and just before and just after how many commits it could have been killed."""
    shop = open_shop(5)
    assert shop.enrich("--concurrency", 1, count_commits=1).code == 0
    moments = len((shop.folder / "commits").read_text(encoding="utf-8"))
    assert moments > 40  # two for each call, at least
    return shop, moments


def killed_at(open_shop: OpenShop, moment: int, undisturbed: Shop) -> int:
    """Kill a run at a moment and resume it; return how many calls were paid twice."""
    shop = open_shop(5)
    killed = shop.enrich("--concurrency", 1, crash_at=moment)
    assert killed.code == -9, (moment, killed.errors)
    invariants.sound(shop)

    ended = shop.enrich("--concurrency", 1)

    assert ended.code == 0, (moment, ended.errors)
    invariants.hold(shop, repeats=1)
    invariants.same_knowledge(shop, undisturbed)
    return len(shop.provider.repeats)


@pytest.mark.faults
@pytest.mark.scenario("F4", "I1 I2 I10")
def test_f4_killed_twenty_times_a_run_of_500_still_ends(open_shop: OpenShop, record_property: Say) -> None:
    kills, at_once = 20, 16
    shop = open_shop(500, latency=0.02)
    moments = random.Random(4)
    for _ in range(kills):
        run = shop.begin("--concurrency", at_once, claim_size=32)
        until_calls(shop, len(shop.provider.calls) + moments.randrange(5, 160))
        run.kill()
        invariants.sound(shop)

    ended = shop.enrich("--concurrency", at_once)

    assert ended.code == 0, ended.errors
    invariants.reported(ended, 500)
    invariants.hold(shop, repeats=kills * at_once)
    said = f"{kills} kills, {len(shop.provider.calls)} calls: {len(shop.provider.repeats)} under way paid twice"
    record_property("figures", f"{said}; durable calls repeated 0, items lost 0, rows doubled 0")


@pytest.mark.faults
@pytest.mark.scenario("F5", "I9 I13")
@pytest.mark.parametrize("crash", [{"crash_at_line": 1}, {"crash_at_line": 7}, {"crash_at_rename": 1}])
def test_f5_an_export_that_is_killed_leaves_the_old_file(open_shop: OpenShop, crash: dict[str, float]) -> None:
    shop = open_shop(12)
    shop.enrich()
    export = ("export", "--format", "jsonl", "--out", "out.jsonl")
    assert shop.start(*export).ended().code == 0
    before = (shop.folder / "out.jsonl").read_bytes()

    killed = shop.start(*export, **crash).ended()

    assert killed.code == -9, killed.errors
    assert (shop.folder / "out.jsonl").read_bytes() == before
    assert before.count(b"\n") == 12
    assert shop.start(*export).ended().code == 0
    assert (shop.folder / "out.jsonl").read_bytes() == before


@pytest.mark.scenario("F7", "I2 I6 I11")
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.faults),
        pytest.param(signal.SIGHUP, 143, marks=pytest.mark.faults),
    ],
)
def test_f7_a_signal_stops_the_run_and_what_is_in_flight_is_stored(
    open_shop: OpenShop, number: signal.Signals, code: int
) -> None:
    shop = open_shop(20)
    run = shop.begin()
    held_up(shop)
    at = time.monotonic()
    asked_to_stop(run, number)
    assert time.monotonic() - at < stretched(2.0)
    shop.provider.open_gate()

    ended = run.ended()

    assert ended.code == code, ended.errors
    assert time.monotonic() - at < stretched(30.0)
    assert ended.report["stopped"]
    invariants.billed(shop)
    invariants.hold(shop, complete=False)
    assert shop.enrich().code == 0
    invariants.hold(shop)
    invariants.billed(shop)


@pytest.mark.scenario("F7", "I2 I6 I11")
def test_f7_a_second_signal_stops_it_at_once(open_shop: OpenShop) -> None:
    shop = open_shop(20)
    run = shop.begin()
    held_up(shop)
    asked_to_stop(run)
    run.send(signal.SIGINT)

    at = time.monotonic()
    ended = run.ended()

    assert ended.code == 130, ended.errors
    assert time.monotonic() - at < stretched(2.0)
    assert "Traceback" not in ended.all
    shop.provider.open_gate()
    assert shop.enrich().code == 0
    invariants.hold(shop, repeats=CONCURRENCY)


@pytest.mark.scenario("F8", "I11")
def test_f8_no_retry_after_is_sat_out_once_the_run_is_to_stop(open_shop: OpenShop) -> None:
    shop = open_shop(60, rates={"429": 1.0}, retry_after=500.0)
    run = shop.begin("--concurrency", 40, retry_after_cap=500)
    until_quiet(shop)
    run.send(signal.SIGINT)

    at = time.monotonic()
    ended = run.ended()

    assert ended.code == 130, ended.errors
    assert time.monotonic() - at < stretched(2.0)
    invariants.hold(shop, complete=False)
