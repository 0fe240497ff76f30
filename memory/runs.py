"""The runs of catalogs through the graph: with which settings, how they ended, and what they cost."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import JsonValue
from sqlalchemy import Select, func, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, case, col, select

from memory.model_call import Usage
from memory.owners import has_ended
from memory.record import Record
from memory.rows import now
from memory.shown_url import MASK, shown_url
from memory.tables import ModelCallRow, RunRow

_SECRET = re.compile("key|secret|token|password|credential", re.IGNORECASE)
_USERINFO = re.compile("(?<=://)[^/?#\\s]*@")


class RunState(StrEnum):
    """How far a run is."""

    RUNNING = "running"
    KILLED = "killed"  # its process has ended and could not say how: the same command goes on
    FINISHED = "finished"  # every row has ended
    STOPPED = "stopped"  # by the user, the budget or a limit: the same command goes on
    FAILED = "failed"  # what failed would have failed for every row


class RunCounts(Record):
    """Where a run's rows ended; together they are all rows that it has read and seen the end of."""

    enriched: int = 0
    failed: int = 0
    rejected: int = 0
    skipped: int = 0  # done before this run


class Run(Record):
    """One run; what it cost is the sum over its calls in the ledger."""

    id: int
    version_id: int | None  # None: the version was pruned
    catalog: str
    settings: Mapping[str, JsonValue]
    state: RunState
    started_at: datetime
    ended_at: datetime | None
    reason: str
    counts: RunCounts
    calls: int
    lost: int  # calls that were paid for, but whose answer never came whole
    usage: Usage
    cost: Decimal  # of the calls whose price is known
    unpriced: int  # calls whose price is not


class UnknownRun(KeyError):
    """There is no run of that number."""


def start_run(
    session: Session, version_id: int, catalog: str, settings: Mapping[str, JsonValue], owner: str = ""
) -> int:
    """Store that a run begins, with its settings; secrets among them are masked. Return the run's number.

    `owner` is the process that runs it (`memory.owners`).
    """
    row = RunRow(
        version_id=version_id,
        catalog=catalog,
        settings=dict(masked(settings)),
        state=RunState.RUNNING.value,
        started_at=now(),
        owner=owner,
    )
    session.add(row)
    session.flush()
    return row.id or 0


def update_run(session: Session, run_id: int, counts: RunCounts) -> None:
    """Store how far a run is; raises `UnknownRun`."""
    _change(session, run_id, **counts.model_dump())


def end_run(session: Session, run_id: int, state: RunState, counts: RunCounts, reason: str = "") -> None:
    """Store how a run ended, and why if not well; raises `UnknownRun`."""
    _change(session, run_id, **counts.model_dump(), state=state.value, ended_at=now(), reason=reason)


def versions_at_work(session: Session) -> set[int]:
    """Return the versions in which a run is at work."""
    running = session.exec(select(RunRow).where(RunRow.state == RunState.RUNNING))
    return {row.version_id for row in running if row.version_id is not None and _state(row) is RunState.RUNNING}


def runs(session: Session, *, limit: int | None = None) -> list[Run]:
    """Return the runs, newest first, at most `limit` of them."""
    rows = session.exec(select(RunRow).order_by(col(RunRow.id).desc()).limit(limit)).all()
    return [_run(session, row) for row in rows]


def run_of(session: Session, run_id: int) -> Run:
    """Return one run; raises `UnknownRun`."""
    row = session.get(RunRow, run_id)
    if row is None:
        raise UnknownRun(run_id)
    return _run(session, row)


def masked(settings: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """Return settings with a mask in place of texts that are named like secrets, and of user names in addresses."""
    return {name: _masked(name, value) for name, value in settings.items()}


def _masked(name: str, value: JsonValue) -> JsonValue:
    match value:
        case str():
            return MASK if value and _SECRET.search(name) else shown_url(_USERINFO.sub(f"{MASK}@", value))
        case dict():
            return dict(masked(value))
        case list():
            return [_masked(name, part) for part in value]
    return value


def _change(session: Session, run_id: int, **values: object) -> None:
    changed = session.connection().execute(update(RunRow).where(col(RunRow.id) == run_id).values(**values))
    if changed.rowcount == 0:
        raise UnknownRun(run_id)


def _run(session: Session, row: RunRow) -> Run:
    told = session.connection().execute(_sums().where(col(ModelCallRow.run_id) == row.id)).one()
    usage = {"prompt_tokens": told.prompt_tokens or 0, "completion_tokens": told.completion_tokens or 0}
    content = {name: getattr(row, name) for name in Run.model_fields if name in RunRow.model_fields}
    return Run.model_validate(
        content
        | {
            "state": _state(row),
            "counts": {name: getattr(row, name) for name in RunCounts.model_fields},
            "calls": told.calls,
            "lost": told.lost or 0,
            "usage": usage | {"estimated": bool(told.estimated)},
            "cost": told.cost or Decimal(0),
            "unpriced": told.calls - told.priced,
        }
    )


def _state(row: RunRow) -> RunState:
    stored = RunState(row.state)
    return RunState.KILLED if stored is RunState.RUNNING and has_ended(row.owner) else stored


def _sums() -> Select[*tuple[Any, ...]]:
    """Return the query for what the calls of the ledger add up to."""
    lost = case((col(ModelCallRow.outcome) == "paid_lost", 1), else_=0)
    estimated = case((col(ModelCallRow.usage_estimated), 1), else_=0)
    return select_columns(
        func.count().label("calls"),
        func.count(col(ModelCallRow.cost)).label("priced"),
        func.sum(col(ModelCallRow.prompt_tokens)).label("prompt_tokens"),
        func.sum(col(ModelCallRow.completion_tokens)).label("completion_tokens"),
        func.sum(estimated).label("estimated"),
        func.sum(lost).label("lost"),
        func.sum(col(ModelCallRow.cost)).label("cost"),
    )
