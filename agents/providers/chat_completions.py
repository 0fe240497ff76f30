"""How models behind an OpenAI-compatible server answer through a thin client: one request, nothing hidden."""

import asyncio
import time
import zlib
from collections.abc import Mapping, Sequence
from copy import copy
from datetime import UTC, datetime
from typing import Self

import aiohttp
import orjson

from agents.providers.base import AnswerSchema, CallKey, Capabilities, Completion, ProviderUnavailable
from agents.providers.chat_envelope import NoCompletion, completion_in, error_in
from agents.providers.openai_protocol import OpenAIServer, response_format, temperature_of
from agents.providers.retry_after import retry_after_seconds
from memory.model_call import Message
from memory.version import VERSION

LARGEST_BODY = 8 * 1024 * 1024  # bytes, as sent and as unpacked
LARGEST_ERROR = 64 * 1024  # bytes of an error's body that are read
CONNECT_SECONDS = 10.0
# Shorter than the 5 s after which common servers close an idle connection: a question sent into a connection that is
# being closed looks like a lost answer.
KEEP_ALIVE_SECONDS = 4.0
_UNPACKED = {"": None, "identity": None, "gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": 15}


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
        self._model = model
        self._server = OpenAIServer.at(base_url, api_key)
        self._call_seconds = call_seconds
        self._max_tokens = max_tokens
        self._seed = seed
        self._pool = _Pool.of(self._server.url)
        self._closed = False

    @property
    def spec(self) -> str:
        """The spec, `openai:MODEL`."""
        return f"openai:{self._model}"

    @property
    def max_tokens(self) -> int:
        """The longest answer, in tokens."""
        return self._max_tokens

    @property
    def parameters(self) -> Mapping[str, str | int | float | None]:
        """What shapes the answers besides the messages; which server it is does."""
        return {
            "temperature": temperature_of(self._model),
            "seed": self._seed,
            "max_tokens": self._max_tokens,
            "server": self._server.url,
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
        question = self._question(messages, schema)
        try:
            async with asyncio.timeout(self._call_seconds):
                body = await self._answer(question)
            return completion_in(body, messages=messages, model=self._model, started=started)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise self._server.unreachable() from None
        except TimeoutError:
            raise self._server.timed_out(self._call_seconds) from None
        except aiohttp.InvalidURL:
            raise ProviderUnavailable(f"{self._server.url} is no address that can be called") from None
        except aiohttp.ClientResponseError as error:
            raise self._server.no_completion(f"broken HTTP: {error.message}") from None
        except aiohttp.ClientError:
            raise self._server.cut() from None
        except NoCompletion as error:
            failure = self._server.no_completion(str(error), maybe_paid=error.maybe_paid)
            failure.usage = error.usage
            raise failure from None

    async def aclose(self) -> None:
        """Give the connections back; they are closed when no model of the process needs them."""
        if not self._closed:
            self._closed = True
            await self._pool.leave()

    def _question(self, messages: Sequence[Message], schema: AnswerSchema) -> bytes:
        question: dict[str, object] = {
            "model": self._model,
            "messages": [{"role": message.role, "content": _sendable(message.content)} for message in messages],
            "response_format": response_format(schema),
            "max_completion_tokens": self._max_tokens,
            "seed": self._seed,
        }
        if (temperature := temperature_of(self._model)) is not None:
            question["temperature"] = temperature
        return orjson.dumps(question)

    async def _answer(self, question: bytes) -> bytes:
        """Return the body of a status 200; raises what any other status means."""
        headers = {"Authorization": f"Bearer {self._server.key}", "Content-Type": "application/json"}
        url, session = f"{self._server.url}/chat/completions", self._pool.session()
        async with session.post(url, data=question, headers=headers, allow_redirects=False) as response:
            if response.status == 200:
                return await _body(response)
            said = error_in(await _error_body(response))
            wait = retry_after_seconds(response.headers, datetime.now(UTC))
            text = f"{response.status} - {said.text}"
            raise self._server.refusal(response.status, said.code, text, self._model, retry_after=wait)


class _Pool:
    """The connections to one server, shared by all models of an event loop, opened at the first call."""

    _pools: "dict[str, _Pool]" = {}  # noqa: RUF012 - filled at run time, on purpose for the process

    def __init__(self, url: str) -> None:
        self._url = url
        self._members = 0
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}

    @classmethod
    def of(cls, url: str) -> "_Pool":
        """Return the server's pool, with one member more."""
        pool = cls._pools.setdefault(url, cls(url))
        pool._members += 1
        return pool

    def session(self) -> aiohttp.ClientSession:
        """Return the session of the running loop."""
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None or session.closed:
            session = self._sessions[loop] = _session()
        return session

    async def leave(self) -> None:
        """Close the connections of this loop with the last member."""
        self._members -= 1
        if self._members > 0:
            return
        self._pools.pop(self._url, None)
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()


def _session() -> aiohttp.ClientSession:
    """Return a session that takes nothing from the environment and unpacks nothing by itself."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity", "User-Agent": f"reaseq/{VERSION}"},
        auto_decompress=False,
        trust_env=False,
    )


def _sendable(text: str) -> str:
    """Return the text as valid Unicode: a lone surrogate cannot be sent."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


async def _error_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the beginning of an error's body: its status says enough, should the body be cut or huge."""
    try:
        return await _body(response, LARGEST_ERROR)
    except (aiohttp.ClientPayloadError, NoCompletion):
        return b""


async def _body(response: aiohttp.ClientResponse, largest: int = LARGEST_BODY) -> bytes:
    """Return the unpacked body; raises `NoCompletion` as soon as it is larger than allowed, packed or unpacked."""
    packing = response.headers.get("Content-Encoding", "").strip().lower()
    if packing not in _UNPACKED:
        raise NoCompletion(f"a body packed as {packing!r}, which was not asked for")
    bits = _UNPACKED[packing]
    unpacker = None if bits is None else zlib.decompressobj(bits)
    body = bytearray()
    async for chunk in response.content.iter_any():
        try:
            # One byte more than fits is asked for, so that what is too large is noticed.
            body += unpacker.decompress(chunk, largest - len(body) + 1) if unpacker else chunk
        except zlib.error as error:
            raise NoCompletion(f"a body that cannot be unpacked: {error}") from None
        if len(body) > largest:
            body.clear()  # the error would hold it for as long as its question is tried again
            raise NoCompletion(f"a body of more than {largest:,} bytes")
    return bytes(body)
