"""A model that asks the budget first: what is settled when a call works, fails, or is lost."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest

from agents.providers.base import AnswerSchema, CallFailed, CallKey, Completion, FailureKind
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from agents.spending.budget import Budget, BudgetSpent
from agents.spending.budgeted_model import BudgetedModel
from agents.spending.prices import Price
from memory.model_call import Message

DEAR = Price(input=Decimal(1000), output=Decimal(1000), source="test")
MESSAGES = (Message(role="user", content="x" * 40),)
SCHEMA = AnswerSchema("any", {"type": "object"})
ABOUT = CallKey(agent="critic", item_id="1")


class Failing(ScriptedModel):
    """Fails with whatever it is given."""

    def __init__(self, error: BaseException) -> None:
        super().__init__([])
        self._error = error

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        raise self._error


async def test_a_call_that_works_is_counted_at_what_it_cost() -> None:
    budget = Budget(price=DEAR, money=Decimal(100))
    model = BudgetedModel(ScriptedModel([ScriptedAnswer(agent="critic", answer="1234")]), budget)

    completion = await model.complete(MESSAGES, SCHEMA, about=ABOUT)

    assert budget.spent_money == DEAR.of(completion.usage) > 0


@pytest.mark.parametrize(
    ("error", "tokens"),
    [
        (CallFailed("busy", kind=FailureKind.RATE_LIMITED), 0),
        (CallFailed("cut", kind=FailureKind.LOST, maybe_paid=True), 14 + 4096),
        (asyncio.CancelledError(), 14 + 4096),
    ],
)
async def test_a_call_that_fails_is_counted_at_its_worst_only_if_it_may_have_been_paid(
    error: BaseException, tokens: int
) -> None:
    budget = Budget(price=DEAR, money=Decimal(100))

    with pytest.raises(type(error)):
        await BudgetedModel(Failing(error), budget).complete(MESSAGES, SCHEMA, about=ABOUT)

    assert budget.spent_tokens == tokens


async def test_no_call_is_made_that_may_not_fit() -> None:
    budget = Budget(price=DEAR, money=Decimal("0.01"))

    with pytest.raises(BudgetSpent):
        await BudgetedModel(Failing(AssertionError("it was called")), budget).complete(MESSAGES, SCHEMA, about=ABOUT)
