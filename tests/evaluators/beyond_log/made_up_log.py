"""A made-up log: two tribes whose members want the same categories, so that what is hidden can be foretold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluators.beyond_log.hiding import Categories, Rows

CATEGORIES, SHELF, USERS, WANTED = 12, 5, 120, 6


@dataclass(frozen=True, eq=False)
class MadeUpLog:
    """Behaviours as `hide` reads them."""

    users: tuple[str, ...]
    offsets: NDArray[np.int64]
    item: Rows


def made_up_log(seed: int = 0) -> tuple[MadeUpLog, Categories]:
    """Return users of two tribes, each of which wants half of the categories, with one item of most of them."""
    chance = np.random.default_rng(seed)
    own = []
    for user in range(USERS):
        wanted = user % 2 * WANTED + chance.permutation(WANTED)[:5]
        own.append(wanted * SHELF + np.minimum(chance.geometric(0.5, 5) - 1, SHELF - 1))
    return log_of(own), Categories.of([f"category {item // SHELF:02}" for item in range(CATEGORIES * SHELF)])


def log_of(histories: list[NDArray[np.int64]]) -> MadeUpLog:
    """Return a log of users a000, a001 and so on."""
    offsets = np.cumsum([0, *map(len, histories)], dtype=np.int64)
    users = tuple(f"a{user:03}" for user in range(len(histories)))
    return MadeUpLog(users, offsets, np.concatenate(histories).astype(np.int32))


def visible_part(log: MadeUpLog, visible: NDArray[np.bool_]) -> MadeUpLog:
    """Return some of the behaviours."""
    spans = zip(log.offsets[:-1], log.offsets[1:], strict=True)
    return log_of([log.item[start:end][visible[start:end]].astype(np.int64) for start, end in spans])
