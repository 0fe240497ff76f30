"""How behaviours are parted into what to learn from and what to predict: an input is strictly before what it predicts.

Equal times are not before one another: of what happened at the very time of an event, nothing may be known for it.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from memory.behaviors.schema import Kind
from memory.behaviors.sequences import Sequences


@dataclass(frozen=True)
class Split:
    """Frames of behaviours; each user's of `train` are strictly before theirs of `valid`, and these before `test`."""

    train: pl.DataFrame
    valid: pl.DataFrame
    test: pl.DataFrame
    tied: int = 0  # behaviours in no part, because they happened at the very time of one that is held out


@dataclass(frozen=True, eq=False)
class Events:
    """Behaviours to predict, each with what may be known for it: the user's from position `start` to `end`."""

    position: NDArray[np.int64]  # of the event itself in the sequences
    user: NDArray[np.int64]  # rows
    start: NDArray[np.int64]
    end: NDArray[np.int64]  # the first of the user's behaviours that is not strictly before the event

    @property
    def history_lengths(self) -> NDArray[np.int64]:
        """How many behaviours may be known for each event."""
        return self.end - self.start


def temporal_split(frame: pl.DataFrame, valid_from: int, test_from: int) -> Split:
    """Return what happened before `valid_from`, from then to before `test_from`, and from then on."""
    if valid_from > test_from:
        raise ValueError(f"validation from {valid_from} would begin after the test from {test_from}")
    time = pl.col("time")
    return Split(
        train=frame.filter(time < valid_from),
        valid=frame.filter((time >= valid_from) & (time < test_from)),
        test=frame.filter(time >= test_from),
    )


def leave_last_out(frame: pl.DataFrame, held_out: int = 2) -> Split:
    """Return each user's last behaviour as `test`, the `held_out` - 1 before it as `valid`, the others as `train`.

    Of behaviours at one time the last in the frame's order is held out, and the others are in no part (`tied`). Users
    with behaviours at fewer than `held_out` + 1 different times are in `train` as they are.
    """
    if held_out < 1:
        raise ValueError(f"cannot hold out {held_out} behaviours of a user")
    back = pl.col("time").rank("dense", descending=True).over("user")  # 1: the user's last time
    ranked = frame.with_row_index("row").with_columns(back=back)
    ranked = ranked.with_columns(
        back=pl.when(back.max().over("user") > held_out).then("back").otherwise(held_out + 1),
        is_last_of_time=pl.col("row") == pl.col("row").max().over("user", "time"),
    )
    held = ranked.filter(pl.col("is_last_of_time"))
    return Split(
        train=_plain(ranked.filter(pl.col("back") > held_out)),
        valid=_plain(held.filter(pl.col("back").is_between(2, held_out))),
        test=_plain(held.filter(pl.col("back") == 1)),
        tied=len(ranked.filter((pl.col("back") <= held_out) & ~pl.col("is_last_of_time"))),
    )


def per_event(
    sequences: Sequences,
    *,
    from_time: int | None = None,
    to_time: int | None = None,
    kinds: tuple[Kind, ...] = tuple(Kind),
) -> Events:
    """Return each behaviour of some kinds in a span of time as an event to predict; `to_time` is not in the span.

    Sequences are read and not copied: millions of events cost 32 bytes each.
    """
    users = np.repeat(np.arange(len(sequences.users)), sequences.lengths)
    ends = _first_of_equal(users, sequences.time)
    codes = [code for code, kind in enumerate(Kind) if kind in kinds]
    chosen = np.isin(sequences.kind, codes)
    if from_time is not None:
        chosen &= sequences.time >= from_time
    if to_time is not None:
        chosen &= sequences.time < to_time
    position = np.flatnonzero(chosen)
    user = users[position]
    return Events(position, user, sequences.offsets[user], ends[position])


def _first_of_equal(users: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for each behaviour, the position of the user's first one at the same time."""
    if not len(times):
        return np.zeros(0, np.int64)
    is_first = np.concatenate(([True], (users[1:] != users[:-1]) | (times[1:] != times[:-1])))
    starts = np.flatnonzero(is_first)
    return np.repeat(starts, np.diff(np.append(starts, len(times))))


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop("row", "back", "is_last_of_time")
