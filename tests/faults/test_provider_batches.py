"""Through a provider's batch API: whatever is lost or killed on the way, each question is billed once."""

import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.faults import invariants
from tests.faults.shop import Ended, Shop
from tests.faulty_provider import Rule

OpenShop = Callable[..., Shop]
QUICK = {"quick_batches": 0.1}
slow = pytest.mark.faults


def finished(shop: Shop, rows: int, **altered: float) -> Ended:
    """Run to the end, and check that nothing was lost and nothing billed twice."""
    ended = shop.enrich("--provider-batch", **(QUICK | altered))
    assert ended.code == 0, ended.errors
    invariants.reported(ended, rows)
    invariants.hold(shop)
    billed_once_at_half_the_price(shop)
    assert shop.ask("SELECT count(*) FROM batch_submission") == [(0,)]
    return ended


def billed_once_at_half_the_price(shop: Shop) -> None:
    billed = Counter(call.question for call in shop.provider.calls if call.billed)
    assert {question: times for question, times in billed.items() if times > 1} == {}
    [(calls, tokens, cost)] = shop.ask(
        "SELECT count(*), sum(prompt_tokens + completion_tokens), sum(cost) FROM model_call"
    )
    assert (calls, tokens) == (len(billed), shop.provider.billed_tokens)
    assert Decimal(cost) / 10**12 == shop.provider.cost / 2


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def begin(shop: Shop, **altered: float) -> "Callable[[], Ended]":
    return shop.begin("--provider-batch", **(QUICK | altered)).kill


def counted(shop: Shop, table: str, condition: str) -> int:
    """Return how many rows there are, 0 while there is no such table yet."""
    try:
        return int(shop.ask(f"SELECT count(*) FROM {table} WHERE {condition}")[0][0])
    except sqlite3.OperationalError:
        return 0


def under_way(shop: Shop) -> int:
    """Return how many batches are known by their names."""
    return counted(shop, "batch_submission", "batch_id IS NOT NULL")


def killed_while_gathering(shop: Shop) -> None:
    kill = begin(shop, quick_batches=5.0)
    until(lambda: counted(shop, "work", "state = 'leased'") == 12)
    time.sleep(0.5)
    kill()
    assert not shop.provider.office.batches


def killed_while_a_batch_is_made(shop: Shop) -> None:
    shop.provider.office.kept_back.clear()
    kill = begin(shop)
    until(lambda: len(shop.provider.office.batches) == 1)
    kill()
    shop.provider.office.kept_back.set()
    assert under_way(shop) == 0


def killed_while_polling(shop: Shop) -> None:
    shop.provider.office.open.clear()
    kill = begin(shop)
    until(lambda: under_way(shop) == 1)
    time.sleep(0.3)
    kill()
    shop.provider.office.open.set()


def killed_while_downloading(shop: Shop) -> None:
    shop.provider.office.flowing.clear()
    kill = begin(shop)
    until(lambda: shop.provider.office.stuck == 1)
    kill()
    shop.provider.office.flowing.set()


def killed_in_the_third_batch(shop: Shop) -> None:
    shop.provider.office.seconds = 1.0
    kill = begin(shop)
    until(lambda: len(shop.provider.office.batches) == 3)
    kill()
    shop.provider.office.seconds = 0.0


@pytest.mark.scenario("F49", "I1 I2")
@pytest.mark.parametrize(
    "killed",
    [
        pytest.param(killed_while_gathering, marks=slow),
        pytest.param(killed_while_a_batch_is_made, marks=slow),
        killed_while_polling,
        pytest.param(killed_while_downloading, marks=slow),
        pytest.param(killed_in_the_third_batch, marks=slow),
    ],
)
def test_f49_killed_at_any_point_each_question_is_billed_once(
    open_shop: OpenShop, killed: Callable[[Shop], None]
) -> None:
    shop = open_shop(12)
    shop.provider.office.drop = 0.1
    killed(shop)

    finished(shop, 12)


commit_moments: list[int] = []  # counted once


def counted_moments(open_shop: OpenShop) -> list[int]:
    counted = open_shop(5)
    counted.enrich("--provider-batch", count_commits=1, **QUICK)
    commit_moments.append(len((counted.folder / "commits").read_text(encoding="utf-8")))
    return commit_moments


@slow
@pytest.mark.scenario("F49", "I1 I2")
@pytest.mark.parametrize("share", [0.1, 0.25, 0.4, 0.55, 0.7, 0.85])
def test_f49_killed_at_a_commit(open_shop: OpenShop, share: float) -> None:
    [moments] = commit_moments or counted_moments(open_shop)
    shop = open_shop(5)
    killed = shop.enrich("--provider-batch", crash_at=max(1, round(share * moments)), **QUICK)
    assert killed.code == -9, killed.errors

    finished(shop, 5)


