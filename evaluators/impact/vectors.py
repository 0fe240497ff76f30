"""How far the vectors of items moved from one version of the knowledge to another."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluators.impact.report import QUANTILES, MovedItem, VectorChange

FARTHEST = 10
BINS = 10
STILL = 1e-6  # 1 - cosine of what rounding alone moves


def vector_change(
    name: str,
    ids: Sequence[str],
    titles: Sequence[str],
    before: NDArray[np.float32],
    after: NDArray[np.float32],
) -> VectorChange:
    """Return how far each item's vector moved, as 1 - cosine in [0, 2].

    `before` and `after` have shape (items, dimensions) with rows of length 1, or of zeros where an item has none; from
    none to some, or back, is a distance of 1, from none to none 0.
    """
    has = np.stack([before.any(axis=1), after.any(axis=1)])
    cosine = np.einsum("nd,nd->n", before, after, dtype=np.float64)
    distance = np.clip(np.where(has.any(axis=0), 1 - cosine, 0.0), 0.0, 2.0)
    moved = np.flatnonzero(distance > STILL)
    far = moved[np.argsort(-distance[moved], kind="stable")][:FARTHEST]
    greatest = float(distance.max(initial=0.0))
    counts = np.histogram(distance[moved], bins=BINS, range=(0.0, greatest))[0] if len(moved) else np.zeros(0)
    return VectorChange(
        name=name,
        items=len(ids),
        moved=len(moved),
        quantiles=tuple(map(float, np.quantile(distance[moved], QUANTILES))) if len(moved) else (),
        histogram=tuple(map(int, counts)),
        greatest=greatest,
        farthest=tuple(
            MovedItem(item_id=ids[row], title=titles[row], distance=float(distance[row])) for row in far.tolist()
        ),
    )
