"""Behaviours in the knowledge base: added once, read strictly before a time, deleted by user; the caller commits."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl
from sqlalchemy import delete, func, insert, update
from sqlmodel import Session, col, select

from memory.behaviors.schema import COLUMNS, Clock, Source
from memory.behaviors.segments import Segment, packed, unpacked, without_users
from memory.behaviors.tables import BehaviorImportRow, BehaviorSegmentRow, NothingImaginedRow
from memory.errors import ReaseqError
from memory.rows import now

PAGE = 500  # users asked for in one query


class OtherClock(ReaseqError):
    """Times and order numbers cannot be compared, so that one knowledge base holds behaviours sorted by one of them."""


@dataclass(frozen=True)
class Added:
    """What came of an addition."""

    import_id: int
    rows: int  # 0 where the same was added before
    is_repeated: bool


def add_behaviors(
    session: Session,
    frame: pl.DataFrame,
    *,
    origin: str = "",
    clock: Clock = Clock.TIME,
    model_version: str | None = None,
) -> Added:
    """Store a frame of behaviours (`COLUMNS`, and any columns beside them), unless the very same was added before."""
    segments = list(packed([frame]))
    digest = hashlib.blake2b(repr((clock.value, model_version)).encode(), digest_size=32)
    for segment in segments:
        digest.update(segment.content)
    return add_segments(
        session,
        segments,
        content_hash=digest.hexdigest(),
        origin=origin,
        clock=clock,
        model_version=model_version,
    )


def add_segments(
    session: Session,
    segments: Sequence[Segment],
    *,
    content_hash: str,
    origin: str,
    clock: Clock,
    rejected: int = 0,
    model_version: str | None = None,
) -> Added:
    """Store packed behaviours, unless an import of that content is stored; `OtherClock` where they do not go together.

    `origin` is the file's name, `rejected` how many of its rows are no behaviours.
    """
    before = import_of(session, content_hash)
    if before is not None:
        return Added(before, 0, is_repeated=True)
    _refuse_other_clock(session, clock)
    rows = sum(segment.rows for segment in segments)
    row = BehaviorImportRow(
        content_hash=content_hash, origin=origin, clock=clock, rows=rows, rejected=rejected, created_at=now()
    )
    session.add(row)
    session.flush()
    assert row.id is not None  # noqa: S101 - the database has numbered it
    for segment in segments:
        insert_segment(session, row.id, segment, model_version)
    return Added(row.id, rows, is_repeated=False)


def import_of(session: Session, content_hash: str) -> int | None:
    """Return the number of the import that added this content, None where none has."""
    return session.exec(select(BehaviorImportRow.id).where(BehaviorImportRow.content_hash == content_hash)).first()


def behaviors_of(
    session: Session,
    *,
    as_of: int | None = None,
    sources: Collection[Source] = (Source.LOG,),
    users: Collection[str] | None = None,
    extras: bool = False,
) -> pl.DataFrame:
    """Return the behaviours of all or some users, as they were imported; none that happened at `as_of` or later.

    The frame has `COLUMNS`; with `extras` also what else was stored, null where a segment does not have it.
    """
    frames = [pl.DataFrame(schema=COLUMNS)]
    for row in segment_rows(session, sources, as_of):
        frame = unpacked(row.content, as_of=as_of, users=users, extras=extras)
        frames.append(frame.with_columns(pl.col(name).cast(dtype) for name, dtype in COLUMNS.items()))
    return pl.concat(frames, how="diagonal_relaxed") if extras else pl.concat(frames)


def delete_behaviors(session: Session, *, user: str, source: Source | None = None) -> int:
    """Forget what a user did, or one source says that they did; return how many behaviours that were.

    Segments that have something of the user are written anew. What was imported counts as imported still: the same
    file will not bring it back.
    """
    return delete_behaviors_of(session, [user], source)


def delete_behaviors_of(session: Session, users: Collection[str], source: Source | None = None) -> int:
    """Forget what some users did, as `delete_behaviors` does; with what was imagined, that nothing was."""
    forgotten = 0
    if source is not Source.LOG:
        for page in pages(users):
            session.execute(delete(NothingImaginedRow).where(col(NothingImaginedRow.user_id).in_(page)))
    for row in segment_rows(session, list(Source) if source is None else [source]):
        rest = without_users(row.content, users)
        if rest is None:
            continue
        forgotten += row.rows - len(rest)
        _replace(session, row, packed([rest]))
    return forgotten


def pages(users: Iterable[str]) -> Iterator[list[str]]:
    """Yield the users in order, as many at a time as one query may ask for."""
    asked = sorted(set(users))
    yield from (asked[start : start + PAGE] for start in range(0, len(asked), PAGE))


def delete_import(session: Session, import_id: int) -> int | None:
    """Take an import back, so that its file may be imported again; return how many behaviours went, None: no import."""
    if session.get(BehaviorImportRow, import_id) is None:
        return None
    of_import = col(BehaviorSegmentRow.import_id) == import_id
    rows = session.exec(select(func.coalesce(func.sum(BehaviorSegmentRow.rows), 0)).where(of_import)).one()
    session.execute(delete(BehaviorSegmentRow).where(of_import))
    session.execute(delete(BehaviorImportRow).where(col(BehaviorImportRow.id) == import_id))
    return int(rows)


def segment_rows(session: Session, sources: Iterable[Source], as_of: int | None = None) -> Iterator[BehaviorSegmentRow]:
    """Yield the segments in the order of their imports, one at a time in memory, but none that begins at `as_of`."""
    query = select(BehaviorSegmentRow.id).where(col(BehaviorSegmentRow.source).in_([s.value for s in sources]))
    if as_of is not None:
        query = query.where(BehaviorSegmentRow.first_time < as_of)
    for number in session.exec(query.order_by(col(BehaviorSegmentRow.import_id), col(BehaviorSegmentRow.id))).all():
        row = session.get_one(BehaviorSegmentRow, number)
        session.expunge(row)
        yield row


def insert_segment(session: Session, import_id: int, segment: Segment, model_version: str | None) -> None:
    """Store one segment of an import."""
    values = {"import_id": import_id, "model_version": model_version, **vars(segment)}
    session.execute(insert(BehaviorSegmentRow).values(values))


def _replace(session: Session, row: BehaviorSegmentRow, rest: Iterable[Segment]) -> None:
    """Put what is left in a segment's place; fewer rows of one source never need a second one."""
    is_it = col(BehaviorSegmentRow.id) == row.id
    left = next(iter(rest), None)
    if left is None:
        session.execute(delete(BehaviorSegmentRow).where(is_it))
    else:
        session.execute(update(BehaviorSegmentRow).where(is_it).values(**vars(left)))


def _refuse_other_clock(session: Session, clock: Clock) -> None:
    other = session.exec(select(BehaviorImportRow).where(BehaviorImportRow.clock != clock.value)).first()
    if other is not None:
        has, comes = ("times", "order numbers") if clock is Clock.ORDER else ("order numbers", "times")
        raise OtherClock(
            f"the knowledge base has behaviours sorted by {has} (import {other.id}, {other.origin!r}), these are sorted"
            f" by {comes}: import them into another one, or delete that import"
        )
