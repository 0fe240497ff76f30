"""Killed at any moment, the same command goes on: nothing durable is paid twice, no row is lost or doubled."""

import random
import signal
import time
from collections.abc import Callable

import pytest

from tests.faults import invariants
from tests.faults.shop import Shop

OpenShop = Callable[..., Shop]
CONCURRENCY = 8  # the default
LEASE = 0.6  # seconds; the default would have each resumed run wait two minutes for the killed one's items


def wait_for_calls(shop: Shop, number: int, seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while len(shop.provider.calls) < number:
        assert time.monotonic() < until, f"{len(shop.provider.calls)} calls came, not {number}"
        time.sleep(0.002)


@pytest.mark.scenario("F1", "I1 I2 I10")
@pytest.mark.parametrize("percent", [10, 40, pytest.param(90, marks=pytest.mark.faults)])
def test_f1_a_killed_run_is_resumed(open_shop: OpenShop, percent: int) -> None:
    shop = open_shop(40, latency=0.02)
    killed = shop.begin(lease_seconds=LEASE)
    wait_for_calls(shop, 161 * percent // 100)
    killed.kill()

    ended = shop.enrich(lease_seconds=LEASE)

    assert ended.code == 0, ended.errors
    invariants.reported(ended, 40)
    invariants.hold(shop, repeats=CONCURRENCY)


@pytest.mark.faults
@pytest.mark.scenario("F1", "I1 I2 I10")
@pytest.mark.parametrize("seconds", [0.2, 0.5, 0.8, 1.1])
def test_f1_a_run_killed_while_it_starts_is_started_again(open_shop: OpenShop, seconds: float) -> None:
    shop = open_shop(10)
    killed = shop.begin(lease_seconds=LEASE)
    time.sleep(seconds)
    killed.kill()

    ended = shop.enrich(lease_seconds=LEASE)

    assert ended.code == 0, ended.errors
    invariants.hold(shop, repeats=CONCURRENCY)


@pytest.mark.scenario("F2", "I1 I2 I10")
def test_f2_only_the_calls_under_way_at_the_kill_are_paid_again(open_shop: OpenShop) -> None:
    shop = open_shop(20)
    killed = shop.begin(lease_seconds=LEASE)
    held_up(shop)
    durable, asked = invariants.usable(shop.provider), len(shop.provider.calls)
    killed.kill()
    shop.provider.open_gate()

    ended = shop.enrich(lease_seconds=LEASE)

    assert ended.code == 0, ended.errors
    assert len(shop.provider.calls) - asked == 81 - durable
    invariants.hold(shop, repeats=CONCURRENCY)  # the provider counts what it sent to the dead process as answered


@pytest.mark.scenario("F3", "I1 I2 I10")
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_f3_killed_at_a_commit(open_shop: OpenShop, share: float) -> None:
    killed_at(open_shop, max(1, round(share * commit_moments(open_shop))))


@pytest.mark.faults
@pytest.mark.scenario("F3", "I1 I2 I10")
@pytest.mark.parametrize("part", range(4))
def test_f3_killed_at_every_commit(open_shop: OpenShop, part: int) -> None:
    for moment in range(1 + part, commit_moments(open_shop) + 1, 4):
        killed_at(open_shop, moment)


def commit_moments(open_shop: OpenShop) -> int:
    """Return just before and just after how many commits a run of five items can be killed."""
    shop = open_shop(5)
    shop.enrich("--concurrency", 1, count_commits=1)
    moments = len((shop.folder / "commits").read_text(encoding="utf-8"))
    assert moments > 40  # two for each call, at least
    return moments


def killed_at(open_shop: OpenShop, moment: int) -> None:
    shop = open_shop(5)
    killed = shop.enrich("--concurrency", 1, crash_at=moment, lease_seconds=LEASE)
    assert killed.code == -9, (moment, killed.errors)
    invariants.sound(shop)

    ended = shop.enrich("--concurrency", 1, lease_seconds=LEASE)

    assert ended.code == 0, (moment, ended.errors)
    invariants.hold(shop, repeats=1)


@pytest.mark.faults
@pytest.mark.scenario("F4", "I1 I2 I10")
def test_f4_killed_twenty_times_a_run_still_ends(open_shop: OpenShop) -> None:
    shop, kills = open_shop(200, latency=0.05), 0
    moments = random.Random(4)
    while kills < 20:
        run = shop.begin(lease_seconds=LEASE, claim_size=16)
        wait_for_calls(shop, len(shop.provider.calls) + moments.randrange(5, 45))
        run.kill()
        kills += 1
        invariants.sound(shop)

    ended = shop.enrich(lease_seconds=LEASE)

    assert ended.code == 0, ended.errors
    invariants.reported(ended, 200)
    invariants.hold(shop, repeats=kills * CONCURRENCY)


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
    run.send(number)
    time.sleep(0.5)
    shop.provider.open_gate()

    at = time.monotonic()
    ended = run.ended()

    assert ended.code == code, ended.errors
    assert time.monotonic() - at < 2.0
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
    run.send(signal.SIGINT)
    time.sleep(0.3)
    run.send(signal.SIGINT)

    at = time.monotonic()
    ended = run.ended()

    assert ended.code == 130, ended.errors
    assert time.monotonic() - at < 2.0
    assert "Traceback" not in ended.all
    shop.provider.open_gate()
    assert shop.enrich().code == 0
    invariants.hold(shop, repeats=CONCURRENCY)


@pytest.mark.scenario("F8", "I11")
def test_f8_no_retry_after_is_sat_out_once_the_run_is_to_stop(open_shop: OpenShop) -> None:
    shop = open_shop(60, rates={"429": 1.0}, retry_after=50.0)
    run = shop.begin("--concurrency", 40)
    wait_for_calls(shop, 1)
    time.sleep(1)
    run.send(signal.SIGINT)

    at = time.monotonic()
    ended = run.ended()

    assert ended.code == 130, ended.errors
    assert time.monotonic() - at < 2.0
    invariants.hold(shop, complete=False)


def held_up(shop: Shop) -> None:
    """Return when some calls have been answered and all that may be in flight wait at the gate."""
    wait_for_calls(shop, 20)
    shop.provider.close_gate()
    shop.provider.wait_for_held(CONCURRENCY)
    time.sleep(0.3)  # what came before is stored meanwhile
