"""How requests travel to an OpenAI-compatible server: shared connections, bounded bodies, every failure by its name."""

import asyncio
import io
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime

import aiohttp

from agents.providers.base import ProviderUnavailable
from agents.providers.chat_envelope import NoCompletion, error_in
from agents.providers.openai_protocol import OpenAIServer
from agents.providers.retry_after import retry_after_seconds
from memory.version import VERSION

LARGEST_BODY = 8 * 1024 * 1024  # bytes, as sent and as unpacked
LARGEST_ERROR = 64 * 1024  # bytes of an error's body that are read
LARGEST_FILE = 4 * 1024**3  # bytes; it is read line by line and never held
LONG_LINE = 64 * 1024  # bytes that are kept of a line that is too long
SLOWEST_UPLOAD = 100_000  # bytes a second
CONNECT_SECONDS = 10.0
# Shorter than the 5 s after which common servers close an idle connection: a question sent into a connection that is
# being closed looks like a lost answer.
KEEP_ALIVE_SECONDS = 4.0
_UNPACKED = {"": None, "identity": None, "gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": 15}
_PIECE = 1024 * 1024  # bytes that are unpacked at a time


class OpenAIConnection:
    """Sends requests to one server; a status other than 200, and whatever else goes wrong, is a `ProviderError`."""

    def __init__(self, server: OpenAIServer, seconds: float) -> None:
        self.server = server
        self.seconds = seconds  # the longest that one request may take
        self._pool: _Pool | None = None  # who asks nothing keeps no connections open

    async def get(self, path: str) -> bytes:
        """Return the body that is found at the path."""
        async with asyncio.timeout(self.seconds), self._answered("GET", path) as response:
            return await _body(response)

    async def post(self, path: str, content: bytes, *, model: str | None = None) -> bytes:
        """Return the body of the answer to a JSON text; `model` is what a status 404 is about."""
        async with (
            asyncio.timeout(self.seconds),
            self._answered("POST", path, model, data=content, headers={"Content-Type": "application/json"}) as response,
        ):
            return await _body(response)

    async def upload(self, path: str, content: bytes, *, name: str, purpose: str) -> bytes:
        """Return the body of the answer to an uploaded file."""
        form = aiohttp.FormData({"purpose": purpose})
        form.add_field("file", io.BytesIO(content), filename=name, content_type="application/jsonl")
        async with (
            asyncio.timeout(self.seconds + len(content) / SLOWEST_UPLOAD),
            self._answered("POST", path, data=form) as response,
        ):
            return await _body(response)

    async def lines(self, path: str) -> AsyncIterator[bytes]:
        """Yield the lines of a file, empty ones left out; of a line above `LARGEST_BODY` its beginning.

        The server may take its time with the whole, but no longer than `seconds` without sending anything.
        """
        async with self._answered("GET", path, silence=self.seconds) as response:
            async for line in _lines(response):
                yield line

    @contextmanager
    def failures_named(self) -> Iterator[None]:
        """Turn what the client library and the readers of bodies raise into `ProviderError`."""
        try:
            yield
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise self.server.unreachable() from None
        except TimeoutError:
            raise self.server.timed_out(self.seconds) from None
        except aiohttp.InvalidURL:
            raise ProviderUnavailable(f"{self.server.url} is no address that can be called") from None
        except aiohttp.ClientResponseError as error:
            raise self.server.no_completion(f"broken HTTP: {error.message}") from None
        except aiohttp.ClientError:
            raise self.server.cut() from None
        except NoCompletion as error:
            failure = self.server.no_completion(str(error), maybe_paid=error.maybe_paid)
            failure.usage = error.usage
            raise failure from None

    async def leave(self) -> None:
        """Give the connections back; they are closed when nobody in the process needs them."""
        if self._pool is not None:
            await self._pool.leave()
            self._pool = None

    def _joined(self) -> "_Pool":
        if self._pool is None:
            self._pool = _Pool.of(self.server.url)
        return self._pool

    @asynccontextmanager
    async def _answered(
        self,
        method: str,
        path: str,
        model: str | None = None,
        *,
        data: bytes | aiohttp.FormData | None = None,
        headers: dict[str, str] | None = None,
        silence: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield the response of status 200; raises what any other status means, and after so many seconds' silence."""
        sent = {"Authorization": f"Bearer {self.server.key}"} | (headers or {})
        patience = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=silence)
        url, session = f"{self.server.url}{path}", self._joined().session()
        async with session.request(
            method, url, data=data, headers=sent, allow_redirects=False, timeout=patience
        ) as response:
            if response.status != 200:
                said = error_in(await _error_body(response))
                wait = retry_after_seconds(response.headers, datetime.now(UTC))
                text = f"{response.status} - {said.text}"
                raise self.server.refusal(response.status, said.code, text, model, retry_after=wait)
            yield response


class _Pool:
    """The connections to one server, shared by all who talk to it in an event loop, opened at the first request."""

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
        timeout=aiohttp.ClientTimeout(total=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity", "User-Agent": f"reaseq/{VERSION}"},
        auto_decompress=False,
        trust_env=False,
    )


async def _error_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the beginning of an error's body: its status says enough, should the body be cut or huge."""
    try:
        return await _body(response, LARGEST_ERROR)
    except (aiohttp.ClientPayloadError, NoCompletion):
        return b""


async def _body(response: aiohttp.ClientResponse, largest: int = LARGEST_BODY) -> bytes:
    """Return the unpacked body; raises `NoCompletion` as soon as it is larger than allowed, packed or unpacked."""
    body = bytearray()
    try:
        async for piece in _pieces(response, largest):
            body += piece
    except NoCompletion:
        body.clear()  # the error would hold it for as long as its question is tried again
        raise
    return bytes(body)


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    line, too_long = bytearray(), False
    async for piece in _pieces(response, LARGEST_FILE):
        *ends, rest = piece.split(b"\n")
        for end in ends:
            line += b"" if too_long else end
            if line.strip():
                yield bytes(line)
            line.clear()
            too_long = False
        line += b"" if too_long else rest
        if len(line) > LARGEST_BODY:
            del line[LONG_LINE:]
            too_long = True
    if line.strip():
        yield bytes(line)


async def _pieces(response: aiohttp.ClientResponse, largest: int) -> AsyncIterator[bytes]:
    """Yield the body as it comes, unpacked; raises `NoCompletion` where it is larger than allowed or cannot be read."""
    packing = response.headers.get("Content-Encoding", "").strip().lower()
    if packing not in _UNPACKED:
        raise NoCompletion(f"a body packed as {packing!r}, which was not asked for")
    bits = _UNPACKED[packing]
    unpacker = None if bits is None else zlib.decompressobj(bits)
    size = 0
    async for chunk in response.content.iter_any():
        for piece in [chunk] if unpacker is None else _unpacked(unpacker, chunk):
            size += len(piece)
            if size > largest:
                raise NoCompletion(f"a body of more than {largest:,} bytes")
            yield piece


def _unpacked(unpacker: "zlib._Decompress", chunk: bytes) -> Iterator[bytes]:
    """Yield what a chunk holds, a piece at a time: a small chunk may hold very much."""
    try:
        while chunk:
            yield unpacker.decompress(chunk, _PIECE)
            chunk = unpacker.unconsumed_tail
    except zlib.error as error:
        raise NoCompletion(f"a body that cannot be unpacked: {error}") from None
