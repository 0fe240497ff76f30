"""The way of one submission: up to the provider, watched until it is over, its answers kept and handed out."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from agents.providers.base import CallFailed, FailureKind, ProviderError
from agents.providers.batch_api.pace import BatchPace
from agents.providers.batch_api.server import BatchServer
from agents.providers.batch_api.wire import BatchState, question_of, result_in
from agents.providers.chat_envelope import NoCompletion
from agents.providers.clock import Clock
from agents.providers.openai_protocol import NothingThere
from memory.batch_shelf import AskedQuestion, ShelvedQuestion, Submission
from memory.errors import ReaseqError

ANOTHER_BATCH = frozenset({FailureKind.RATE_LIMITED, FailureKind.OVERLOADED, FailureKind.TIMEOUT})
KEPT_TOGETHER = 256  # lines
KEPT_BYTES = 4_000_000
LEASE_LOOK = 2.0  # seconds between two looks whether a submission that another process began has been made
logger = logging.getLogger(__name__)


class Shelf(Protocol):
    """Remembers what was handed to the provider (`memory.batch_shelf`); what it has stored outlives the process."""

    def look(self, question: str) -> ShelvedQuestion | None:
        """Return a question that is under way or answered, or None."""

    def submission(self, token: str) -> Submission | None:
        """Return a submission that has questions here, or None."""

    def lease_ended(self, submission: Submission) -> bool:
        """Return whether nobody can be at submitting it any more."""

    async def prepare(self, token: str, asked: Iterable[AskedQuestion], lease_seconds: float) -> set[str]:
        """Store what is about to be submitted; return the questions that are this submission's to ask."""

    async def renew(self, token: str, lease_seconds: float) -> None:
        """Say how long from now this process may be at submitting it."""

    async def submitted(self, token: str, batch_id: str) -> None:
        """Store the provider's name for a batch."""

    async def keep(self, token: str, results: Mapping[str, str]) -> None:
        """Store results by question."""

    async def settle(self, token: str) -> None:
        """Note that nothing more will come of a submission."""

    async def drop(self, token: str, question: str) -> None:
        """Take a question off the shelf."""

    async def tidy(self) -> None:
        """Take off the shelf what nobody needs."""


class Recipient(Protocol):
    """Hears of a submission."""

    def progressed(self, token: str, state: BatchState) -> None:
        """Hear how far it is."""

    def answered(self, token: str, results: Mapping[str, str]) -> None:
        """Hear of results by question, each of them on the shelf."""

    def put_off(self, token: str, question: str, error: ProviderError) -> None:
        """Hear why a question has to go into another batch."""


class BatchCourier:
    """Takes submissions to one server and brings their answers back; what it may lose by a kill is on the shelf."""

    def __init__(self, server: BatchServer, shelf: Shelf, pace: BatchPace, clock: Clock) -> None:
        self._server, self._shelf = server, shelf
        self._pace, self._clock = pace, clock

    async def upload(self, token: str, content: bytes) -> str:
        """Bring the lines of a prepared submission to the server; one that ends here was never submitted."""
        uploaded = False
        try:
            async with self._leased(token):
                file = await self._server.upload(content)
            await self._clock.sleep(0)  # ends here if the run is to stop
            uploaded = True
        finally:
            if not uploaded:
                await self._shelf.settle(token)
        return file

    async def submit(self, token: str, file: str) -> None:
        """Have the batch made; where that fails the server may have it all the same, and the next run looks for it."""
        submission = self._shelf.submission(token)
        since = submission.created_at.timestamp() if submission else 0.0
        try:
            async with self._leased(token):
                state = await self._server.submit(file, token, since)
        except ReaseqError:
            await self._shelf.renew(token, 0.0)
            raise
        await self._shelf.submitted(token, state.id)

    async def follow(self, token: str, recipient: Recipient) -> None:
        """Watch a submission to its end and hand its answers out; raises where it was refused as a whole."""
        state = await self._found(token)
        if state is not None:
            state = await self._over(token, state, recipient)
        if state is not None:
            for file in state.files:
                await self._fetched(token, file, recipient)
        await self._shelf.settle(token)
        if state is not None and state.refused:
            raise self._server.refused(state)

    async def _found(self, token: str) -> BatchState | None:
        """Return the batch of a submission, which a process may have died over or still be at; None: no batch."""
        while (submission := self._shelf.submission(token)) is not None:
            if submission.batch_id is not None:
                return await self._looked(submission.batch_id)
            nobody_is_at_it = self._shelf.lease_ended(submission)
            state = await self._server.find(token, submission.created_at.timestamp())
            if state is not None:
                await self._shelf.submitted(token, state.id)
                return state
            if nobody_is_at_it:
                return None
            await self._clock.sleep(LEASE_LOOK)
        return None

    async def _over(self, token: str, state: BatchState | None, recipient: Recipient) -> BatchState | None:
        wait = self._pace.first_look
        while state is not None:
            recipient.progressed(token, state)
            if state.over:
                return state
            await self._clock.sleep(wait)
            wait = min(self._pace.longest_look, wait * self._pace.look_growth)
            state = await self._looked(state.id)
        return None

    async def _looked(self, batch_id: str) -> BatchState | None:
        try:
            return await self._server.look(batch_id)
        except NothingThere as error:
            logger.warning("batch %s is gone, what was not answered is asked anew: %s", batch_id, error)
            return None

    async def _fetched(self, token: str, file: str, recipient: Recipient) -> None:
        async def take(lines: AsyncIterator[bytes]) -> None:
            kept: dict[str, str] = {}
            async for line in lines:
                question = question_of(line, token)
                if question is None:
                    continue
                if (error := self._putting_off(line)) is not None:
                    recipient.put_off(token, question, error)
                    continue
                kept[question] = line.decode("utf-8", "replace")
                if len(kept) >= KEPT_TOGETHER or sum(map(len, kept.values())) > KEPT_BYTES:
                    await self._handed_out(token, kept, recipient)
            await self._handed_out(token, kept, recipient)

        try:
            await self._server.read(file, take)
        except NothingThere as error:
            logger.warning("file %s is gone, what was not answered is asked anew: %s", file, error)

    async def _handed_out(self, token: str, results: dict[str, str], recipient: Recipient) -> None:
        await self._shelf.keep(token, results)
        recipient.answered(token, results)
        results.clear()

    def _putting_off(self, line: bytes) -> ProviderError | None:
        """Return why the question should be asked in another batch; None where the line is to be handed out."""
        try:
            result = result_in(line)
        except NoCompletion:
            return None
        if result.status == 200:
            return None
        error = self._server.refusal(result)
        return error if isinstance(error, CallFailed) and error.kind in ANOTHER_BATCH else None

    @asynccontextmanager
    async def _leased(self, token: str) -> AsyncIterator[None]:
        """Say meanwhile that this process is at it."""

        async def keep() -> None:
            while True:
                await asyncio.sleep(self._pace.lease_seconds / 3)
                await self._shelf.renew(token, self._pace.lease_seconds)

        keeping = asyncio.create_task(keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
