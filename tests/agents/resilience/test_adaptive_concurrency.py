"""How many calls may be on their way at once."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from agents.resilience.adaptive_concurrency import GROWTH_SECONDS, AdaptiveConcurrency


@given(st.integers(1, 300), st.lists(st.tuples(st.booleans(), st.floats(0, 20)), max_size=200))
def test_the_allowance_stays_between_one_and_the_maximum(maximum: int, ends: list[tuple[bool, float]]) -> None:
    concurrency, now = AdaptiveConcurrency(maximum), 0.0

    for limited, pause in ends:
        now += pause
        ticket = concurrency.begin()
        if limited:
            concurrency.limited(ticket, now)
        else:
            concurrency.answered(now)
        concurrency.end()
        assert 1 <= concurrency.allowed <= maximum


def test_calls_sent_together_and_limited_together_cut_once() -> None:
    concurrency = AdaptiveConcurrency(64)
    tickets = [concurrency.begin() for _ in range(64)]

    for ticket in tickets:
        concurrency.limited(ticket, 0.0)

    assert concurrency.allowed == 32


def test_a_long_pause_cuts_deeper() -> None:
    concurrency = AdaptiveConcurrency(64)

    concurrency.limited(concurrency.begin(), 0.0, pause=30.0)

    assert concurrency.allowed == 16


def test_it_grows_by_one_step_for_as_many_answers_as_are_allowed() -> None:
    concurrency = AdaptiveConcurrency(40)
    concurrency.limited(concurrency.begin(), 0.0)

    for _ in range(20):
        concurrency.answered(1.0)
    assert concurrency.allowed == 21
    for _ in range(20):
        concurrency.answered(1.0)
    assert concurrency.allowed == 21
    concurrency.answered(1.0)

    assert concurrency.allowed == 22


def test_after_a_long_pause_it_grows_in_time_and_not_with_every_round_of_answers() -> None:
    concurrency = AdaptiveConcurrency(40)
    concurrency.limited(concurrency.begin(), 0.0, pause=60.0)

    for _ in range(1000):
        concurrency.answered(GROWTH_SECONDS)

    assert concurrency.allowed == 11


async def test_who_finds_no_room_waits_for_the_end_of_a_call() -> None:
    concurrency = AdaptiveConcurrency(1)
    concurrency.begin()
    waiting = asyncio.create_task(concurrency.room())
    await asyncio.sleep(0)
    assert not waiting.done()

    concurrency.end()

    await asyncio.wait_for(waiting, 1)
