"""Behaviours that a model imagined, each with its reasons: stored beside the log, read until they expire, forgotten.

A behaviour counts as imagined from what happened strictly before its `as_of`. A user's newer ones take the place of the
older ones. Of who has switched inference off, nothing is stored and nothing is kept.
"""

import secrets
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import delete, or_
from sqlmodel import Session, col, select

from memory.behaviors.joining import join_segments
from memory.behaviors.overview import clock_of
from memory.behaviors.schema import COLUMNS, KINDS, SOURCES, Clock, Kind, Source
from memory.behaviors.segments import packed, unexpired
from memory.behaviors.store import Added, add_segments, behaviors_of, delete_behaviors_of, pages
from memory.behaviors.tables import BehaviorImportRow, BehaviorSegmentRow, InferenceOffRow, NothingImaginedRow
from memory.rows import now

SLOTS = ("future", "gap", "next")  # the last: one of the likeliest next behaviours, of which there will be one
_REASONS = pl.Schema(
    {
        "slot": pl.String(),
        "position": pl.Int32(),
        "log_p": pl.Float32(),
        "agreement": pl.Float32(),
        "confidence": pl.Float32(),
        "near_item": pl.String(),
        "near_cosine": pl.Float32(),
        "demand": pl.String(),
        "demand_cosine": pl.Float32(),
    }
)
_GENERATION = pl.Schema({"as_of": pl.Int64(), "expires": pl.Int64(), "model_version": pl.String()})
_STORED = pl.Schema(COLUMNS | _REASONS | _GENERATION)


