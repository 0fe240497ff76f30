"""Behaviours as pieces of Parquet, each of at most a million rows: what the knowledge base stores of them."""

import io
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from memory.behaviors.schema import COLUMNS, Source

MOST_ROWS = 1_000_000
MOST_BYTES = 256 << 20  # in memory, before packing: a log may have ids of 200 characters


@dataclass(frozen=True)
class Segment:
    """Packed behaviours of one source, in the order that they came in."""

    source: Source
    rows: int
    first_time: int
    last_time: int
    content: bytes  # Parquet, zstd


def packed(frames: Iterable[pl.DataFrame]) -> Iterator[Segment]:
    """Yield the behaviours of all frames, as few segments as can be; of the frames, only one segment's are held.

    A frame has `COLUMNS`, and may have columns of its own beside them, which are kept.
    """
    waiting: list[pl.DataFrame] = []
    rows = size = 0
    for frame in frames:
        for piece in frame.iter_slices(MOST_ROWS):
            if waiting and (rows + len(piece) > MOST_ROWS or size > MOST_BYTES):
                yield from _segments(pl.concat(waiting))
                waiting, rows, size = [], 0, 0
            waiting.append(piece)
            rows += len(piece)
            size += int(piece.estimated_size())
    if rows:
        yield from _segments(pl.concat(waiting))


def unpacked(
    content: bytes, *, as_of: int | None = None, users: Collection[str] | None = None, extras: bool = False
) -> pl.DataFrame:
    """Return a segment's behaviours, of all or some users, strictly before `as_of`; with `extras` all its columns."""
    return selected(content, as_of=as_of, users=users, extras=extras).collect()


def selected(
    content: bytes, *, as_of: int | None = None, users: Collection[str] | None = None, extras: bool = False
) -> pl.LazyFrame:
    """Return what `unpacked` collects, for a caller that wants less of it."""
    frame = pl.scan_parquet(io.BytesIO(content))
    if as_of is not None:
        frame = frame.filter(pl.col("time") < as_of)
    if users is not None:
        frame = frame.filter(pl.col("user").is_in(sorted(users)))
    return frame if extras else frame.select(COLUMNS.names())


def without_users(content: bytes, users: Collection[str]) -> pl.DataFrame | None:
    """Return a segment's behaviours, all columns, but those of some users; None where it has none of them."""
    frame = pl.scan_parquet(io.BytesIO(content))
    theirs = pl.col("user").is_in(sorted(users))
    if not frame.filter(theirs).select(pl.len()).collect().item():
        return None
    return frame.filter(~theirs).collect()


def unexpired(frame: pl.DataFrame, at: int) -> pl.DataFrame:
    """Return what has not expired at a moment (milliseconds since 1970); what is logged never does."""
    if "expires" not in frame.columns:
        return frame
    return frame.filter(pl.col("expires").is_null() | (pl.col("expires") > at))


def _segments(frame: pl.DataFrame) -> Iterator[Segment]:
    for source in Source:
        rows = frame.filter(pl.col("source") == source.value)
        if len(rows):
            first, last = rows.select(first=pl.col("time").min(), last=pl.col("time").max()).row(0)
            yield Segment(source, len(rows), first, last, _parquet(rows))


def _parquet(frame: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    frame.write_parquet(content, compression="zstd", compression_level=1)  # 3 takes half as long again for 1 %
    return content.getvalue()
