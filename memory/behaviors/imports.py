"""Logs on their way into the knowledge base: read and packed first, so that storing takes one short transaction."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl
from sqlmodel import Session, col, select

from memory.behaviors.files import MOST_REASONS, BehaviorLog, shown_name
from memory.behaviors.segments import Segment, packed
from memory.behaviors.store import Added, add_segments
from memory.behaviors.tables import BehaviorImportRow
from memory.catalog_files.source import BadRow
from memory.record import Record


class Import(Record):
    """One addition of behaviours, as stored; `rows` counts what was added, also what was deleted since."""

    id: int
    origin: str
    clock: str
    rows: int
    rejected: int
    at: str  # ISO, UTC


@dataclass
class PackedLog:
    """All of a log, packed: about ten bytes a row."""

    segments: list[Segment] = field(default_factory=list)
    rows: int = 0
    rejected: int = 0
    reasons: list[BadRow] = field(default_factory=list)  # of the first rejected rows


def packed_log(log: BehaviorLog) -> PackedLog:
    """Return a log's behaviours as segments; no more than one segment's rows are in memory at a time."""
    found = PackedLog()
    found.segments = list(packed(_frames(log, found)))
    return found


def store_log(session: Session, log: BehaviorLog, found: PackedLog, content_hash: str) -> Added:
    """Store what was read of a log under the hash that it had before it was read."""
    return add_segments(
        session,
        found.segments,
        content_hash=content_hash,
        origin=shown_name(log.path),
        clock=log.clock,
        rejected=found.rejected,
    )


def imports(session: Session) -> list[Import]:
    """Return all additions of behaviours, oldest first."""
    rows = session.exec(select(BehaviorImportRow).order_by(col(BehaviorImportRow.id)))
    return [
        Import(
            id=row.id or 0,
            origin=row.origin,
            clock=row.clock,
            rows=row.rows,
            rejected=row.rejected,
            at=row.created_at.isoformat(),
        )
        for row in rows
    ]


def _frames(log: BehaviorLog, found: PackedLog) -> Iterator[pl.DataFrame]:
    for block in log.blocks():
        found.rows += len(block.frame)
        found.rejected += block.rejected
        found.reasons += block.reasons[: MOST_REASONS - len(found.reasons)]
        yield block.frame
