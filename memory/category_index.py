"""The search for the categories that an item may belong to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from memory.cached_vectors import Announce, embed_cached
from memory.category import Category, CategoryCandidate
from memory.category_words import CategoryWords
from memory.encoder import TextEncoder, Vectors

WORDS_WEIGHT = 0.3  # of said words beside the cosine; measured: 0.3 to 0.5 differ little
READ_CHARACTERS = 200  # of a description


@dataclass(frozen=True)
class CategoryIndex:
    """The categories of a taxonomy, searchable by a product's text; build it with `CategoryIndex.build`.

    A category's similarity is the cosine of the text with its phrases (name, path, each other word), half the best and
    half the mean of them, plus how plainly the text says its words: the encoder hardly knows any German.
    """

    categories: tuple[Category, ...]
    encoder: TextEncoder
    phrases: Vectors  # one row a phrase, those of a category side by side
    starts: NDArray[np.intp]  # the row where each category's phrases begin
    words: CategoryWords

    @classmethod
    def build(
        cls,
        categories: Sequence[Category],
        encoder: TextEncoder,
        cache_dir: Path | None,
        announce: Announce | None = None,
    ) -> Self:
        """Return the index of the categories, in their order; vectors are kept in `cache_dir`, if there is one.

        Raises `WeightsMissing`, `WeightsDamaged` and `FileUnwritable`.
        """
        phrases = [_phrases(category) for category in categories]
        distinct = {text: row for row, text in enumerate(dict.fromkeys(p for own in phrases for p in own))}
        vectors = embed_cached(tuple(distinct), encoder, cache_dir, announce)
        rows = np.array([distinct[phrase] for own in phrases for phrase in own], dtype=np.intp)
        starts = np.cumsum([0, *(len(own) for own in phrases)], dtype=np.intp)[:-1]
        words = CategoryWords.build([(category.name, *category.also) for category in categories])
        return cls(tuple(categories), encoder, vectors[rows], starts, words)

    def search(self, text: str, k: int = 8, *, description: str = "") -> tuple[CategoryCandidate, ...]:
        """Return the `k` best categories for a product's title, best first; of equals, the first in the taxonomy.

        The beginning of the description counts half; it tells what a title of brand and series alone does not.
        """
        if not self.categories:
            return ()
        similarity = self._cosines(text, description[:READ_CHARACTERS])
        plainness = self.words.plainness(text, description[:READ_CHARACTERS])
        scores = (similarity + WORDS_WEIGHT * plainness) / (1 + WORDS_WEIGHT)
        best = np.argsort(-scores, kind="stable")[:k]
        return tuple(self._candidate(int(row), float(scores[row])) for row in best)

    def _cosines(self, text: str, description: str) -> Vectors:
        """Return each category's cosine with the title, and with title and description: the mean of both."""
        texts = [text, f"{text}. {description}"] if description else [text]
        # A dot product a phrase: for "@" BLAS wakes its threads, whose spinning costs more than the whole encoder.
        cosines = np.vecdot(self.phrases, self.encoder.encode(texts).mean(axis=0))
        counts = np.diff(self.starts, append=len(cosines))
        mean = np.add.reduceat(cosines, self.starts) / counts
        return np.asarray((np.maximum.reduceat(cosines, self.starts) + mean) / 2, dtype=np.float32)

    def _candidate(self, row: int, score: float) -> CategoryCandidate:
        category = self.categories[row]
        return CategoryCandidate(category_id=category.id, path=category.path, score=min(max(score, -1.0), 1.0))


def _phrases(category: Category) -> tuple[str, ...]:
    return tuple(dict.fromkeys((category.name, " > ".join(category.path), *category.also)))
