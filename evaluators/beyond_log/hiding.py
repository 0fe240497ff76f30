"""Which leaf categories of each user are hidden with all behaviours in them: drawn by seed, user, category alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int32]

UNKNOWN = -1  # the category of an item that nobody has filed
SHARE = 0.25


class Behaviors(Protocol):
    """A log: the item rows of user `u` are those from `offsets[u]` to `offsets[u + 1]`, oldest first."""

    @property
    def users(self) -> tuple[str, ...]:
        """The users' ids, by row."""

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where each user begins, and at last the end."""

    @property
    def item(self) -> Rows:
        """Item rows."""


@dataclass(frozen=True, eq=False)
class Categories:
    """The leaf category of each item."""

    names: tuple[str, ...]  # sorted
    of_item: Rows  # by item row: a place among the names, or `UNKNOWN`

    @classmethod
    def of(cls, named: Sequence[str | None]) -> Self:
        """Return the categories of items that are named one by one; None or "" is unknown."""
        names = tuple(sorted({name for name in named if name}))
        place = {name: row for row, name in enumerate(names)}
        return cls(names, np.array([place[name] if name else UNKNOWN for name in named], dtype=np.int32))

    def of_items(self, items: Rows) -> Rows:
        """Return which categories some items are of, each once; places beyond the end of a list (-1) are of none."""
        found = np.unique(self.of_item[items[items >= 0]])
        known: Rows = found[found != UNKNOWN]
        return known


@dataclass(frozen=True, eq=False)
class Hiding:
    """What is hidden of the users that are scored, side by side in the order of their rows; the rest is visible."""

    user: NDArray[np.int64]  # rows
    histories: tuple[Rows, ...]  # the visible items, oldest first
    items: tuple[Rows, ...]  # the hidden ones, each once
    categories: tuple[Rows, ...]  # the hidden ones
    visible: NDArray[np.bool_]  # which behaviours of the log may be learned from; of users that are not scored, all

    def __len__(self) -> int:
        return len(self.user)


def hide(log: Behaviors, categories: Categories, *, share: float = SHARE, seed: int = 0) -> Hiding:
    """Hide a share of each user's categories: one at least, never all; who has a single one hides nothing.

    Hidden are those whose BLAKE2b digest of "seed, user, category" is least, so that a draw depends on nothing else:
    neither on other users, nor on a library's generator. Items of unknown category stay visible.
    """
    visible, scored = np.ones(len(log.item), dtype=np.bool_), []
    for row, user in enumerate(log.users):
        start, end = log.offsets[row], log.offsets[row + 1]
        own = log.item[start:end]
        gone = _drawn(user, categories, categories.of_items(own), share, seed)
        if not gone.size:
            continue
        hidden = np.isin(categories.of_item[own], gone)
        visible[start:end] = ~hidden
        scored.append((row, own[~hidden], np.unique(own[hidden]).astype(np.int32), gone))
    return _together(scored, visible)


def hidden_elsewhere(log: Behaviors, hidden: Mapping[str, tuple[Rows, Rows]]) -> Hiding:
    """Return what a log hides by itself: hidden items and hidden categories of users, as somebody knows in truth.

    Scored is who has a hidden category and a behaviour in the log.
    """
    scored = []
    for row, user in enumerate(log.users):
        items, categories = hidden.get(user, (np.zeros(0, np.int32), np.zeros(0, np.int32)))
        own = log.item[log.offsets[row] : log.offsets[row + 1]]
        if len(own) and len(categories):
            scored.append((row, own, np.setdiff1d(items, own).astype(np.int32), np.unique(categories)))
    return _together(scored, np.ones(len(log.item), dtype=np.bool_))


def content_hash(log: Behaviors, items: Sequence[str], categories: Categories) -> str:
    """Return what tells this log with these categories from others, whatever rows they are kept in."""
    digest = blake2b(digest_size=16)
    for line in _lines(log, items, categories):
        digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _drawn(user: str, categories: Categories, own: Rows, share: float, seed: int) -> Rows:
    count = min(max(1, int(share * own.size + 0.5)), own.size - 1)
    if count < 1:
        return own[:0]
    keys = [_key(seed, user, categories.names[place]) for place in own]
    order = sorted(range(own.size), key=keys.__getitem__)
    return np.sort(own[order[:count]])


def _key(seed: int, user: str, category: str) -> bytes:
    return blake2b(f"{seed}\n{user}\n{category}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _lines(log: Behaviors, items: Sequence[str], categories: Categories) -> Iterator[str]:
    for row, user in enumerate(log.users):
        own = "\t".join(items[item] for item in log.item[log.offsets[row] : log.offsets[row + 1]])
        yield f"{user}\t{own}\n"
    named = ((item, categories.of_item[row]) for row, item in enumerate(items))
    for item, place in sorted(named):
        yield f"{item}\t{categories.names[place] if place != UNKNOWN else ''}\n"


def _together(scored: Sequence[tuple[int, Rows, Rows, Rows]], visible: NDArray[np.bool_]) -> Hiding:
    return Hiding(
        user=np.array([row for row, *_ in scored], dtype=np.int64),
        histories=tuple(history for _, history, _, _ in scored),
        items=tuple(items for _, _, items, _ in scored),
        categories=tuple(gone for *_, gone in scored),
        visible=visible,
    )