@dataclass(frozen=True, eq=False)
class GeneratedBehaviors:
    """Imagined behaviours, one a row of columns that are equally long; those of one user stand together."""

    user: tuple[str, ...]
    item: tuple[str, ...]
    time: NDArray[np.int64]  # the imagined moment
    slot: tuple[str, ...]  # one of `SLOTS`
    position: NDArray[np.int32]  # future: 1, 2 …; gap: the number of the visible behaviour that it follows; next: 1
    log_p: NDArray[np.float32]
    agreement: NDArray[np.float32]  # share of the chains that have the item; next: its chance, for none are drawn
    confidence: NDArray[np.float32]  # in (0, 1]
    near_item: tuple[str, ...]  # nearest behaviour of the history, "" for none
    near_cosine: NDArray[np.float32]  # NaN for none
    demand: tuple[str, ...]  # nearest demand of the user, "" for none
    demand_cosine: NDArray[np.float32]  # NaN for none

    def __post_init__(self) -> None:
        lengths = {len(getattr(self, field.name)) for field in fields(self)}
        if len(lengths) != 1:
            raise ValueError(f"columns of imagined behaviours are equally long, not {sorted(lengths)}")
        if not set(self.slot) <= set(SLOTS):
            raise ValueError(f"a slot is one of {', '.join(SLOTS)}, not {sorted(set(self.slot) - set(SLOTS))[0]!r}")
        if not np.all((self.confidence > 0) & (self.confidence <= 1)):
            raise ValueError("a confidence is more than 0 and at most 1")

    def __len__(self) -> int:
        return len(self.user)

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Self:
        """Return what a frame with these columns says."""
        return cls(**{field.name: _column(frame[field.name]) for field in fields(cls)})

    def frame(self) -> pl.DataFrame:
        """Return the columns as a frame."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return pl.DataFrame(columns, schema={name: _STORED[name] for name in columns})


@dataclass(frozen=True)
class Generation:
    """What one run of a model left of one user."""

    behaviors: int  # 0: it was asked, and imagined nothing
    as_of: int  # it knew what happened strictly before; in the log's clock
    model_version: str
    expires: int | None  # milliseconds since 1970; None: never


def store_generated(
    session: Session,
    generated: GeneratedBehaviors,
    *,
    as_of: int | Mapping[str, int],
    model_version: str,
    expires: int | None,
    clock: Clock | None = None,
    users: Collection[str] = (),
) -> Added:
    """Store what a model imagined in the place of what these users had; nothing of who switched inference off.

    `as_of` is one moment, or one for each user. `expires` is in milliseconds since 1970; None: never. `clock` is the
    log's where the knowledge base has no behaviours. `users` are those who were asked about: of whom nothing was
    imagined, that is kept. `Added.rows` counts what was stored; the import is number 0 where that is nothing.
    """
    asked = {*generated.user, *users}
    moments = dict.fromkeys(asked, as_of) if isinstance(as_of, int) else as_of
    off = inference_is_off(session, asked)
    frame = _dated(generated, moments, expires, model_version).filter(~pl.col("user").is_in(sorted(off)))
    _delete_inferred(session, asked)
    for user in sorted(asked - {*frame["user"]} - off):
        session.add(NothingImaginedRow(user_id=user, as_of=moments[user], expires=expires, model_version=model_version))
    if frame.is_empty():
        return Added(0, 0, is_repeated=False)
    added = _added(session, frame, model_version, clock)
    join_segments(session, Source.DIFFUSION)
    return added


def generated_of(
    session: Session, *, at: int | None = None, users: Collection[str] | None = None
) -> GeneratedBehaviors:
    """Return what was imagined of all or some users, none of it expired at a moment (milliseconds; None: now).

    With a moment also nothing that was imagined from what happened then or later. In the order of users; of one user,
    in the order that it was imagined in.
    """
    return GeneratedBehaviors.of(_stored(session, at, users))


def generations(
    session: Session, *, at: int | None = None, users: Collection[str] | None = None
) -> dict[str, Generation]:
    """Return which run of which model each user's imagined behaviours come from, also where it imagined none.

    Read as by `generated_of`.
    """
    found = _empty_generations(session, at)
    grouped = _stored(session, at, users).group_by("user").agg(pl.len(), pl.col(_GENERATION.names()).first())
    rows = grouped.rows()
    found |= {user: Generation(count, as_of, version, expires) for user, count, as_of, expires, version in rows}
    return found if users is None else {user: found[user] for user in users if user in found}


def set_inference(session: Session, user: str, *, allowed: bool) -> int:
    """Let interests of a user be inferred, or not: then forget what was, and return how many behaviours that were."""
    session.execute(delete(InferenceOffRow).where(col(InferenceOffRow.user_id) == user))
    if allowed:
        return 0
    session.add(InferenceOffRow(user_id=user, since=now()))
    session.flush()
    return _delete_inferred(session, {user})


def inference_is_off(session: Session, users: Iterable[str]) -> set[str]:
    """Return those of the users who switched inference off."""
    found: set[str] = set()
    for page in pages(users):
        found |= set(session.exec(select(InferenceOffRow.user_id).where(col(InferenceOffRow.user_id).in_(page))).all())
    return found


def _stored(session: Session, at: int | None, users: Collection[str] | None) -> pl.DataFrame:
    frame = behaviors_of(session, sources=(Source.DIFFUSION,), users=users, extras=True)
    frame = pl.concat([pl.DataFrame(schema=_STORED), frame], how="diagonal_relaxed")
    if at is not None:
        frame = frame.filter(pl.col("as_of") <= at)
    kept = unexpired(frame, time.time_ns() // 1_000_000 if at is None else at).drop_nulls("slot")
    return kept.sort("user", maintain_order=True)


def _added(session: Session, frame: pl.DataFrame, model_version: str, clock: Clock | None) -> Added:
    return add_segments(
        session,
        list(packed([frame])),
        content_hash=secrets.token_hex(32),  # the same may come again, after it was forgotten
        origin=f"{Source.DIFFUSION.value} {model_version}",
        clock=clock or clock_of(session) or Clock.TIME,
        model_version=model_version,
    )


def _empty_generations(session: Session, at: int | None) -> dict[str, Generation]:
    query, row = select(NothingImaginedRow), NothingImaginedRow
    if at is not None:
        query = query.where(row.as_of <= at)
    moment = time.time_ns() // 1_000_000 if at is None else at
    return {
        own.user_id: Generation(0, own.as_of, own.model_version, own.expires)
        for own in session.exec(query.where(or_(col(row.expires).is_(None), col(row.expires) > moment)))
    }


def _dated(
    generated: GeneratedBehaviors, moments: Mapping[str, int], expires: int | None, model_version: str
) -> pl.DataFrame:
    """Return what is stored (`_STORED`), in the order of users."""
    frame = generated.frame().with_columns(
        pl.Series("as_of", [moments[user] for user in generated.user], pl.Int64),
        kind=pl.lit(Kind.CLICK.value, KINDS),
        source=pl.lit(Source.DIFFUSION.value, SOURCES),
        session=pl.lit(None, pl.String),
        expires=pl.lit(expires, pl.Int64),
        model_version=pl.lit(model_version, pl.String),
    )
    return frame.select(_STORED.names()).sort("user", maintain_order=True)


def _column(values: pl.Series) -> Any:
    return tuple(values) if values.dtype == pl.String else values.to_numpy()


def _delete_inferred(session: Session, users: Collection[str]) -> int:
    """Forget what was imagined of some users, and the additions that nothing is left of."""
    imagined = select(BehaviorSegmentRow.import_id).where(BehaviorSegmentRow.source == Source.DIFFUSION.value)
    before = set(session.exec(imagined).all())
    gone = delete_behaviors_of(session, users, Source.DIFFUSION) if users else 0
    emptied = before - set(session.exec(select(BehaviorSegmentRow.import_id)).all())
    for number in sorted(emptied):
        session.execute(delete(BehaviorImportRow).where(col(BehaviorImportRow.id) == number))
    return gone
