"""What a model says of places between a user's behaviours, for plain arrays."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from diffusion.histories import Histories
from diffusion.imagination import Imagination

AT_ONCE = 256  # histories asked together


def gap_log_chances(
    model: Imagination, histories: Sequence[NDArray[np.int32]], after: NDArray[np.int64]
) -> Iterator[NDArray[np.float32]]:
    """Yield ln p [some histories, items] of one behaviour more after the `after`-th of each, in pieces.

    Only the newest behaviours of a history are read; a place before them is taken for the one before the oldest read.
    """
    longest = model.config.longest
    for start in range(0, len(histories), AT_ONCE):
        some = histories[start : start + AT_ONCE]
        cut = np.array([max(0, len(own) - longest) for own in some])
        places = torch.from_numpy(np.maximum(after[start : start + AT_ONCE] - cut, 0))
        yield np.asarray(model.log_chances(Histories.of_items(some, longest), places).numpy(), dtype=np.float32)
