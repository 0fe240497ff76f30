"""Behaviours as numpy arrays: each user's items in the order of time, under row numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Sequences:
    """The behaviours of user row `u` are those from `offsets[u]` to `offsets[u + 1]`, oldest first.

    Equal times keep the order of the frame. `item` holds item rows, `time` what the frame's column holds, `kind` and
    `source` the positions in `Kind` and `Source`. Users stay, with nothing, when all their behaviours are cut off, so
    that row numbers mean the same in every part of a split.
    """

    users: tuple[str, ...]  # user row -> id, in the order of ids
    items: tuple[str, ...]  # item row -> id
    offsets: NDArray[np.int64]  # users + 1
    item: NDArray[np.int32]
    time: NDArray[np.int64]
    kind: NDArray[np.int8]
    source: NDArray[np.int8]

    @classmethod
    def of(cls, frame: pl.DataFrame, items: Sequence[str] | None = None) -> Self:
        """Return the sequences of a frame of behaviours (`COLUMNS`).

        `items` fixes the first item rows, such as a catalog's order; items that are not among them are appended in the
        order of their ids, as are all where it is None. `ValueError` where an id is twice among `items`.
        """
        users = frame["user"].unique().sort()
        numbering = _numbering(frame["item"], items or ())
        user, time = _rows(frame["user"], users), frame["time"].to_numpy()
        order = np.lexsort((time, user))  # stable
        return cls(
            users=tuple(users),
            items=tuple(numbering),
            offsets=_offsets(np.bincount(user, minlength=len(users))),
            item=_rows(frame["item"], numbering).astype(np.int32)[order],
            time=time[order],
            kind=frame["kind"].to_physical().to_numpy().astype(np.int8)[order],
            source=frame["source"].to_physical().to_numpy().astype(np.int8)[order],
        )

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many behaviours each user has."""
        return np.diff(self.offsets)

    @cached_property
    def user_rows(self) -> dict[str, int]:
        """The row number of each user."""
        return {user: row for row, user in enumerate(self.users)}

    def before(self, as_of: int) -> Self:
        """Return what had happened strictly before a time; what happens at that very time is not known yet."""
        return self._where(self.time < as_of)

    def without_last(self, count: int) -> Self:
        """Return all but each user's last `count` behaviours; who has no more than that has none left."""
        if count < 0:
            raise ValueError(f"cannot leave out {count} behaviours")
        ends = np.maximum(self.offsets[1:] - count, self.offsets[:-1])
        return self._where(np.arange(len(self.item)) < np.repeat(ends, self.lengths))

    def without_repeats(self) -> Self:
        """Return each user's first behaviour with each item alone."""
        users = np.repeat(np.arange(len(self.users)), self.lengths)
        _, first = np.unique(users * len(self.items) + self.item, return_index=True)
        kept = np.zeros(len(self.item), dtype=np.bool_)
        kept[first] = True
        return self._where(kept)

    def without(self, positions: NDArray[np.int64]) -> Self:
        """Return all but the behaviours at some positions."""
        kept = np.ones(len(self.item), dtype=np.bool_)
        kept[positions] = False
        return self._where(kept)

    def with_items(self, ids: Sequence[str]) -> Self:
        """Return the behaviours with some items alone, which are the item rows from then on, in the order given.

        Users stay, with nothing where all they did was with others.
        """
        rows = {item_id: row for row, item_id in enumerate(ids)}
        numbers = np.array([rows.get(item_id, -1) for item_id in self.items], dtype=np.int32)
        kept = self._where(numbers[self.item] >= 0)
        return replace(kept, items=tuple(ids), item=numbers[kept.item])

    def counts(self) -> dict[str, int]:
        """Return how many behaviours each item has; items without any are left out."""
        counts = np.bincount(self.item, minlength=len(self.items))
        return {self.items[row]: int(counts[row]) for row in np.flatnonzero(counts)}

    def of_user(self, user: str) -> NDArray[np.int32]:
        """Return a user's item rows, oldest first; none for a user that nobody knows."""
        row = self.user_rows.get(user)
        return self.item[:0] if row is None else self.item[self.offsets[row] : self.offsets[row + 1]]

    def _where(self, kept: NDArray[np.bool_]) -> Self:
        before = np.concatenate(([0], np.cumsum(kept)))  # how many are kept before each position
        return replace(
            self,
            offsets=before[self.offsets].astype(np.int64),
            item=self.item[kept],
            time=self.time[kept],
            kind=self.kind[kept],
            source=self.source[kept],
        )


def _numbering(column: pl.Series, first: Sequence[str]) -> pl.Series:
    fixed = pl.Series("item", first, dtype=pl.String)
    if fixed.n_unique() != len(fixed):
        twice = fixed.filter(fixed.is_duplicated())
        raise ValueError(f"an item can have one row only: {twice[0]!r} is there more than once")
    unseen = column.unique()
    unseen = unseen.filter(~unseen.is_in(fixed.implode())).sort()
    return pl.concat([fixed, unseen.rename("item")])


def _rows(ids: pl.Series, numbering: pl.Series) -> NDArray[np.int64]:
    """Return the row number of each id; an Enum is polars' fastest way from texts to numbers."""
    if ids.is_empty():
        return np.zeros(0, np.int64)
    return ids.cast(pl.Enum(numbering)).to_physical().to_numpy().astype(np.int64)


def _offsets(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
