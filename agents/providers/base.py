"""What every provider of a language model offers, and how it fails."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol, Self, runtime_checkable

from memory.errors import ReaseqError
from memory.model_call import Message, ModelCall, Usage
from memory.record import Record

JsonSchema = Mapping[str, Any]


@dataclass(frozen=True)
class Capabilities:
    """What a model can be trusted with; code and rules do the rest."""

    classifies: bool = True  # chooses the category among candidates
    judges: bool = True  # rules on claims
    writes: bool = True  # writes the summary
    proposes: bool = True  # states values and template attributes of its own; False: only picks offered spans
    picks: bool = True  # picks among title spans where rules leave several
    supposes: bool = True  # states what somebody may want of an item
    weighs: bool = True  # rules on such demands

    def without(self, agents: Iterable[str]) -> Self:
        """Return what is left where these agents go without a model; KeyError for an agent that asks none."""
        return replace(self, **{ability: False for agent in agents for ability in _ABILITIES[agent]})

    def asked_by(self, agent: str) -> bool:
        """Return whether an agent asks such a model anything of an item; KeyError for an agent that asks none."""
        return any(getattr(self, ability) for ability in _ABILITIES[agent])


# What each agent needs a model for; all else that it does is code.
_ABILITIES = {
    "category_expert": ("classifies",),
    "attribute_extractor": ("proposes", "picks"),
    "critic": ("judges",),
    "demand_analyst": ("supposes",),
    "demand_critic": ("weighs",),
    "summarizer": ("writes",),
}


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
    shortened: bool = False  # the item's text is shown shorter than usual
    # By which the journal knows the question (`memory.model_call.call_key`); "" to ask in any case.
    key: str = field(default="", compare=False)


class AnsweredMeanwhile(Exception):
    """Another process has asked the same while this question waited for its turn; its answer is durable."""

    def __init__(self, call: ModelCall) -> None:
        super().__init__(call.key)
        self.call = call


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


@runtime_checkable
class AdjustableModel(ChatModel, Protocol):
    """A model whose longest answer can be chosen anew."""

    @property
    def max_tokens(self) -> int:
        """Return the longest answer, in tokens."""

    def with_max_tokens(self, max_tokens: int) -> ChatModel:
        """Return the same model with another limit, on the same connections, which this one still has to close."""


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


class QuotaExhausted(ProviderError):
    """The account has nothing left to spend; waiting does not mend that."""


class FailureKind(StrEnum):
    """Why one call failed; the value is the reason code that is stored with an item."""

    RATE_LIMITED = "rate_limited"  # too much was asked too fast
    OVERLOADED = "provider_overloaded"  # the server's own trouble, by its status
    TIMEOUT = "provider_timeout"
    UNREACHABLE = "provider_unreachable"  # no connection came about: nothing was sent
    LOST = "answer_lost"  # sent, and the connection ended before the answer did
    PROTOCOL = "provider_protocol"  # an answer that is no answer of this protocol
    BAD_REQUEST = "bad_request"
    CONTEXT_TOO_LONG = "context_too_long"
    POLICY = "refused_by_policy"


class CallFailed(ProviderError):
    """One call failed: a time-out, a cut connection, an error status, an answer that is no answer.

    `retry_after`: seconds that the server asks to wait, never negative. `maybe_paid`: the model may have answered, and
    the answer is lost; `usage` is what the server still said about its cost.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: FailureKind,
        retry_after: float | None = None,
        maybe_paid: bool = False,
        usage: Usage | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        self.maybe_paid = maybe_paid
        self.usage = usage


class ServerUnreachable(CallFailed, ProviderUnavailable):
    """No connection came about; it may be tried again, and every other call would meet the same."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind=FailureKind.UNREACHABLE)


class ContextTooLong(CallFailed):
    """The prompt does not fit into the model's context; a shorter one may."""

    def __init__(self, message: str, *, maybe_paid: bool = False, usage: Usage | None = None) -> None:
        super().__init__(message, kind=FailureKind.CONTEXT_TOO_LONG, maybe_paid=maybe_paid, usage=usage)
