"""How models behind an OpenAI-compatible server answer: OpenAI itself, vLLM, llama.cpp's server and others."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence

import openai
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from agents.providers.addresses import NoAddress, ServerAddress
from agents.providers.base import (
    AnswerSchema,
    AuthenticationFailed,
    CallFailed,
    CallKey,
    Capabilities,
    Completion,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
)
from agents.providers.completions import completion_of
from memory.model_call import Message

OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = "none"  # sent where a server of one's own asks for no key
LONGEST_DETAIL = 300  # characters of what a server says of an error

# What the client library lets through when a server answers 200 with something that is no chat completion.
_NO_COMPLETION = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


class OpenAIModel:
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
        self._model = model
        self._server = _Server(api_key, base_url, call_seconds)
        self._call_seconds = call_seconds
        self._max_tokens = max_tokens
        self._seed = seed
        self._chat = _chat(model, self._server, max_tokens, seed)

    @property
    def spec(self) -> str:
        """The spec, `openai:MODEL`."""
        return f"openai:{self._model}"

    @property
    def parameters(self) -> Mapping[str, str | int | float | None]:
        """What shapes the answers besides the messages; which server it is does."""
        return {
            "temperature": self._chat.temperature,  # None for models that allow no other than their own
            "seed": self._seed,
            "max_tokens": self._max_tokens,
            "server": self._server.url,
        }

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        """Return the raw answer; `ProviderError` says what went wrong, the total deadline included."""
        started = time.perf_counter()
        sent = [(message.role, message.content) for message in messages]
        try:
            async with asyncio.timeout(self._call_seconds):
                # As `response_format` it would go through the SDK's own parsing, which raises on an answer that was
                # cut or filtered and loses the paid text.
                answer = await self._chat.ainvoke(sent, extra_body={"response_format": _response_format(schema)})
        except TimeoutError as error:
            raise self._server.timed_out(self._call_seconds) from error
        except openai.OpenAIError as error:
            # Without its cause: the library's errors quote the server, and a server may quote the key.
            raise self._server.problem(error, self._model) from None
        except _NO_COMPLETION as error:
            raise self._server.no_completion(error) from None
        return _completion(answer, messages, self._model, started)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._server.client.close()


async def models_at(*, api_key: str | None, base_url: str | None, seconds: float = 5.0) -> tuple[str, ...]:
    """Return the names of the models that a server offers (`GET /v1/models`), sorted; raises `ProviderError`."""
    server = _Server(api_key, base_url, seconds)
    try:
        async with asyncio.timeout(seconds), server.client as client:
            return tuple(sorted([model.id async for model in client.models.list()]))
    except TimeoutError as error:
        raise server.timed_out(seconds) from error
    except openai.OpenAIError as error:
        raise server.problem(error, None) from None
    except _NO_COMPLETION as error:
        raise server.no_completion(error) from None


def _chat(model: str, server: "_Server", max_tokens: int, seed: int) -> ChatOpenAI:
    """Return the library's model on the server's own client."""
    # Given a client, ChatOpenAI uses nothing of what it reads in the environment. It gets the asynchronous one only:
    # the other is never called.
    client = server.client
    return ChatOpenAI(
        model=model,
        api_key=SecretStr(server.key),
        base_url=server.url,
        openai_proxy=None,
        client=client.chat.completions,
        root_client=client,
        async_client=client.chat.completions,
        root_async_client=client,
        temperature=0,
        seed=seed,
        max_completion_tokens=max_tokens,
        use_responses_api=False,
        disable_streaming=True,
        cache=False,
    )


class _Server:
    """A server's address, the key for it, and what its failures mean."""

    def __init__(self, api_key: str | None, base_url: str | None, seconds: float) -> None:
        try:
            address = ServerAddress.parse(base_url or OPENAI_URL)
        except NoAddress as error:
            raise ProviderUnavailable(f"OPENAI_BASE_URL is no http address ({error})") from None
        self.url = address.url
        self.key = _checked_key(api_key, needed=base_url is None)
        # No retries (a lost answer would be paid again and again), no redirects (they would carry the key along), and
        # nothing from the environment: proxies, organization and project are not settings of ours.
        self.client = openai.AsyncOpenAI(
            api_key=self.key,
            base_url=self.url,
            timeout=seconds,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(timeout=seconds, follow_redirects=False, trust_env=False),
        )
        self.client.organization = None
        self.client.project = None

    def timed_out(self, seconds: float) -> CallFailed:
        return CallFailed(f"{self.url} gave no whole answer within {seconds:g} seconds")

    def no_completion(self, error: Exception) -> CallFailed:
        return CallFailed(f"{self.url} answered with something that is no completion: {self._detail(str(error))}")

    def problem(self, error: openai.OpenAIError, model: str | None) -> ProviderError:
        """Return our error for the library's."""
        if isinstance(error, openai.APITimeoutError):
            return CallFailed(f"{self.url} took too long to answer")
        if isinstance(error, openai.APIConnectionError):
            # Both httpx and httpx2 (which of them, the library's version decides) name it so.
            if any(type(cause).__name__ == "ConnectError" for cause in _causes(error)):
                return ProviderUnavailable(f"no server can be reached at {self.url}: is it running, is the URL right?")
            return CallFailed(f"the connection to {self.url} was cut")
        if not isinstance(error, openai.APIStatusError):
            return self.no_completion(error)
        return self._refusal(error, model)

    def _refusal(self, error: openai.APIStatusError, model: str | None) -> ProviderError:
        status = error.status_code
        if status in (401, 403):
            return AuthenticationFailed(f"{self.url} refused the key ({status}): check OPENAI_API_KEY")
        if status == 404 and model is not None:
            return ModelNotFound(
                f"{self.url} has no model {model!r}, or is no OpenAI-compatible address (most end in /v1):"
                " `reaseq models` lists what is there"
            )
        return CallFailed(f"{self.url} answered: {self._detail(error.message)}")  # which begins with the status

    def _detail(self, text: str) -> str:
        """Return what the server said, on one line, short, and without the key."""
        return " ".join(text.replace(self.key, "***").split())[:LONGEST_DETAIL]


def _checked_key(api_key: str | None, *, needed: bool) -> str:
    key = (api_key or "").strip()
    if not key and needed:
        raise AuthenticationFailed(
            "openai: needs a key: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own"
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise AuthenticationFailed("OPENAI_API_KEY holds characters that no key has; was it copied whole and alone?")
    return key or NO_KEY


def _response_format(schema: AnswerSchema) -> dict[str, object]:
    named = {"name": schema.name, "schema": dict(schema.json_schema), "strict": True}
    return {"type": "json_schema", "json_schema": named}


def _completion(answer: AIMessage, messages: Sequence[Message], model: str, started: float) -> Completion:
    refusal = answer.additional_kwargs.get("refusal")
    tokens = answer.usage_metadata
    return completion_of(
        answer.text or (refusal if isinstance(refusal, str) else ""),
        messages=messages,
        finish_reason="refusal" if refusal else answer.response_metadata.get("finish_reason"),
        prompt_tokens=tokens["input_tokens"] if tokens else None,
        completion_tokens=tokens["output_tokens"] if tokens else None,
        model=str(answer.response_metadata.get("model_name") or model),
        started=started,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
