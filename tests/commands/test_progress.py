"""What a run shows while it goes on: ends, speed, spending, and what holds it back."""

import asyncio
import io
from decimal import Decimal

import pytest
from rich.console import Console

from agents.providers.batch_api.under_way import BatchesUnderWay
from agents.resilience.admission import RateState
from agents.resilience.breaker import BreakerState
from commands import progress
from commands.progress import RunProgress, Standing, held_back, remaining, status
from memory.ledger import Spend
from memory.model_call import Usage
from memory.runs import RunCounts

CALM = RateState(
    in_flight=3,
    allowed=8,
    waiting=0,
    paused_seconds=0.0,
    breaker=BreakerState.CLOSED,
    retries=0,
    rate_limited=0,
    paid_lost=0,
)
STANDING = Standing(
    RunCounts(enriched=7, failed=3, rejected=1, skipped=2),
    {"answer_invalid": 1, "provider_timeout": 2},
    Spend(usage=Usage(prompt_tokens=900, completion_tokens=100), cost=Decimal("0.25")),
    CALM,
)


def test_the_line_tells_ends_speed_spending_and_the_worst_reason() -> None:
    line = status(STANDING, seconds=5.0)

    assert "7 enriched, 3 failed (most: provider_timeout, 2), 1 rejected, 2 done before, 2.0 items/s" in line
    assert "0.2500, 1000 tokens spent" in line
    assert "3 of 8 calls in flight" in line


def test_what_is_left_is_told_with_the_time_it_may_take() -> None:
    assert remaining(50, 200, 60.0) == "200 (150 left, about 3 min)"
    assert remaining(0, 200, 5.0) == "200 (200 left)"
    assert remaining(7, None, 5.0) == "?"


def test_items_that_other_processes_have_are_told() -> None:
    assert status(STANDING._replace(elsewhere=4), 1.0).endswith(", 4 items leased by other processes")


def test_spending_of_unknown_price_is_told_as_such() -> None:
    spend = STANDING.spend.model_copy(update={"unpriced": 4})

    assert "0.2500 + 4 calls of unknown price" in status(STANDING._replace(spend=spend), 1.0)


def test_what_holds_the_calls_back_is_told() -> None:
    troubled = {"waiting": 2, "paused_seconds": 12.4, "rate_limited": 5, "retries": 6, "paid_lost": 1}

    held = held_back(CALM.model_copy(update={**troubled, "breaker": BreakerState.OPEN}))

    assert held_back(CALM) == "3 of 8 calls in flight"
    assert held == (
        "3 of 8 calls in flight, 2 waiting, paused by the server for 12 s, 5 times rate-limited, 6 retries, "
        "1 answers lost, the server is down, calls wait"
    )


def test_a_terminal_shows_a_bar_and_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(progress, "errors", Console(file=screen, force_terminal=True, width=300))

    with RunProgress(20, lambda: STANDING):
        pass

    assert "13/20" in screen.getvalue()
    assert "most: provider_timeout" in screen.getvalue()


async def test_elsewhere_a_plain_line_is_said_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY", 0.02)
    monkeypatch.setattr(progress, "LOOK_EVERY", 0.01)

    with RunProgress(None, lambda: STANDING) as shown:
        telling = asyncio.create_task(shown.keep_telling())
        await asyncio.sleep(0.2)
        telling.cancel()

    said = capsys.readouterr().err
    assert "13 of ? after 0 s: 7 enriched" in said
    assert "\x1b" not in said


def test_the_line_tells_how_far_the_providers_batches_are() -> None:
    batches = BatchesUnderWay(batches=2, questions=2000, answered=1250, gathering=7)

    line = status(STANDING._replace(batches=batches), seconds=5.0)

    assert "2 batches with the provider, 1250 of 2000 answered, 7 questions gathering" in line
