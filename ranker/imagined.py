"""What imagined behaviours say of a candidate: counted as of a history, weighed by how sure they are."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ranker.affinity import HISTORY, ITEM, Affinity, Behind

READ = (ITEM, HISTORY, "category", "title 200")  # views that are read; of more, there is more noise than sense
OF_IMAGINED = ("likely", "greatest", "alike", "surest")  # of each view
CHUNK = 2048  # examples counted at a time


def imagined_features(
    views: Sequence[Affinity],
    generated: NDArray[np.int32],
    confidence: NDArray[np.float32],
    candidates: NDArray[np.int32],
) -> NDArray[np.float16]:
    """Return [examples, candidates, views of `READ` * OF_IMAGINED]; zeros where nothing was imagined.

    `generated` and `confidence` are [examples, G], -1 and 0 for none. Confidence counts against the surest one's of the
    same example. Of each view: lifts weighed by it, the greatest lift times it, how much of it is in what has the
    candidate's own code, and the most of it in one. In the view of items the last says how high the candidate itself
    stands among what was imagined.
    """
    views = [view for view in views if view.name in READ]
    found = np.zeros((*candidates.shape, len(views) * len(OF_IMAGINED)), dtype=np.float16)
    some = np.flatnonzero((generated >= 0).any(axis=1))
    for start in range(0, len(some), CHUNK):
        rows = some[start : start + CHUNK]
        behind = Behind(generated[rows], candidates[rows], np.zeros(len(rows), dtype=np.bool_))
        sure = np.where(generated[rows] >= 0, confidence[rows], 0).astype(np.float32)
        sure /= np.maximum(sure.max(axis=1, keepdims=True), 1e-9)
        found[rows] = np.concatenate([_of_view(view, behind, sure) for view in views], axis=2)
    return found


def _of_view(view: Affinity, behind: Behind, sure: NDArray[np.float32]) -> NDArray[np.float32]:
    lift, same, _ = view.pairs_of(behind)
    weight = sure / np.maximum(sure.sum(axis=1, keepdims=True), 1e-9)  # of which the greatest is 1
    return np.stack(
        [
            np.einsum("ecj,ej->ec", lift, weight),
            (lift * sure[:, None, :]).max(axis=2),
            np.einsum("ecj,ej->ec", same, sure),
            (same * sure[:, None, :]).max(axis=2),
        ],
        axis=2,
    )
