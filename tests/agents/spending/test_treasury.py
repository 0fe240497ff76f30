"""One budget over several workers: never more in sum than the limit, whoever dies, and nothing is left unused."""

import asyncio
import random
from decimal import Decimal

import pytest

from agents.spending.budget import BudgetSpent
from agents.spending.prices import FREE
from agents.spending.shared_budget import SharedBudget
from agents.spending.treasury import Amount, Grant, Share, Treasury, Wish
from memory.model_call import Usage

CALL = Usage(prompt_tokens=10, completion_tokens=20)


def _budget(treasury: Treasury, name: str) -> SharedBudget:
    async def ask(wish: Wish) -> Grant:
        await asyncio.sleep(0)
        return treasury.hear(wish)

    return SharedBudget(name, ask, price=FREE, limited=(False, True))


async def _calls(budget: SharedBudget, draw: random.Random) -> int:
    """Call until the budget is spent; return the tokens."""
    spent = 0
    while True:
        try:
            reservation = await budget.reserve(30, 50)
        except BudgetSpent:
            return spent
        await asyncio.sleep(draw.random() / 1000)
        usage = Usage(prompt_tokens=10, completion_tokens=draw.randrange(50))
        await budget.settle(reservation, usage)
        spent += usage.prompt_tokens + usage.completion_tokens


async def _keep_reporting(*budgets: SharedBudget) -> None:
    while True:
        await asyncio.sleep(0.01)
        for budget in budgets:
            await budget.report()


@pytest.mark.parametrize("seed", range(5))
async def test_workers_use_up_a_budget_and_never_pass_it(seed: int) -> None:
    treasury, draw = Treasury(None, 5000), random.Random(seed)
    budgets = [_budget(treasury, f"w{n}") for n in range(3)]

    reporting = asyncio.create_task(_keep_reporting(*budgets))
    spent = sum(await asyncio.gather(*(_calls(budget, draw) for budget in budgets for _ in range(4))))
    reporting.cancel()

    assert 5000 - 60 <= spent <= 5000


async def test_a_lost_worker_takes_with_it_what_it_held_and_no_more() -> None:
    treasury = Treasury(None, 640)
    lost, other = _budget(treasury, "lost"), _budget(treasury, "other")
    await lost.reserve(30, 50)

    treasury.lose("lost")
    spent = await _calls(other, random.Random(1))

    assert 640 - 60 - 60 <= spent <= 640 - 60


def test_a_treasury_that_begins_anew_waits_for_every_worker_that_is_alive() -> None:
    held = Amount(tokens=100)
    known = {"a": Share(holds=held, spent=Amount()), "b": Share(holds=held, spent=held, lost=True)}
    treasury = Treasury.again(None, 300, known, Amount(tokens=120))
    wish = Wish(worker="c", holds=Amount(), spent=Amount(), wants=Amount(tokens=70))

    before = treasury.hear(wish)
    treasury.hear(Wish(worker="a", holds=held, spent=Amount()))
    after = treasury.hear(wish)

    assert before.wait
    assert after.holds.tokens == 70
    assert treasury.hear(wish.model_copy(update={"holds": after.holds, "wants": Amount(tokens=30)})).wait


def test_what_the_ledger_says_beyond_the_shares_counts_as_spent() -> None:
    treasury = Treasury.again(Decimal(10), None, {}, Amount(money=Decimal(9)))

    grant = treasury.hear(Wish(worker="a", holds=Amount(), spent=Amount(), wants=Amount(money=Decimal(2))))

    assert grant.spent


async def test_without_a_limit_nobody_is_asked() -> None:
    async def ask(_: Wish) -> Grant:
        raise AssertionError

    budget = SharedBudget("a", ask, limited=(False, False))

    await budget.settle(await budget.reserve(30, 50), CALL)

    assert budget.spent_tokens == 30
