"""OpenAI's protocol without a client: the server's address, the key, the answer format, and what its refusals mean."""

import re
from dataclasses import dataclass
from typing import Self

from agents.providers.addresses import NoAddress, ServerAddress
from agents.providers.base import (
    AnswerSchema,
    AuthenticationFailed,
    CallFailed,
    FailureKind,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    ServerUnreachable,
)
from agents.providers.error_statuses import failure_of_status

OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = "none"  # sent where a server of one's own asks for no key
LONGEST_DETAIL = 300  # characters of what a server says of an error

_OWN_TEMPERATURE = re.compile(r"o\d|gpt-5(?!.*chat)")  # models that allow no other than their own


class NothingThere(CallFailed):
    """The server knows nothing of that address: no such thing, or no such service at all."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind=FailureKind.BAD_REQUEST)


@dataclass(frozen=True)
class OpenAIServer:
    """A server's address, the key for it, and what its failures mean; no error tells the key."""

    url: str
    key: str

    @classmethod
    def at(cls, base_url: str | None, api_key: str | None) -> Self:
        """Return the server at the URL, else OpenAI's; raises `ProviderUnavailable` or `AuthenticationFailed`."""
        try:
            address = ServerAddress.parse(base_url or OPENAI_URL)
        except NoAddress as error:
            raise ProviderUnavailable(f"OPENAI_BASE_URL is no http address ({error})") from None
        return cls(address.url, _checked_key(api_key, needed=base_url is None))

    def timed_out(self, seconds: float) -> CallFailed:
        """Return the error for a deadline that has passed with the question sent."""
        said = f"{self.url} gave no whole answer within {seconds:g} seconds"
        return CallFailed(said, kind=FailureKind.TIMEOUT, maybe_paid=True)

    def late(self) -> CallFailed:
        """Return the error for a server that said nothing for too long."""
        return CallFailed(f"{self.url} took too long to answer", kind=FailureKind.TIMEOUT, maybe_paid=True)

    def unreachable(self) -> ServerUnreachable:
        """Return the error for a connection that did not come about."""
        return ServerUnreachable(f"no server can be reached at {self.url}: is it running, is the URL right?")

    def cut(self) -> CallFailed:
        """Return the error for a connection that ended before the answer did."""
        return CallFailed(f"the connection to {self.url} was cut", kind=FailureKind.LOST, maybe_paid=True)

    def no_completion(self, said: str, *, maybe_paid: bool = True) -> CallFailed:
        """Return the error for a status 200 with something else than an answer."""
        text = f"{self.url} answered with something that is no completion: {self.detail(said)}"
        return CallFailed(text, kind=FailureKind.PROTOCOL, maybe_paid=maybe_paid)

    def refusal(
        self, status: int, code: str, said: str, model: str | None, *, retry_after: float | None = None
    ) -> ProviderError:
        """Return the error for a status that is no 200; `code` and `said` are the server's own."""
        if status == 401:
            return AuthenticationFailed(f"{self.url} refused the key ({status}): check OPENAI_API_KEY")
        if status == 404 and model is not None:
            return ModelNotFound(
                f"{self.url} has no model {model!r}, or is no OpenAI-compatible address (most end in /v1):"
                " `reaseq models` lists what is there"
            )
        message = f"{self.url} answered: {self.detail(said)}"
        if status in (404, 405, 501):
            return NothingThere(message)
        failure = failure_of_status(status, f"{code} {said}", message, retry_after=retry_after)
        if status == 403 and isinstance(failure, CallFailed) and failure.kind is FailureKind.BAD_REQUEST:
            return AuthenticationFailed(f"{self.url} refused the key ({status}): check OPENAI_API_KEY")
        return failure

    def detail(self, text: str) -> str:
        """Return what the server said, on one line, short, and without the key."""
        shown = text if self.key == NO_KEY else text.replace(self.key, "***")
        return " ".join(shown.split())[:LONGEST_DETAIL]


def response_format(schema: AnswerSchema) -> dict[str, object]:
    """Return the request's `response_format`, which holds the model to the schema."""
    named = {"name": schema.name, "schema": dict(schema.json_schema), "strict": True}
    return {"type": "json_schema", "json_schema": named}


def temperature_of(model: str) -> float | None:
    """Return 0, or None for a model that allows no other temperature than its own."""
    return None if _OWN_TEMPERATURE.match(model.lower()) else 0.0


def _checked_key(api_key: str | None, *, needed: bool) -> str:
    key = (api_key or "").strip()
    if not key and needed:
        raise AuthenticationFailed(
            "openai: needs a key: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own"
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise AuthenticationFailed("OPENAI_API_KEY holds characters that no key has; was it copied whole and alone?")
    return key or NO_KEY
