"""How models behind an OpenAI-compatible server answer: OpenAI itself, vLLM, llama.cpp's server and others."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import openai
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from agents.providers.base import AnswerSchema, CallKey, Capabilities, Completion, ProviderError
from agents.providers.completions import completion_of
from agents.providers.openai_protocol import OpenAIServer, response_format
from agents.providers.retry_after import retry_after_seconds
from memory.model_call import Message

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
        self._client = _Client(api_key, base_url, call_seconds)
        self._call_seconds = call_seconds
        self._max_tokens = max_tokens
        self._seed = seed
        self._chat = _chat(model, self._client, max_tokens, seed)

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
            "server": self._client.server.url,
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
                answer = await self._chat.ainvoke(sent, extra_body={"response_format": response_format(schema)})
        except TimeoutError as error:
            raise self._client.server.timed_out(self._call_seconds) from error
        except openai.OpenAIError as error:
            # Without its cause: the library's errors quote the server, and a server may quote the key.
            raise self._client.problem(error, self._model) from None
        except _NO_COMPLETION as error:
            raise self._client.server.no_completion(str(error)) from None
        return _completion(answer, messages, self._model, started)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.client.close()


async def models_at(*, api_key: str | None, base_url: str | None, seconds: float = 5.0) -> tuple[str, ...]:
    """Return the names of the models that a server offers (`GET /v1/models`), sorted; raises `ProviderError`."""
    opened = _Client(api_key, base_url, seconds)
    try:
        async with asyncio.timeout(seconds), opened.client as client:
            return tuple(sorted([model.id async for model in client.models.list()]))
    except TimeoutError as error:
        raise opened.server.timed_out(seconds) from error
    except openai.OpenAIError as error:
        raise opened.problem(error, None) from None
    except _NO_COMPLETION as error:
        raise opened.server.no_completion(str(error)) from None


def _chat(model: str, opened: "_Client", max_tokens: int, seed: int) -> ChatOpenAI:
    """Return the library's model on the server's own client."""
    # Given a client, ChatOpenAI uses nothing of what it reads in the environment. It gets the asynchronous one only:
    # the other is never called.
    client = opened.client
    return ChatOpenAI(
        model=model,
        api_key=SecretStr(opened.server.key),
        base_url=opened.server.url,
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


class _Client:
    """The client library on one server, and what its failures mean."""

    def __init__(self, api_key: str | None, base_url: str | None, seconds: float) -> None:
        self.server = OpenAIServer.at(base_url, api_key)
        # No retries (a lost answer would be paid again and again), no redirects (they would carry the key along), and
        # nothing from the environment: proxies, organization and project are not settings of ours.
        self.client = openai.AsyncOpenAI(
            api_key=self.server.key,
            base_url=self.server.url,
            timeout=seconds,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(timeout=seconds, follow_redirects=False, trust_env=False),
        )
        self.client.organization = None
        self.client.project = None

    def problem(self, error: openai.OpenAIError, model: str | None) -> ProviderError:
        """Return our error for the library's."""
        if isinstance(error, openai.APIConnectionError):
            # Both httpx and httpx2 (which of them, the library's version decides) name them so.
            if any(type(cause).__name__ in ("ConnectError", "ConnectTimeout") for cause in _causes(error)):
                return self.server.unreachable()
            return self.server.late() if isinstance(error, openai.APITimeoutError) else self.server.cut()
        if not isinstance(error, openai.APIStatusError):
            return self.server.no_completion(str(error))
        code = str(error.code or error.type or "")
        retry_after = retry_after_seconds(error.response.headers, datetime.now(UTC))
        # The library's text begins with the status.
        return self.server.refusal(error.status_code, code, error.message, model, retry_after=retry_after)


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
