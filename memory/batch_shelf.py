"""What was handed to a provider in batches: questions under way, and answers that are not in the ledger yet.

A submission is stored before it is made, and each answer before anybody reads it. Its question leaves the shelf when
the ledger has the answer, or when the batch ended without one.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, func, insert, or_, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from memory.concurrent_rows import take_turn
from memory.database import Database
from memory.ledger import Ledger
from memory.owners import Owner, has_ended
from memory.record import Record
from memory.rows import now
from memory.tables import BatchQuestionRow, BatchSubmissionRow, ModelCallRow

KEPT_DAYS = 30  # as long as OpenAI keeps the files of a batch
_AT_ONCE = 500  # questions in one statement

_question, _submission, _call = BatchQuestionRow, BatchSubmissionRow, ModelCallRow


class AskedQuestion(Record):
    """A question about to be submitted."""

    question: str  # a hash of all that is sent, and of the round
    key: str  # of the ledger


class ShelvedQuestion(Record):
    """A question on the shelf."""

    token: str  # of its submission
    result: str | None  # the line that the provider gave; None: under way


class Submission(Record):
    """A batch that was submitted, or was about to be."""

    token: str
    batch_id: str | None  # None: nobody knows yet whether the provider has it
    owner: str  # who submits it
    lease_until: float  # until then the owner may be at it
    created_at: datetime


class BatchShelf:
    """The shelf of one model at one server, for the ledger's run; a run that begins afresh sees what it put there."""

    def __init__(
        self, database: Database, ledger: Ledger, *, server: str, model: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._owner = str(Owner.present())
        self._database, self._ledger = database, ledger
        self._server, self._model = server, model
        self._clock = clock

    def look(self, question: str) -> ShelvedQuestion | None:
        """Return a question that is under way or answered, or None."""
        query = (
            select_columns(col(_question.token), col(_question.result))
            .join(_submission, col(_submission.token) == col(_question.token))
            .where(col(_question.question) == bindparam("question"), *self._mine)
            .order_by(col(_question.result).is_(None), col(_submission.created_at).desc())
            .limit(1)
        )
        row = self._database.first(query, {"question": question})
        return None if row is None else ShelvedQuestion(token=row.token, result=row.result)

    def submission(self, token: str) -> Submission | None:
        """Return a submission that has questions on the shelf, or None."""
        with self._database.session() as session:
            row = session.get(BatchSubmissionRow, token)
            return None if row is None else Submission(**{n: getattr(row, n) for n in Submission.model_fields})

    def lease_ended(self, submission: Submission) -> bool:
        """Return whether nobody can be at submitting it any more."""
        return submission.lease_until <= self._clock() or has_ended(submission.owner)

    async def prepare(self, token: str, asked: Iterable[AskedQuestion], lease_seconds: float) -> set[str]:
        """Store what is about to be submitted; return the questions that are this submission's to ask.

        Those that are answered already, or under way in another submission, of this process or another, are not.
        """
        wanted = {one.question: one for one in asked}
        until = self._clock() + lease_seconds

        def work(session: Session) -> set[str]:
            take_turn(session, "batch shelf")  # two who look at once would both see that nobody asks
            taken = self._on_the_shelf(session, wanted)
            mine = [one for one in wanted.values() if one.question not in taken]
            if mine:
                self._insert(session, token, mine, until)
            return {one.question for one in mine}

        return await self._ledger.write(work)

    async def renew(self, token: str, lease_seconds: float) -> None:
        """Say that this process is still at submitting it."""
        await self._change(token, lease_until=self._clock() + lease_seconds)

    async def submitted(self, token: str, batch_id: str) -> None:
        """Store the provider's name for a batch."""
        await self._change(token, batch_id=batch_id, lease_until=0.0)

    async def keep(self, token: str, results: Mapping[str, str]) -> None:
        """Store results by question, as the provider gave them; what was stored before stays."""
        rows = [{"of": question, "line": line} for question, line in results.items()]
        change = (
            update(_question)
            .where(col(_question.token) == token, col(_question.question) == bindparam("of"))
            .where(col(_question.result).is_(None))
            .values(result=bindparam("line"))
        )
        if rows:
            await self._ledger.write(lambda session: _run(session.connection().execute, change, rows))

    async def settle(self, token: str) -> None:
        """Note that nothing more will come of a submission: its unanswered questions may be asked again."""
        unanswered = delete(_question).where(col(_question.token) == token, col(_question.result).is_(None))

        def work(session: Session) -> None:
            session.connection().execute(unanswered)
            self._tidied(session)

        await self._ledger.write(work)

    async def drop(self, token: str, question: str) -> None:
        """Take a question off the shelf: its result is of no use to anybody."""
        row = delete(_question).where(col(_question.token) == token, col(_question.question) == question)
        await self._ledger.write(lambda session: _run(session.connection().execute, row))

    async def tidy(self) -> None:
        """Take off the shelf what the ledger has, and what is so old that the provider has it no more."""
        await self._ledger.write(self._tidied)

    @property
    def _mine(self) -> list[ColumnElement[bool]]:
        mine = [col(_submission.server) == self._server, col(_submission.model) == self._model]
        return [*mine, col(_submission.run_id) == self._ledger.run_id] if self._ledger.fresh else mine

    def _on_the_shelf(self, session: Session, questions: Iterable[str]) -> set[str]:
        ids = list(questions)
        found: set[str] = set()
        for start in range(0, len(ids), _AT_ONCE):
            some = col(_question.question).in_(ids[start : start + _AT_ONCE])
            query = select(_question.question).join(_submission, col(_submission.token) == col(_question.token))
            found.update(session.exec(query.where(some, *self._mine)))
        return found

    def _insert(self, session: Session, token: str, asked: list[AskedQuestion], lease_until: float) -> None:
        since = session.exec(select(func.max(_call.id))).one() or 0
        whose = {"server": self._server, "model": self._model, "run_id": self._ledger.run_id, "owner": self._owner}
        submission = {"token": token, "lease_until": lease_until, "created_at": now(), **whose}
        session.execute(insert(_submission), [submission])
        session.execute(insert(_question), [one.model_dump() | {"token": token, "since": since} for one in asked])

    async def _change(self, token: str, **values: object) -> None:
        change = update(_submission).where(col(_submission.token) == token).values(**values)
        await self._ledger.write(lambda session: _run(session.connection().execute, change))

    def _tidied(self, session: Session) -> None:
        """Delete what nobody needs; what was put here for an answer that the ledger had already waits for a newer."""
        newer = and_(col(_call.outcome) == "answered", col(_call.id) > col(_question.since))
        in_ledger = exists().where(col(_call.key) == col(_question.key), newer)
        session.connection().execute(delete(_question).where(col(_question.result).is_not(None), in_ledger))
        emptied = ~exists().where(col(_question.token) == col(_submission.token))
        old = col(_submission.created_at) < now() - timedelta(days=KEPT_DAYS)
        session.connection().execute(delete(_submission).where(or_(emptied, old)))


def _run(execute: Callable[..., object], *arguments: object) -> None:
    """Run a statement whose result nobody needs."""
    execute(*arguments)
