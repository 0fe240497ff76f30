"""Parts of an evaluation that are looked at alone: by the item's popularity in training, by the length of history."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

MID_FROM = 5  # behaviours in the training window; from 1 up to here an item is tail, without any it is cold
HEAD_FROM = 20
LENGTHS = (5, 10, 20, 50)
POPULARITY, HISTORY = "popularity of the item", "length of the history"  # what events are told apart by


class Slice(NamedTuple):
    """A part of the events, with its name."""

    name: str
    events: NDArray[np.bool_]


def popularity(training_items: ArrayLike, items: int) -> NDArray[np.int64]:
    """Return how often each of `items` item numbers occurs among the behaviours of the training window."""
    return np.bincount(np.asarray(training_items, dtype=np.int64), minlength=items)


def by_popularity(behaviors: ArrayLike, *, mid: int = MID_FROM, head: int = HEAD_FROM) -> tuple[Slice, ...]:
    """Part events by how often their item occurs in training: cold (never), tail, mid (`mid` and more), head.

    Every event is in one slice; a slice may be empty. Raises ValueError for bounds that do not rise.
    """
    return _parted(behaviors, (0, 1, mid, head), ("cold", "tail", "mid", "head"))


def by_history_length(lengths: ArrayLike, bounds: Sequence[int] = LENGTHS) -> tuple[Slice, ...]:
    """Part events by how many behaviours of the user are known before: below the first bound, …, the last and more.

    Every event is in one slice; a slice may be empty. Raises ValueError for bounds that do not rise.
    """
    starts = (0, *bounds)
    ranges = [f"{low}–{high - 1}" if high - low > 1 else f"{low}" for low, high in zip(starts, bounds, strict=False)]
    return _parted(lengths, starts, (*ranges, f"{starts[-1]}+"))


def _parted(values: ArrayLike, starts: Sequence[int], names: Sequence[str]) -> tuple[Slice, ...]:
    if any(low >= high for low, high in itertools.pairwise(starts)):
        raise ValueError(f"bounds are to rise: {list(starts)}")
    counted = np.asarray(values)
    if (counted < 0).any():
        raise ValueError(f"{counted.min()} is no count")
    part = np.searchsorted(starts, counted, side="right") - 1
    return tuple(Slice(name, part == number) for number, name in enumerate(names))