@slow
@pytest.mark.scenario("F49", "I1 I2")
def test_f49_lost_rows_and_rows_with_errors_are_asked_again_and_only_those(open_shop: OpenShop) -> None:
    shop = open_shop(60, rates={"429": 0.05, "500": 0.05})
    shop.provider.office.drop = 0.1
    shop.provider.office.expire_after = 20

    finished(shop, 60)

    asked = Counter(custom_id.partition(".")[0] for custom_id in shop.provider.office.asked)
    assert 1 < max(asked.values()) <= 5
    assert len(asked) == len({call.question for call in shop.provider.calls})


@slow
@pytest.mark.scenario("F49", "I1 I2 I11")
def test_f49_a_signal_leaves_what_is_submitted_with_the_provider(open_shop: OpenShop) -> None:
    shop = open_shop(8)
    shop.provider.office.open.clear()
    run = shop.begin("--provider-batch", **QUICK)
    until(lambda: under_way(shop) == 1)
    run.send(signal.SIGINT)
    at = time.monotonic()
    stopped, seconds = run.ended(), time.monotonic() - at
    shop.provider.office.open.set()

    finished(shop, 8)

    assert stopped.code == 130, stopped.errors
    assert seconds < 15.0  # and not the 25 s that calls in flight are given
    assert "stays with the provider" in stopped.errors
    assert shop.provider.office.requests.count("POST /v1/batches") == len(shop.provider.office.batches)


@slow
@pytest.mark.scenario("F49", "I1 I2 I4")
def test_f49_two_processes_share_what_is_under_way(open_shop: OpenShop) -> None:
    shop = open_shop(30)
    other = shop.begin("--provider-batch", **QUICK)

    ended = shop.enrich("--provider-batch", **QUICK)
    second = other.ended()

    assert (ended.code, second.code) == (0, 0), ended.errors + second.errors
    assert shop.provider.repeats == []
    invariants.accounted_for(shop)
    invariants.sound(shop)
    # Items are one process's; a category's template may be waited for, and recorded, by both.
    twice = "SELECT max(prompt) FROM model_call WHERE outcome = 'answered' GROUP BY key HAVING count(*) > 1"
    assert set(shop.ask(twice)) <= {("category_expert_template",)}


@slow
@pytest.mark.scenario("F49", "I1")
def test_f49_the_other_way_of_asking_pays_nothing_again(open_shop: OpenShop) -> None:
    shop = open_shop(12)
    kill = begin(shop)
    until(lambda: len(shop.provider.office.batches) == 4)
    kill()
    wait_for_the_answers(shop)

    ended = shop.enrich()

    assert ended.code == 0, ended.errors
    assert shop.ask("SELECT count(*) FROM version") == [(1,)]
    assert shop.ask("SELECT count(DISTINCT parameters) FROM model_call") == [(1,)]
    kept = shop.ask("SELECT count(*) FROM model_call")[0][0]
    assert ended.report["calls"] < kept
    # What was with the provider at the kill is the batch API's alone to find.
    invariants.hold(shop, repeats=13)


def wait_for_the_answers(shop: Shop) -> None:
    for name in shop.provider.office.batches:
        shop.provider.office.handle("GET", f"/v1/batches/{name}", b"", None)


@slow
@pytest.mark.scenario("F49", "I6")
def test_f49_a_budget_holds_at_half_the_price(open_shop: OpenShop) -> None:
    shop = open_shop(30)

    stopped = shop.enrich("--provider-batch", "--budget", "0.02", **QUICK)

    assert stopped.code == 1, stopped.errors
    assert "budget" in stopped.errors
    assert Decimal("0.001") < shop.provider.cost / 2 <= Decimal("0.02")
    assert finished(shop, 30).report["enriched"] > 0


@slow
@pytest.mark.scenario("F49", "I2")
def test_f49_what_never_gets_an_answer_fails_and_holds_nobody_up(open_shop: OpenShop, tmp_path: Path) -> None:
    shop = open_shop(8, Rule("503", item="Acme3 "))

    ended = shop.enrich("--provider-batch", **QUICK)

    assert ended.code == 0, ended.errors
    assert shop.reasons() == {"K3": "provider_overloaded"}
    invariants.hold(shop)
    shop.provider.rules = ()
    retried = shop.start("failures", "--retry", "--provider-batch", "--json", **QUICK).ended()
    assert retried.report["enriched"] == 1, retried.all
    billed_once_at_half_the_price(shop)
