"""Vectors of texts kept on disk, and the search for the categories that an item may belong to."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Self

import numpy as np
from numpy.lib.format import write_array_header_1_0
from numpy.typing import NDArray

from memory.atomic_file import FileUnwritable, written_whole
from memory.category import Category, CategoryCandidate
from memory.category_words import CategoryWords
from memory.encoder import TextEncoder, Vectors

WORDS_WEIGHT = 0.3  # of said words beside the cosine; measured: 0.3 to 0.5 differ little
READ_CHARACTERS = 200  # of a description


Announce = Callable[[int], None]  # told how many texts will be encoded, before it takes its time


def embed_cached(
    texts: Sequence[str], encoder: TextEncoder, cache_dir: Path | None, announce: Announce | None = None
) -> Vectors:
    """Return one vector a text: float32, shape (texts, dimensions); from the cache where it was made before.

    A cache file belongs to one encoder, by its full name, and to these texts in this order; one that cannot be read, or
    holds anything but unit vectors of the right shape, is made anew. Raises `FileUnwritable`.
    """
    if cache_dir is None:
        return encoder.encode(texts)
    path = cache_dir / f"vectors-{_cache_key(texts, encoder)}.npy"
    vectors = _read(path, (len(texts), encoder.dimensions))
    if vectors is None:
        if announce is not None:
            announce(len(texts))
        vectors = encoder.encode(texts)
        _write(path, vectors)
    return vectors


def _cache_key(texts: Sequence[str], encoder: TextEncoder) -> str:
    digest = hashlib.sha256()
    for text in (encoder.name, *texts):
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()[:40]


def _read(path: Path, shape: tuple[int, int]) -> Vectors | None:
    """Return the vectors of a cache file, or None; the header is compared, not parsed, as the file may be anything."""
    header = BytesIO()
    write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    size = header.tell() + 4 * shape[0] * shape[1]
    try:
        content = path.read_bytes() if path.stat().st_size == size else b""
    except OSError:  # not there yet, as a rule
        return None
    if not content.startswith(header.getvalue()):
        return None
    vectors: Vectors = np.frombuffer(content, dtype="<f4", offset=header.tell()).reshape(shape)
    lengths = np.einsum("nd,nd->n", vectors, vectors)
    return vectors if bool(np.all(np.abs(lengths - 1) < 1e-3)) else None


def _write(path: Path, vectors: Vectors) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileUnwritable(f"{str(path.parent)!r} cannot be made: {error.strerror}") from error
    with written_whole(path) as unfinished, unfinished.open("wb") as file:
        np.save(file, vectors, allow_pickle=False)


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
