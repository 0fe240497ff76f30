"""How models in an Ollama server answer."""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import ollama
from langchain_core.messages import AIMessage
from langchain_ollama import ChatOllama

from agents.providers.addresses import NoAddress, ServerAddress
from agents.providers.base import (
    AnswerSchema,
    AuthenticationFailed,
    CallFailed,
    CallKey,
    Capabilities,
    Completion,
    ContextTooLong,
    FailureKind,
    FinishReason,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    ServerUnreachable,
)
from agents.providers.completions import completion_of
from agents.providers.error_statuses import failure_of_status
from memory.model_call import Message

DEFAULT_PORT = 11434
LONGEST_DETAIL = 300  # characters of what a server says of an error
CLOUD_KEY = "Bearer "  # the form in which the client library adds OLLAMA_API_KEY from the environment

# What the client library lets through when a server answers 200 with something that is no chat answer.
_NO_ANSWER = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
_CONNECTION_ERRORS = (ConnectionError, httpx.HTTPError)
_PORT = re.compile(r":[0-9]+$")


class OllamaModel:
    """A model behind `/api/chat` that is held to the answer schema (`format`)."""

    capabilities = Capabilities()

    def __init__(
        self,
        model: str,
        *,
        host: str,
        call_seconds: float,
        context_tokens: int = 8192,
        max_tokens: int = 4096,
        seed: int = 0,
    ) -> None:
        self._model = model
        self._server = _Server(host)
        self._call_seconds = call_seconds
        self._context_tokens = context_tokens
        self._max_tokens = max_tokens
        self._seed = seed
        self._transport = httpx.AsyncHTTPTransport(trust_env=False)
        self._chat = ChatOllama(
            model=model,
            base_url=self._server.url,
            num_ctx=context_tokens,
            num_predict=max_tokens,
            temperature=0,
            seed=seed,
            reasoning=False,  # thoughts are no part of a structured answer, and are paid for in seconds
            client_kwargs=self._server.client_settings(call_seconds),
            async_client_kwargs={"transport": self._transport},
            disable_streaming=True,
            cache=False,
        )

    @property
    def spec(self) -> str:
        """The spec, `ollama:MODEL`."""
        return f"ollama:{self._model}"

    @property
    def parameters(self) -> Mapping[str, str | int | float | None]:
        """What shapes the answers besides the messages."""
        return {
            "temperature": 0,
            "seed": self._seed,
            "max_tokens": self._max_tokens,
            "context_tokens": self._context_tokens,
            "server": self._server.url,
        }

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        """Return the raw answer; `ProviderError` says what went wrong, a silently shortened prompt included."""
        started = time.perf_counter()
        sent = [(message.role, message.content) for message in messages]
        try:
            async with asyncio.timeout(self._call_seconds):
                answer = await self._chat.ainvoke(sent, format=dict(schema.json_schema))
        except TimeoutError as error:
            raise self._server.timed_out(self._call_seconds) from error
        except ollama.ResponseError as error:
            raise await self._refusal(error) from error
        except _CONNECTION_ERRORS as error:
            raise self._server.disconnection(error) from error
        except _NO_ANSWER as error:
            raise self._server.no_answer(error) from error
        return self._completion(answer, messages, started)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def _refusal(self, error: ollama.ResponseError) -> ProviderError:
        """Return our error for the library's; for an unknown model it says which ones are there."""
        if error.status_code != 404:
            return self._server.refusal(error)
        pull = f"Ollama at {self._server.url} has no model {self._model!r}: get it with `ollama pull {self._model}`"
        try:
            names = await self._server.models(seconds=5)
        except ProviderError:
            return ModelNotFound(pull)  # the list is a courtesy
        return ModelNotFound(f"{pull}; there are: {', '.join(names) or 'none yet'}")

    def _completion(self, answer: AIMessage, messages: Sequence[Message], started: float) -> Completion:
        reason, tokens = answer.response_metadata.get("done_reason"), answer.usage_metadata
        if reason is None:
            raise CallFailed(
                f"Ollama at {self._server.url} ended its answer before it was done",
                kind=FailureKind.LOST,
                maybe_paid=True,
            )
        completion = completion_of(
            answer.text,
            messages=messages,
            finish_reason=str(reason),
            prompt_tokens=tokens["input_tokens"] if tokens else None,
            completion_tokens=tokens["output_tokens"] if tokens else None,
            model=str(answer.response_metadata.get("model") or self._model),
            started=started,
        )
        self._refuse_cut_prompt(completion)
        return completion

    def _refuse_cut_prompt(self, completion: Completion) -> None:
        """Raise where the context was full: Ollama then drops the prompt's beginning without a word."""
        usage = completion.usage
        if usage.estimated or completion.finish_reason is FinishReason.LENGTH:
            return
        if usage.prompt_tokens + usage.completion_tokens >= self._context_tokens:
            raise ContextTooLong(
                f"the prompt does not fit into {self._context_tokens} tokens of context: Ollama read only its end",
                maybe_paid=True,
                usage=usage,
            )


