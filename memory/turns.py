"""How a version's turns with items ended, looked up for many items at once, and leases of workers that were lost."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from memory.tables import WorkRow
from memory.work import WorkState, release


class Turn(NamedTuple):
    """How far a version is with an item, since when, and of which text."""

    content_hash: str
    state: WorkState
    at: datetime
    reason: str
    detail: str


def turns_of(session: Session, version_id: int, item_ids: Sequence[str]) -> dict[str, Turn]:
    """Return the turns of these items, by id; an item that had none is left out."""
    query = select(WorkRow).where(WorkRow.version_id == version_id, col(WorkRow.item_id).in_(item_ids))
    rows = session.exec(query).all()
    session.expunge_all()
    return {row.item_id: _turn(row) for row in rows}


def free_leases(session: Session, version_id: int, workers: Collection[str]) -> int:
    """Give back what processes that are lost for certain had leased; return how many items.

    A process is named by its owner without what tells its runs apart (`memory.owners.Owner`).
    """
    leased = (col(WorkRow.version_id) == version_id, col(WorkRow.state) == WorkState.LEASED.value)
    owners = session.connection().execute(select_columns(col(WorkRow.owner)).where(*leased).distinct()).scalars().all()
    return sum(release(session, version_id, owner) for owner in owners if process_of(owner) in workers)


def process_of(owner: str) -> str:
    """Return what names an owner's process, whatever else it is at."""
    return owner.rpartition(":")[0]


def _turn(row: WorkRow) -> Turn:
    return Turn(row.content_hash, WorkState(row.state), row.at, row.reason, row.detail)
