"""Every call of a model with its raw answer, stored as it came, before anything is parsed, and found by its key."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Self, TypeVar

from sqlalchemy import Row as StoredRow
from sqlalchemy import bindparam, insert
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from memory.column_types import escaped, unescaped
from memory.database import Database
from memory.group_commit import GroupWriter, Together
from memory.model_call import Message, ModelCall, Usage, call_key
from memory.probe import Probe
from memory.record import Record
from memory.rows import Row, now
from memory.tables import TABLES, ModelCallRow

__all__ = ["Ledger", "Spend", "call_key", "calls_of", "record_call"]

A = TypeVar("A")
T = TypeVar("T")
_APART = {"messages", "usage"}  # fields that are no column of their own name
_ANSWER = (
    select_columns(TABLES.tables["model_call"])
    .where(col(ModelCallRow.key) == bindparam("key"), col(ModelCallRow.outcome) == "answered")
    .order_by(col(ModelCallRow.id).desc())
    .limit(1)
)
_IS_KEPT = select_columns(col(ModelCallRow.id)).where(col(ModelCallRow.key) == bindparam("key"))
_INSERT = insert(TABLES.tables["model_call"])
_OWN_ANSWER = _ANSWER.where(col(ModelCallRow.run_id) == bindparam("run_id"))


class Spend(Record):
    """What a run has paid since it started, and what it did not have to pay again."""

    calls: int = 0
    usage: Usage = Usage()
    cost: Decimal = Decimal(0)  # of the calls whose price is known
    unpriced: int = 0  # calls whose price is not
    replayed: int = 0  # answers taken from the ledger
    replayed_usage: Usage = Usage()

    def with_call(self, call: ModelCall) -> "Spend":
        """Return the spend with one more call."""
        return self.model_copy(
            update={
                "calls": self.calls + 1,
                "usage": self.usage + call.usage,
                "cost": self.cost + (call.cost or 0),
                "unpriced": self.unpriced + (call.cost is None),
            }
        )

    def with_replay(self, call: ModelCall) -> "Spend":
        """Return the spend with one more answer that was there already."""
        return self.model_copy(
            update={"replayed": self.replayed + 1, "replayed_usage": self.replayed_usage + call.usage}
        )


class Ledger:
    """The journal of a run: keeps each call before it is parsed, and gives durable answers back instead of new calls.

    All writes of the run go through its one writer, which commits together what waits. Use it as an asynchronous
    context manager, or end it with `close`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = GroupWriter(database)
        self._kept = Probe(database, _IS_KEPT, "key")  # most calls are not, and recalling costs several times as much
        self.begin_run(None)

    def begin_run(self, run_id: int | None, *, fresh: bool = False) -> None:
        """Count what is recorded from now on as this run's; with `fresh`, recall nothing of other runs."""
        self._run_id = run_id
        self._fresh = fresh
        self.spend = Spend()

    @property
    def run_id(self) -> int | None:
        """The run that is counted."""
        return self._run_id

    @property
    def fresh(self) -> bool:
        """Whether nothing of other runs is recalled."""
        return self._fresh

    async def record(self, call: ModelCall) -> None:
        """Store one call; it is durable when this returns, and stored even if the caller is cancelled meanwhile."""
        if call.run_id is None:
            call = call.model_copy(update={"run_id": self._run_id})
        await self._writer.write_together(_insert, call)
        self.spend = self.spend.with_call(call)

    __call__ = record

    def recall(self, key: str) -> ModelCall | None:
        """Return the newest durable answer to a call of this key, or None."""
        if not self._kept.finds(key):
            return None
        query = _OWN_ANSWER if self._fresh else _ANSWER
        row = self._database.first(query, {"key": key, "run_id": self._run_id})
        call = None if row is None else _call(row)
        if call is not None:
            self.spend = self.spend.with_replay(call)
        return call

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run any other write in a transaction, and return its result once that is durable (`GroupWriter.write`)."""
        return await self._writer.write(work)

    async def write_together(self, work: Together[A, T], argument: A) -> T:
        """Run a write together with all that wait and are of its kind (`GroupWriter.write_together`)."""
        return await self._writer.write_together(work, argument)

    async def flush(self) -> None:
        """Return when all that was handed over before is durable."""
        await self._writer.write(lambda _: None)

    async def close(self) -> None:
        """Store what waits, and end; nothing can be recorded after."""
        await self._writer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def record_call(session: Session, call: ModelCall) -> None:
    """Store one call; it is durable once the caller has committed.

    NUL and lone surrogates in messages and answers are escaped in the database and come back as they were
    (`memory.column_types.escaped`).
    """
    _insert(session, [call])


def calls_of(session: Session, item_id: str) -> Iterator[ModelCall]:
    """Yield the calls made for an item (or for a category's template, by the category's id), in the order stored."""
    query = select(ModelCallRow).where(ModelCallRow.item_id == item_id).order_by(col(ModelCallRow.id))
    yield from map(_call, session.exec(query))


def _insert(session: Session, calls: Sequence[ModelCall]) -> Sequence[None]:
    session.connection().execute(_INSERT, [_row(call) for call in calls])
    return [None] * len(calls)


def _row(call: ModelCall) -> Row:
    return call.model_dump(exclude=_APART) | {
        "messages": [[message.role, escaped(message.content)] for message in call.messages],
        "prompt_tokens": call.usage.prompt_tokens,
        "completion_tokens": call.usage.completion_tokens,
        "usage_estimated": call.usage.estimated,
        "created_at": now(),
    }


def _call(row: ModelCallRow | StoredRow[*tuple[Any, ...]]) -> ModelCall:
    content = {name: getattr(row, name) for name in ModelCall.model_fields if name not in _APART}
    messages = [{"role": role, "content": unescaped(content)} for role, content in row.messages]
    usage = Usage(
        prompt_tokens=row.prompt_tokens, completion_tokens=row.completion_tokens, estimated=row.usage_estimated
    )
    return ModelCall.model_validate(
        content | {"messages": tuple(Message.model_validate(m) for m in messages), "usage": usage}
    )
