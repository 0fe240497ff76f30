"""How an OpenAI model answers through the batch API: the same questions as the thin client's, at half the price."""

import time
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Self

from agents.answering import canonical_json
from agents.providers.base import AnswerSchema, CallKey, Capabilities, Completion, ProviderError
from agents.providers.batch_api.courier import BatchCourier, Shelf
from agents.providers.batch_api.desk import BatchDesk
from agents.providers.batch_api.pace import BatchPace
from agents.providers.batch_api.server import BatchServer
from agents.providers.batch_api.under_way import BatchesUnderWay
from agents.providers.batch_api.wire import question_id, result_in
from agents.providers.chat_completions import ChatCompletionsModel
from agents.providers.chat_envelope import completion_in
from agents.providers.clock import Clock, MonotonicClock
from memory.batch_shelf import AskedQuestion
from memory.model_call import Message, call_key


class BatchedModel:
    """The thin client's model, asked in batches; in all that shapes an answer it is that model itself.

    An answer takes minutes to a day. What is submitted is remembered on the shelf, so that nothing that is under way
    or answered is submitted again, whatever happens to this process. The thin client stays its caller's to close.
    """

    capabilities = Capabilities()

    def __init__(
        self, inner: ChatCompletionsModel, shelf: Shelf, *, pace: BatchPace | None = None, clock: Clock | None = None
    ) -> None:
        pace, clock = pace or BatchPace(), clock or MonotonicClock()
        self._inner = inner
        self._server = BatchServer(inner.connection, inner.name, pace, clock)
        self._desk = BatchDesk(BatchCourier(self._server, shelf, pace, clock), shelf, pace, clock)
        self._parameters = canonical_json(inner.parameters)

    @property
    def spec(self) -> str:
        """The thin client's."""
        return self._inner.spec

    @property
    def parameters(self) -> Mapping[str, str | int | float | None]:
        """The thin client's: how a question travels shapes no answer."""
        return self._inner.parameters

    @property
    def max_tokens(self) -> int:
        """The longest answer, in tokens."""
        return self._inner.max_tokens

    @property
    def state(self) -> BatchesUnderWay:
        """What waits at the moment."""
        return self._desk.state

    def with_max_tokens(self, max_tokens: int) -> Self:
        """Return the same model with another limit, at the same desk."""
        other = copy(self)
        other._inner = self._inner.with_max_tokens(max_tokens)
        return other

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        """Return the raw answer, after a long time; `ProviderError` says what went wrong."""
        started = time.perf_counter()
        body, turn = self._inner.question(messages, schema), about.round if about else 0
        key = call_key(messages, self.spec, self._parameters, schema.name, schema.json_schema, turn)
        asked = AskedQuestion(question=question_id(self._inner.connection.server.url, turn, body), key=key)
        line = (await self._desk.answer(asked, body)).encode()
        try:
            return self._completion(line, messages, started)
        except ProviderError:
            await self._desk.drop(asked.question)
            raise

    async def aclose(self) -> None:
        """End all waiting; what is submitted stays with the provider."""
        await self._desk.aclose()

    def _completion(self, line: bytes, messages: Sequence[Message], started: float) -> Completion:
        with self._inner.connection.failures_named():
            result = result_in(line)
            if result.status == 200:
                return completion_in(result.body, messages=messages, model=self._inner.name, started=started)
        raise self._server.refusal(result)