async def models_at(host: str, *, seconds: float = 5.0) -> tuple[str, ...]:
    """Return the names of the models that a server has, sorted; raises `ProviderError`."""
    return await _Server(host).models(seconds)


class _Server:
    """A server's address, and what its failures mean."""

    def __init__(self, host: str) -> None:
        try:
            self._address = ServerAddress.parse(_full_address(host))
        except NoAddress as error:
            raise ProviderUnavailable(f"OLLAMA_HOST is no address ({error})") from None
        self.url = self._address.url

    def client_settings(self, seconds: float) -> dict[str, Any]:
        """Return what the HTTP client is told: no redirects, nothing from the environment, no key that is not ours."""
        auth = self._address.userinfo or _without_cloud_key
        return {"follow_redirects": False, "trust_env": False, "timeout": seconds, "auth": auth}

    async def models(self, seconds: float) -> tuple[str, ...]:
        """Return the names of the models that are there, sorted."""
        client = ollama.AsyncClient(self.url, **self.client_settings(seconds))
        try:
            async with asyncio.timeout(seconds), client:
                listed = await client.list()
            return tuple(sorted(model.model for model in listed.models if model.model))
        except TimeoutError as error:
            raise self.timed_out(seconds) from error
        except ollama.ResponseError as error:
            raise self.refusal(error) from error
        except _CONNECTION_ERRORS as error:
            raise self.disconnection(error) from error
        except _NO_ANSWER as error:
            raise self.no_answer(error) from error

    def disconnection(self, error: Exception) -> ProviderError:
        """Return our error for a connection that failed."""
        # The library turns a refused connection into the builtin error where it does not stream.
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, ConnectionError)):
            return ServerUnreachable(
                f"no Ollama server can be reached at {self.url}: start it with `ollama serve`"
                " (OLLAMA_HOST says where it is)"
            )
        if isinstance(error, httpx.TimeoutException):
            said = f"Ollama at {self.url} took too long to answer"
            return CallFailed(said, kind=FailureKind.TIMEOUT, maybe_paid=True)
        said = f"the connection to Ollama at {self.url} was cut"
        return CallFailed(said, kind=FailureKind.LOST, maybe_paid=True)

    def refusal(self, error: ollama.ResponseError) -> ProviderError:
        """Return our error for an error status."""
        if error.status_code in (401, 403):
            return AuthenticationFailed(f"Ollama at {self.url} refused the call ({error.status_code})")
        said = f"Ollama at {self.url} answered with status {error.status_code}: {_detail(error.error)}"
        return failure_of_status(error.status_code, error.error, said)

    def timed_out(self, seconds: float) -> CallFailed:
        """Return the error for a deadline that has passed."""
        said = f"Ollama at {self.url} gave no whole answer within {seconds:g} seconds"
        return CallFailed(said, kind=FailureKind.TIMEOUT, maybe_paid=True)

    def no_answer(self, error: Exception) -> CallFailed:
        """Return the error for an answer of another shape."""
        said = f"Ollama at {self.url} answered with something that is no chat answer: {_detail(error)}"
        return CallFailed(said, kind=FailureKind.PROTOCOL, maybe_paid=True)


def _full_address(host: str) -> str:
    """Return the host with what Ollama's own ways of writing it leave out: `:8080`, `myhost`, `0.0.0.0:11434`."""
    full = host.strip().rstrip("/")
    if "://" not in full:
        full = f"http://127.0.0.1{full}" if full.startswith(":") else f"http://{full}"
        # A bare host means Ollama's port, as it does to its own client.
        full = full if _PORT.search(full) or "/" in full.removeprefix("http://") else f"{full}:{DEFAULT_PORT}"
    return full.replace("//0.0.0.0", "//127.0.0.1")  # the address to listen at is none to call


def _without_cloud_key(request: httpx.Request) -> httpx.Request:
    if request.headers.get("authorization", "").startswith(CLOUD_KEY):
        del request.headers["authorization"]
    return request


def _detail(said: object) -> str:
    return " ".join(str(said).split())[:LONGEST_DETAIL]
