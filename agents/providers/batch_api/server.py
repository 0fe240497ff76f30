"""A server's batch API: files up and down, batches made, looked at and found again; each request tried on its own."""

import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import orjson
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from agents.providers.base import CallFailed, FailureKind, ProviderError, ProviderUnavailable
from agents.providers.batch_api.pace import BatchPace
from agents.providers.batch_api.wire import ENDPOINT, BatchState, LineResult, batch_in, file_in, page_in
from agents.providers.clock import Clock
from agents.providers.openai_connection import OpenAIConnection
from agents.providers.openai_protocol import NothingThere

T = TypeVar("T")
MOST_PAGES = 50  # of a server's list of batches
PAGE = 100
CLOCKS_APART = 3600.0  # seconds that our clock and the server's may differ by
TRANSIENT = frozenset(
    {
        FailureKind.LOST,
        FailureKind.OVERLOADED,
        FailureKind.PROTOCOL,
        FailureKind.RATE_LIMITED,
        FailureKind.TIMEOUT,
        FailureKind.UNREACHABLE,
    }
)
logger = logging.getLogger(__name__)


class BatchServer:
    """The batch API of one server for one model.

    What the server's own trouble ends is tried again; what is left in the end is a `ProviderError` that stops the run,
    for the next question would meet the same.
    """

    def __init__(self, connection: OpenAIConnection, model: str, pace: BatchPace, clock: Clock) -> None:
        self._connection, self._model = connection, model
        self._pace, self._clock = pace, clock
        self._lists = True  # whether it can list its batches

    async def upload(self, content: bytes) -> str:
        """Upload the lines of a batch; return the file's id."""

        async def once() -> str:
            return file_in(await self._connection.upload("/files", content, name="reaseq.jsonl", purpose="batch"))

        return await self._made(once)

    async def submit(self, file: str, token: str, since: float) -> BatchState:
        """Make a batch of an uploaded file; one that a lost answer has hidden from us is found by its token."""
        wanted = {
            "input_file_id": file,
            "endpoint": ENDPOINT,
            "completion_window": "24h",
            "metadata": {"reaseq": token},
        }
        tried = False

        async def once() -> BatchState:
            nonlocal tried
            found = await self._found(token, since) if tried else None
            tried = True
            return found or batch_in(await self._connection.post("/batches", orjson.dumps(wanted)))

        return await self._made(once)

    async def look(self, batch_id: str) -> BatchState:
        """Return what the server says of a batch; raises `NothingThere`."""

        async def once() -> BatchState:
            return batch_in(await self._connection.get(f"/batches/{batch_id}"))

        return await self._insisted(once)

    async def find(self, token: str, since: float) -> BatchState | None:
        """Return the batch with our token, made after that moment (seconds since 1970), or None.

        A server that cannot list its batches has none that could be found, which is logged.
        """
        return await self._insisted(lambda: self._found(token, since))

    async def read(self, file: str, take: Callable[[AsyncIterator[bytes]], Awaitable[None]]) -> None:
        """Let `take` read a file's lines, from the start again where it was cut off; raises `NothingThere`."""
        await self._insisted(lambda: take(self._connection.lines(f"/files/{file}/content")))

    def refusal(self, result: LineResult) -> ProviderError:
        """Return the error for a line whose status is no 200."""
        said, server = result.said, self._connection.server
        if result.status is None:
            return CallFailed(f"{server.url} did not ask it: {server.detail(said.text)}", kind=FailureKind.OVERLOADED)
        return server.refusal(result.status, said.code, f"{result.status} - {said.text}", self._model)

    def refused(self, state: BatchState) -> ProviderUnavailable:
        """Return the error for a batch of which nothing was asked."""
        said, server = state.problem, self._connection.server
        advice = "; a smaller --concurrency makes smaller batches" if "token_limit" in said.code else ""
        text = server.detail(f"{said.code}: {said.text}")
        return ProviderUnavailable(f"{server.url} refused batch {state.id} as a whole: {text}{advice}")

    async def _found(self, token: str, since: float) -> BatchState | None:
        after = ""
        for _ in range(MOST_PAGES):
            try:
                page = page_in(await self._connection.get(f"/batches?limit={PAGE}{after}"))
            except NothingThere as error:
                if self._lists:
                    logger.warning("%s; it lists no batches: what was being submitted may be submitted twice", error)
                self._lists = False
                return None
            for batch in page.batches:
                if batch.token == token:
                    return batch
            if not page.more or 0 < page.batches[-1].created_at < since - CLOCKS_APART:
                return None
            after = f"&after={page.batches[-1].id}"
        return None

    async def _made(self, work: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self._insisted(work)
        except NothingThere as error:
            text = f"{error}: does it have a batch API? If not, leave --provider-batch out"
            raise ProviderUnavailable(text) from None

    async def _insisted(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, and again while the server's own trouble ends it and the tries last."""
        retrying = AsyncRetrying(
            retry=retry_if_exception(_transient),
            wait=self._wait,
            stop=stop_after_attempt(self._pace.tries),
            sleep=self._clock.sleep,
            reraise=True,
        )

        async def once() -> T:
            with self._connection.failures_named():
                return await work()

        try:
            return await retrying(once)
        except NothingThere:
            raise
        except CallFailed as error:
            raise ProviderUnavailable(f"{error}; the same command resumes where this run stopped") from None

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, CallFailed) and error.retry_after else 0.0
        longest = min(self._pace.longest_pause, 0.5 * 2.0 ** min(state.attempt_number - 1, 30))
        return max(min(asked, self._pace.longest_pause), longest * random.uniform(0.5, 1.0))  # noqa: S311


def _transient(error: BaseException) -> bool:
    return isinstance(error, CallFailed) and error.kind in TRANSIENT
