"""A chat model that asks the budget before each call, retries included."""

from collections.abc import Callable, Sequence

from agents.providers.around import ModelAround
from agents.providers.base import (
    AdjustableModel,
    AnsweredMeanwhile,
    AnswerSchema,
    CallFailed,
    CallKey,
    ChatModel,
    Completion,
)
from agents.spending.budget import Budget
from agents.spending.prices import Price
from memory.model_call import Message, ModelCall

Recall = Callable[[str], ModelCall | None]
LONGEST_ANSWER = 4096  # tokens, where a model does not say how long its answers may get


class BudgetedModel(ModelAround):
    """Reserves a call's worst case, makes the call, and settles what it cost; `BudgetSpent` where it might not fit.

    `price`: where it is not that of the budget's own model. `recall` has the last word before the call: what another
    process was told while this one waited for its turn is not paid again, and is raised as `AnsweredMeanwhile`.
    """

    def __init__(
        self, inner: ChatModel, budget: Budget, price: Price | None = None, *, recall: Recall | None = None
    ) -> None:
        super().__init__(inner)
        self._budget = budget
        self._price = price
        self._recall = recall

    @property
    def max_tokens(self) -> int:
        """The longest answer, in tokens."""
        longest = self.parameters.get("max_tokens")
        return longest if isinstance(longest, int) else LONGEST_ANSWER

    def with_max_tokens(self, max_tokens: int) -> ChatModel:
        """Return the same model and budget with another limit; where the model has one, this one itself."""
        if not isinstance(self._inner, AdjustableModel):
            return self
        return BudgetedModel(self._inner.with_max_tokens(max_tokens), self._budget, self._price, recall=self._recall)

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        """Return the raw answer, paid within the budget."""
        prompt_bytes = sum(len(message.content.encode("utf-8", "surrogatepass")) for message in messages)
        reservation = await self._budget.reserve(prompt_bytes, self.max_tokens, self._price)
        if about and about.key and self._recall and (call := self._recall(about.key)):
            await self._budget.settle(reservation, None)
            raise AnsweredMeanwhile(call)
        try:
            completion = await self._inner.complete(messages, schema, about=about)
        except CallFailed as error:
            if error.maybe_paid and error.usage is None:
                await self._budget.settle_lost(reservation)
            else:
                await self._budget.settle(reservation, error.usage)
            raise
        except BaseException:
            # Cancelled, or failed in a way that says nothing of money: the model may have answered.
            await self._budget.settle_lost(reservation)
            raise
        await self._budget.settle(reservation, completion.usage)
        return completion
