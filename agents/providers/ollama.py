"""How models in an Ollama server answer."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import httpx
import ollama
from langchain_core.messages import AIMessage
from langchain_ollama import ChatOllama

from agents.providers.base import (
    AnswerSchema,
    AuthenticationFailed,
    CallFailed,
    CallKey,
    Capabilities,
    Completion,
    FinishReason,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
)
from agents.providers.completions import completion_of
from memory.model_call import Message

LONGEST_DETAIL = 300  # characters of what a server says of an error
CLOUD_KEY = "Bearer "  # the form in which the client library adds OLLAMA_API_KEY from the environment

# What the client library lets through when a server answers 200 with something that is no chat answer.
_NO_ANSWER = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
_LIBRARY_ERRORS = (ollama.ResponseError, ConnectionError, httpx.HTTPError, httpx.InvalidURL)


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
        self._host = host
        self._call_seconds = call_seconds
        self._context_tokens = context_tokens
        self._max_tokens = max_tokens
        self._seed = seed
        self._transport = httpx.AsyncHTTPTransport(trust_env=False)
        self._chat = ChatOllama(
            model=model,
            base_url=host,
            num_ctx=context_tokens,
            num_predict=max_tokens,
            temperature=0,
            seed=seed,
            reasoning=False,  # thoughts are no part of a structured answer, and are paid for in seconds
            client_kwargs=_client_settings(call_seconds),
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
            raise _timed_out(self._host, self._call_seconds) from error
        except _LIBRARY_ERRORS as error:
            raise await self._problem(error) from error
        except _NO_ANSWER as error:
            raise _no_answer(self._host, error) from error
        return self._completion(answer, messages, started)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def _problem(self, error: Exception) -> ProviderError:
        """Return our error for the library's; for an unknown model it says which ones are there."""
        if not isinstance(error, ollama.ResponseError) or error.status_code != 404:
            return _problem(error, self._host)
        pull = f"Ollama at {_shown(self._host)} has no model {self._model!r}: get it with `ollama pull {self._model}`"
        try:
            names = await models_at(self._host)
        except ProviderError:
            return ModelNotFound(pull)  # the list is a courtesy
        return ModelNotFound(f"{pull}; there are: {', '.join(names) or 'none yet'}")

    def _completion(self, answer: AIMessage, messages: Sequence[Message], started: float) -> Completion:
        reason, tokens = answer.response_metadata.get("done_reason"), answer.usage_metadata
        if reason is None:
            raise CallFailed(f"Ollama at {_shown(self._host)} ended its answer before it was done")
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
            raise CallFailed(
                f"the prompt does not fit into {self._context_tokens} tokens of context: Ollama read only its end"
            )


async def models_at(host: str, *, seconds: float = 5.0) -> tuple[str, ...]:
    """Return the names of the models that a server has, sorted; raises `ProviderError`."""
    try:
        async with asyncio.timeout(seconds), ollama.AsyncClient(host, **_client_settings(seconds)) as client:
            listed = await client.list()
        return tuple(sorted(model.model for model in listed.models if model.model))
    except TimeoutError as error:
        raise _timed_out(host, seconds) from error
    except _LIBRARY_ERRORS as error:
        raise _problem(error, host) from error
    except _NO_ANSWER as error:
        raise _no_answer(host, error) from error


def _client_settings(seconds: float) -> dict[str, object]:
    """Return what the HTTP client is told: no redirects, nothing from the environment, no key that is not ours."""
    return {"follow_redirects": False, "trust_env": False, "timeout": seconds, "auth": _without_cloud_key}


def _without_cloud_key(request: httpx.Request) -> httpx.Request:
    if request.headers.get("authorization", "").startswith(CLOUD_KEY):
        del request.headers["authorization"]
    return request


def _problem(error: Exception, host: str) -> ProviderError:
    """Return our error for the library's."""
    shown = _shown(host)
    if isinstance(error, httpx.TimeoutException):
        return CallFailed(f"Ollama at {shown} took too long to answer")
    # The library turns a refused connection into the builtin error where it does not stream.
    if isinstance(error, (httpx.ConnectError, ConnectionError, httpx.UnsupportedProtocol, httpx.InvalidURL)):
        return ProviderUnavailable(
            f"no Ollama server can be reached at {shown}: start it with `ollama serve` (OLLAMA_HOST says where it is)"
        )
    if not isinstance(error, ollama.ResponseError):
        return CallFailed(f"the connection to Ollama at {shown} was cut")
    if error.status_code in (401, 403):
        return AuthenticationFailed(f"Ollama at {shown} refused the call ({error.status_code})")
    detail = " ".join(error.error.split())[:LONGEST_DETAIL]
    return CallFailed(f"Ollama at {shown} answered with status {error.status_code}: {detail}")


def _timed_out(host: str, seconds: float) -> CallFailed:
    return CallFailed(f"Ollama at {_shown(host)} gave no whole answer within {seconds:g} seconds")


def _no_answer(host: str, error: Exception) -> CallFailed:
    detail = " ".join(str(error).split())[:LONGEST_DETAIL]
    return CallFailed(f"Ollama at {_shown(host)} answered with something that is no chat answer: {detail}")


def _shown(host: str) -> str:
    """Return the host without user and password."""
    parts = urlsplit(host if "://" in host else f"http://{host}")
    return parts.netloc.rpartition("@")[2] + parts.path.rstrip("/")
