"""Small segments become larger ones: behaviours that come a few users at a time would else lie in thousands of pieces.

Only segments of one source and one model are joined, so that nobody's behaviours are said to be another model's.
"""

from collections import defaultdict
from collections.abc import Sequence

import polars as pl
from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from memory.behaviors.schema import COLUMNS, Source
from memory.behaviors.segments import Segment, packed, unpacked
from memory.behaviors.store import insert_segment
from memory.behaviors.tables import BehaviorImportRow, BehaviorSegmentRow

MANY = 16  # small segments that are joined
SMALL = 100_000  # rows


def join_segments(session: Session, source: Source) -> None:
    """Join the small segments of a source where a model has many; they become those of the first one's import."""
    small: defaultdict[str | None, list[int]] = defaultdict(list)
    row = BehaviorSegmentRow
    query = select(row.id, row.model_version).where(row.source == source.value, row.rows < SMALL)
    for number, model in session.exec(query.order_by(col(row.import_id), col(row.id))):
        small[model].append(number or 0)
    for model, numbers in small.items():
        if len(numbers) >= MANY:
            _join(session, numbers, model)


def _join(session: Session, numbers: Sequence[int], model: str | None) -> None:
    rows = [session.get_one(BehaviorSegmentRow, number) for number in numbers]
    into, emptied = rows[0].import_id, {row.import_id for row in rows[1:]} - {rows[0].import_id}
    joined = _joined(rows)
    for row in rows:
        session.expunge(row)
    session.execute(delete(BehaviorSegmentRow).where(col(BehaviorSegmentRow.id).in_(numbers)))
    for segment in joined:
        insert_segment(session, into, segment, model)
    still = session.exec(select(BehaviorSegmentRow.import_id).where(col(BehaviorSegmentRow.import_id).in_(emptied)))
    gone = col(BehaviorImportRow.id).in_(emptied - set(still.all()))
    added = session.exec(select(func.coalesce(func.sum(BehaviorImportRow.rows), 0)).where(gone)).one()
    session.get_one(BehaviorImportRow, into).rows += int(added)
    session.execute(delete(BehaviorImportRow).where(gone))


def _joined(rows: Sequence[BehaviorSegmentRow]) -> list[Segment]:
    frames = [unpacked(row.content, extras=True) for row in rows]
    typed = [frame.with_columns(pl.col(name).cast(dtype) for name, dtype in COLUMNS.items()) for frame in frames]
    return list(packed([pl.concat(typed, how="diagonal_relaxed")]))
