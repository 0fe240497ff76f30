"""How calls survive a bad provider: one layer of retries, limits and patience around any model."""

import asyncio
import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tenacity import AsyncRetrying, RetryCallState

from agents.providers.around import ModelAround
from agents.providers.base import (
    AdjustableModel,
    AnswerSchema,
    CallFailed,
    CallKey,
    ChatModel,
    Completion,
    FailureKind,
    FinishReason,
    ProviderError,
    ProviderUnavailable,
)
from agents.providers.clock import Clock, MonotonicClock
from agents.providers.completions import estimated_usage
from agents.resilience.admission import Gate, RateState, Turn
from agents.resilience.policy import ResiliencePolicy
from agents.resilience.rate_limits import Limits
from memory.model_call import Message

PaidLost = Callable[[CallKey | None, Sequence[Message], CallFailed], None]


@dataclass
class _Question:
    """A question under way: what has failed so far, and the seconds it has taken, its turns' waits left out."""

    model: ChatModel
    messages: Sequence[Message]
    schema: AnswerSchema
    about: CallKey | None
    failures: Counter[FailureKind] = field(default_factory=Counter)
    paid_lost: int = 0
    seconds: float = 0.0


class ResilientModel(ModelAround):
    """A `ChatModel` that puts each question to `inner` until it is answered or there is no point in trying on.

    `on_failed_try` hears of each try that failed, `on_paid_lost` of each that may have been paid for all the same;
    `limits` are shared with others where they are given, else its own by the policy.
    """

    def __init__(
        self,
        inner: ChatModel,
        policy: ResiliencePolicy | None = None,
        *,
        clock: Clock | None = None,
        on_paid_lost: PaidLost | None = None,
        on_failed_try: Callable[[CallFailed], None] | None = None,
        limits: Limits | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(inner)
        self._policy = policy or ResiliencePolicy()
        self._clock = clock or MonotonicClock()
        self._gate = Gate(self._policy, self._clock, limits)
        self._on_paid_lost = on_paid_lost
        self._on_failed_try = on_failed_try
        self._draw = draw  # a number between 0 and 1
        self._counts: Counter[str] = Counter()

    @property
    def state(self) -> RateState:
        """What holds the calls back at the moment."""
        return self._gate.state(self._counts, self.servers)

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        """Return the raw answer; one that was cut at its limit is asked once more with twice the limit.

        Raises the last `CallFailed` when trying on is pointless, `ContextTooLong` at once, and `ProviderUnavailable`
        or another `ProviderError` where every other question would meet the same.
        """
        completion = await self._answer(self._inner, messages, schema, about)
        if completion.finish_reason is not FinishReason.LENGTH or not isinstance(self._inner, AdjustableModel):
            return completion
        longer = self._inner.with_max_tokens(2 * self._inner.max_tokens)
        try:
            second = await self._answer(longer, messages, schema, about)
        except CallFailed:
            return completion  # it is paid, and says more than the failure of a larger limit
        return second.model_copy(update={"usage": completion.usage + second.usage})

    async def _answer(
        self, model: ChatModel, messages: Sequence[Message], schema: AnswerSchema, about: CallKey | None
    ) -> Completion:
        question = _Question(model, messages, schema, about)
        try:
            return await self._try(question)
        except CallFailed as error:  # only now: what retries costs nearly as much CPU as a call
            return await self._tried_on(question, error)

    async def _tried_on(self, question: _Question, first: CallFailed) -> Completion:
        """Put a question that has failed again for as long as that has a point."""
        met = [first]

        async def again() -> Completion:
            if met:
                raise met.pop()
            return await self._try(question)

        retrying = AsyncRetrying(
            retry=lambda state: self._worth_a_retry(question, state),
            wait=self._wait,
            stop=lambda state: self._out_of_time(question, state),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return await retrying(again)
        except CallFailed as error:
            if error.kind is not FailureKind.RATE_LIMITED:
                raise
            raise ProviderUnavailable(
                f"{error}: this has been so for {self._policy.deadline_seconds:g} seconds;"
                " the same command resumes where this run stopped"
            ) from error

    async def _try(self, question: _Question) -> Completion:
        """Put the question once, when it is its turn."""
        tokens = estimated_usage(question.messages, "").prompt_tokens
        turn = await self._gate.enter(tokens)
        remaining = self._policy.deadline_seconds - question.seconds
        started = self._clock.now()
        try:
            async with asyncio.timeout(max(0.0, remaining)):
                completion = await question.model.complete(question.messages, question.schema, about=question.about)
        except TimeoutError:
            said = f"no answer within {self._policy.deadline_seconds:g} seconds, retries included"
            failure = CallFailed(said, kind=FailureKind.TIMEOUT, maybe_paid=True)
            self._note(question, turn, failure)
            raise failure from None
        except CallFailed as error:
            self._note(question, turn, error)
            raise
        except ProviderError:
            self._gate.answered(turn)
            raise
        else:
            self._gate.completed(turn, completion)
            return completion
        finally:
            question.seconds += self._clock.now() - started
            self._gate.leave(turn)

    def _note(self, question: _Question, turn: Turn, error: CallFailed) -> None:
        """Remember a failure; what a probe meets does not count against its question, the breaker counts probes."""
        self._gate.failed(turn, error, self._pause(error))
        if self._on_failed_try is not None:
            self._on_failed_try(error)
        if not turn.probe:
            question.failures[error.kind] += 1
            question.paid_lost += error.maybe_paid
        self._counts["rate_limited"] += error.kind is FailureKind.RATE_LIMITED
        if error.maybe_paid:
            self._counts["paid_lost"] += 1
            if self._on_paid_lost is not None:
                self._on_paid_lost(question.about, question.messages, error)

    def _worth_a_retry(self, question: _Question, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, CallFailed):
            return False
        if error.kind is FailureKind.RATE_LIMITED:
            return True
        # What may have been paid is paid once more at most.
        return question.paid_lost <= 1 and question.failures[error.kind] < self._policy.tries.get(error.kind, 1)

    def _pause(self, error: CallFailed) -> float:
        """Return the seconds that the server asks for, as far as they are obeyed."""
        asked = error.retry_after or 0.0
        return min(self._policy.retry_after_cap, max(0.0, asked)) if math.isfinite(asked) else 0.0

    def _wait(self, state: RetryCallState) -> float:
        """Return the seconds before the next try: what the server asks for, at least a drawn, growing time."""
        error = state.outcome.exception() if state.outcome else None
        asked = self._pause(error) if isinstance(error, CallFailed) else 0.0
        # A server that names a time knows it better than our doubling does.
        longest = min(self._policy.longest_backoff, max(1.0, 2 * asked)) if asked else self._policy.longest_backoff
        return max(asked, self._draw() * min(longest, 0.5 * 2.0 ** min(state.attempt_number - 1, 30)))

    def _out_of_time(self, question: _Question, state: RetryCallState) -> bool:
        """Return whether the next try would come after the deadline; the time to sleep is counted in already."""
        question.seconds += state.upcoming_sleep
        return question.seconds >= self._policy.deadline_seconds

    async def _sleep(self, seconds: float) -> None:
        self._counts["retries"] += 1
        await self._clock.sleep(seconds)
