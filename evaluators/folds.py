"""How annotated titles are dealt into folds: each category evenly, by a seed."""

import random
from collections import defaultdict
from collections.abc import Sequence

from evaluators.annotated import AnnotatedTitle


def deal(titles: Sequence[AnnotatedTitle], folds: int, seed: int) -> list[int]:
    """Return each title's fold, 0 … folds-1, in order; the folds of a category differ by one title at most.

    Titles that read the same get the same fold, as a copy in training would give the answer away.
    """
    first: dict[str, int] = {}
    by_category: defaultdict[str, list[int]] = defaultdict(list)
    for row, annotated in enumerate(titles):
        if annotated.title not in first:
            by_category[annotated.category].append(row)
        first.setdefault(annotated.title, row)
    shuffle = random.Random(seed)  # noqa: S311 - a reproducible deal, no secret
    dealt: dict[int, int] = {}
    for category in sorted(by_category):
        rows = by_category[category]
        shuffle.shuffle(rows)
        for row in rows:
            dealt[row] = len(dealt) % folds
    return [dealt[first[annotated.title]] for annotated in titles]
