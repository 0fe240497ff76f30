"""How models behind an OpenAI-compatible server answer through a thin client: one request, nothing hidden."""

import time
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Self

import orjson

from agents.providers.base import AnswerSchema, CallKey, Capabilities, Completion
from agents.providers.chat_envelope import completion_in
from agents.providers.openai_connection import OpenAIConnection
from agents.providers.openai_protocol import OpenAIServer, response_format, temperature_of
from memory.model_call import Message


class ChatCompletionsModel:
    """A model behind `/v1/chat/completions` that is held to the answer schema (`response_format`, strict)."""

    capabilities = Capabilities()

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None,
        base_url: str | None,
        call_seconds: float,
        max_tokens: int = 4096,
        seed: int = 0,
    ) -> None:
        self.name = model
        self._max_tokens = max_tokens
        self._seed = seed
        self.connection = OpenAIConnection(OpenAIServer.at(base_url, api_key), call_seconds)
        self._closed = False

    @property
    def spec(self) -> str:
        """The spec, `openai:MODEL`."""
        return f"openai:{self.name}"

    @property
    def max_tokens(self) -> int:
        """The longest answer, in tokens."""
        return self._max_tokens

    @property
    def parameters(self) -> Mapping[str, str | int | float | None]:
        """What shapes the answers besides the messages; which server it is does."""
        return {
            "temperature": temperature_of(self.name),
            "seed": self._seed,
            "max_tokens": self._max_tokens,
            "server": self.connection.server.url,
        }

    def with_max_tokens(self, max_tokens: int) -> Self:
        """Return the same model with another limit, on the same connections, which this one still has to close."""
        other = copy(self)
        other._max_tokens = max_tokens
        other._closed = True
        return other

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        """Return the raw answer; `ProviderError` says what went wrong, the total deadline included."""
        started = time.perf_counter()
        question = self.question(messages, schema)
        with self.connection.failures_named():
            body = await self.connection.post("/chat/completions", question, model=self.name)
            return completion_in(body, messages=messages, model=self.name, started=started)

    async def aclose(self) -> None:
        """Give the connections back; they are closed when no model of the process needs them."""
        if not self._closed:
            self._closed = True
            await self.connection.leave()

    def question(self, messages: Sequence[Message], schema: AnswerSchema) -> bytes:
        """Return the body of the request, as JSON."""
        question: dict[str, object] = {
            "model": self.name,
            "messages": [{"role": message.role, "content": _sendable(message.content)} for message in messages],
            "response_format": response_format(schema),
            "max_completion_tokens": self._max_tokens,
            "seed": self._seed,
        }
        if (temperature := temperature_of(self.name)) is not None:
            question["temperature"] = temperature
        return orjson.dumps(question)


def _sendable(text: str) -> str:
    """Return the text as valid Unicode: a lone surrogate cannot be sent."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
