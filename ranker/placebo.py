"""What imagined behaviours are measured against: another user's, and random items; as many, and as sure."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from learning.material import Imagined


class Told(StrEnum):
    """What a ranker is told of each user beside the log."""

    NOTHING = "without imagined"
    OWN = "with imagined"
    ANOTHERS = "placebo: another user's"
    RANDOM = "random items"


def told_instead(imagined: Imagined, told: Told, items: int, seed: int = 0) -> Imagined | None:
    """Return what a ranker is told in an arm of the comparison; drawn by a fixed seed, the same in every training.

    Another user's are those of a user who has some, and never of the same one: behaviours of a single user cannot be
    exchanged, and stay nobody's. Random items are drawn uniformly from all `items`, as many of each user as imagined.
    """
    if told is Told.NOTHING:
        return None
    if told is Told.OWN:
        return imagined
    chance = np.random.default_rng(seed)
    if told is Told.RANDOM:
        drawn = chance.integers(0, max(1, items), imagined.items.shape, dtype=np.int32)
        return Imagined(np.where(imagined.items >= 0, drawn, -1), imagined.confidence, imagined.as_of)
    having: NDArray[np.bool_] = np.any(imagined.items >= 0, axis=1)
    giver = derangement(having, chance)
    own = giver >= 0
    return Imagined(
        np.where(own[:, None], imagined.items[giver], -1),
        np.where(own[:, None], imagined.confidence[giver], 0).astype(np.float32),
        np.maximum(imagined.as_of, np.where(own, imagined.as_of[giver], imagined.as_of)),
    )


def derangement(having: NDArray[np.bool_], chance: np.random.Generator) -> NDArray[np.int64]:
    """Return for each user who has something another such user, -1 for the others; each is given to one user once."""
    rows = chance.permutation(np.flatnonzero(having))
    giver = np.full(len(having), -1, dtype=np.int64)
    if len(rows) > 1:
        giver[rows] = np.roll(rows, 1)
    return giver
