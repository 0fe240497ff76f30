"""Which strange values belong together: by spelling and by meaning, the most frequent first."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from agents.values.snapping import MEANING, SPELLING, likeness
from agents.values.words import words

if TYPE_CHECKING:
    from memory.encoder import TextEncoder

MOST = 2_000  # values of one attribute that are compared; the others are rare ones


def clusters(values: Sequence[str], encoder: "TextEncoder") -> list[list[int]]:
    """Return the clusters of values, each as row numbers with its first value first; every value is in one.

    A value joins the first cluster whose first value it is like, else it begins one: with the most frequent values
    first, each cluster is named after the one that most items have. The same values in the same order give the same.
    Of more than `MOST` values the rest is left out.
    """
    values = values[:MOST]
    if not values:
        return []
    folded = [tuple(word.folded for word in words(value)) for value in values]
    vectors = encoder.encode([" ".join(phrase) for phrase in folded])
    found: list[list[int]] = []
    for row, phrase in enumerate(folded):
        leaders = [cluster[0] for cluster in found]
        cosines = vectors[leaders] @ vectors[row] if leaders else np.empty(0)
        home = next((n for n, at in enumerate(leaders) if _alike(phrase, folded[at], float(cosines[n]))), None)
        if home is None:
            found.append([row])
        else:
            found[home].append(row)
    return found


def _alike(one: tuple[str, ...], other: tuple[str, ...], cosine: float) -> bool:
    if not one or not other:
        return one == other
    return likeness(one, other) >= SPELLING or (cosine >= MEANING and not _has_digit(one) and not _has_digit(other))


def _has_digit(phrase: tuple[str, ...]) -> bool:
    return any(char.isdigit() for word in phrase for char in word)
