"""The budget: reserved before, settled after, never passed whatever the interleaving."""

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.spending.budget import Budget, BudgetSpent
from agents.spending.prices import Price
from memory.model_call import Usage

DEAR = Price(input=Decimal(1000), output=Decimal(1000), source="test")  # a thousandth a token


async def test_a_call_that_might_go_over_is_refused_with_the_figures() -> None:
    budget = Budget(price=DEAR, money=Decimal("0.010"))

    with pytest.raises(BudgetSpent, match=r"0\.0000 of 0\.010 spent, the next call may take 0\.0110"):
        await budget.reserve(prompt_bytes=3, completion_tokens=10)


async def test_what_a_call_did_not_need_is_given_back() -> None:
    budget = Budget(price=DEAR, money=Decimal("0.010"))

    for _ in range(9):
        reservation = await budget.reserve(prompt_bytes=3, completion_tokens=1)
        await budget.settle(reservation, Usage(prompt_tokens=1, completion_tokens=0))

    assert budget.spent_money == Decimal("0.009")
    with pytest.raises(BudgetSpent):
        await budget.reserve(prompt_bytes=3, completion_tokens=1)


async def test_a_call_waits_for_calls_in_flight_that_may_leave_enough() -> None:
    budget = Budget(tokens=10)
    first = await budget.reserve(prompt_bytes=3, completion_tokens=9)

    waiting = asyncio.create_task(budget.reserve(prompt_bytes=3, completion_tokens=5))
    await asyncio.sleep(0)
    assert not waiting.done()
    await budget.settle(first, Usage(prompt_tokens=1, completion_tokens=1))

    assert (await waiting).tokens == 6


async def test_a_lost_answer_counts_at_its_worst_and_an_unsent_call_not_at_all() -> None:
    budget = Budget(price=DEAR, money=Decimal(1))

    await budget.settle_lost(await budget.reserve(prompt_bytes=3, completion_tokens=9))
    await budget.settle(await budget.reserve(prompt_bytes=3, completion_tokens=9), None)

    assert (budget.spent_money, budget.spent_tokens) == (Decimal("0.010"), 10)


@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(0, 200),
    of_money=st.booleans(),  # one limit at a time, or the one would hold what the other lets through
    calls=st.lists(
        st.tuples(
            st.integers(1, 30),
            st.integers(1, 30),
            st.floats(0, 1),
            st.integers(0, 3),
            st.sampled_from(["answered", "lost", "not sent"]),
        ),
        max_size=30,
    ),
)
def test_no_interleaving_passes_the_limit(
    limit: int, of_money: bool, calls: list[tuple[int, int, float, int, str]]
) -> None:
    budget = Budget(price=DEAR, money=Decimal(limit) / 1000) if of_money else Budget(price=DEAR, tokens=limit)

    async def call(prompt_tokens: int, longest: int, share: float, pauses: int, end: str) -> None:
        try:
            reservation = await budget.reserve(3 * prompt_tokens, longest)
        except BudgetSpent:
            return
        for _ in range(pauses):
            await asyncio.sleep(0)
        if end == "lost":
            await budget.settle_lost(reservation)
            return
        used = Usage(prompt_tokens=prompt_tokens, completion_tokens=int(share * longest))
        await budget.settle(reservation, used if end == "answered" else None)

    async def all_calls() -> None:
        await asyncio.gather(*(call(*arguments) for arguments in calls))

    asyncio.run(all_calls())

    assert budget.spent_tokens <= limit
    assert budget.spent_money <= Decimal(limit) / 1000
