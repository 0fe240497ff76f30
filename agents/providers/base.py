"""What every provider of a language model offers, and how it fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from memory.errors import ReaseqError
from memory.model_call import Message, Usage
from memory.record import Record

JsonSchema = Mapping[str, Any]


@dataclass(frozen=True)
class Capabilities:
    """What a model can be trusted with; code and rules do the rest."""

    classifies: bool = True  # chooses the category among candidates
    judges: bool = True  # rules on claims
    writes: bool = True  # writes the summary
    proposes: bool = True  # states values and template attributes of its own; False: only picks offered spans


class FinishReason(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    LENGTH = "length"
    REFUSAL = "refusal"
    CONTENT_FILTER = "content_filter"
    OTHER = "other"


@dataclass(frozen=True)
class AnswerSchema:
    """The JSON schema that an answer must fit, and the name it goes by."""

    name: str
    json_schema: JsonSchema = field(hash=False)


@dataclass(frozen=True)
class CallKey:
    """Who asks about what: for logs and scripts; it never changes the question itself."""

    agent: str
    item_id: str
    round: int = 0
    prompt: str = ""  # the prompt file's name


class Completion(Record):
    """One answer exactly as it came, before anything is parsed."""

    text: str
    finish_reason: FinishReason
    usage: Usage
    model: str  # as the server names it
    seconds: float


class ChatModel(Protocol):
    """A language model that answers messages with JSON of a given schema."""

    @property
    def spec(self) -> str:
        """Return the model's spec as users write it, such as `embedded:smollm2`."""

    @property
    def capabilities(self) -> Capabilities:
        """Return what this model can be trusted with."""

    @property
    def parameters(self) -> Mapping[str, str | int | float | None]:
        """Return what shapes the answers besides the messages: temperature, seed, limits."""

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        """Return the raw answer; `ProviderError` says what went wrong.

        `about` says who asks about what. A model answers from the messages and the schema alone; only a
        script of prepared answers looks itself up by it.
        """

    async def aclose(self) -> None:
        """Release connections and memory."""


class ProviderError(ReaseqError):
    """A provider could not answer; the text says what to do."""


class ModelSpecError(ProviderError):
    """A model spec that names no known provider, or not in the form PROVIDER:MODEL."""


class ProviderUnavailable(ProviderError):
    """The server cannot be reached, or the weights are not installed."""


class ModelNotFound(ProviderError):
    """The server is there, the model is not."""


class AuthenticationFailed(ProviderError):
    """The key is missing or was refused."""


class CallFailed(ProviderError):
    """One call failed: a time-out, a cut connection, an error status, an answer that is no answer."""
