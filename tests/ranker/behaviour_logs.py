"""Small logs of behaviours, written as lists."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Behaviours:
    offsets: NDArray[np.int64]
    item: NDArray[np.int32]


def behaviours(*sequences: list[int]) -> Behaviours:
    offsets = np.cumsum([0, *map(len, sequences)], dtype=np.int64)
    return Behaviours(offsets, np.concatenate([np.array(own, dtype=np.int32) for own in sequences]))
