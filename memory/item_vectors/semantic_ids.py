"""Semantic IDs: each item as L digits, codes of its vector, parallel (OPQ) or residual (RQ-KMeans); needs faiss."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Self

import faiss
import numpy as np
from numpy.typing import NDArray

from memory.item_vectors.valid_ids import Codes, ValidIds

Vectors = NDArray[np.float32]

DIGITS, CODES = 4, 256
ITEMS_PER_CODE = 8  # at least, on average: a code that two or three items have says nothing but which item it is
ROUNDS = 25  # of k-means
ROTATIONS = 30  # of OPQ: k-means and the orthogonal Procrustes step in turn
ENCODED_AT_ONCE = 16_384


class IdKind(StrEnum):
    """What a digit is a code of."""

    PARALLEL = "parallel"  # one block of the rotated vector (Ge et al. 2013, optimized product quantization)
    RESIDUAL = "residual"  # what the digits before have left over


@dataclass(frozen=True, eq=False)
class Codebook:
    """The centres that vectors are told by; `rotation` [d, padded d] comes first, the identity for residual codes."""

    kind: IdKind
    rotation: Vectors
    centres: tuple[Vectors, ...]  # of each digit, [codes, d of a block], or [codes, padded d] of residual ones

    def codes_of(self, vectors: Vectors) -> Codes:
        """Return the codes of vectors [items, d], one a digit: [items, L]."""
        parts = range(0, len(vectors), ENCODED_AT_ONCE)
        found = [self._codes(vectors[start : start + ENCODED_AT_ONCE] @ self.rotation) for start in parts]
        return np.concatenate([np.zeros((0, len(self.centres)), dtype=np.int64), *found])

    def vectors_of(self, codes: Codes, *, digits: int | None = None) -> Vectors:
        """Return what the first `digits` (all unless given) of each item's codes say its vector is: [items, d]."""
        kept = len(self.centres) if digits is None else digits
        said = [
            centre[code] if place < kept else np.zeros_like(centre[code])
            for place, (centre, code) in enumerate(zip(self.centres, codes.T, strict=True))
        ]
        whole = np.concatenate(said, axis=1) if self.kind is IdKind.PARALLEL else np.sum(said, axis=0)
        return np.asarray(whole @ self.rotation.T, dtype=np.float32)

    def _codes(self, rotated: Vectors) -> Codes:
        if self.kind is IdKind.PARALLEL:
            blocks = np.split(rotated, len(self.centres), axis=1)
            return np.stack([_nearest(block, own) for block, own in zip(blocks, self.centres, strict=True)], axis=1)
        found = []
        for own in self.centres:
            found.append(_nearest(rotated, own))
            rotated = rotated - own[found[-1]]
        return np.stack(found, axis=1)


@dataclass(frozen=True, eq=False)
class SemanticIds:
    """The digits of each item: row i of `codes` is item `ids[i]`; digit l counts from 0 below `sizes[l]`.

    An item without a vector (zeros) has, first, a code that only such items have, the last one below `sizes[0]`; its
    other digits spell its number among them, so that they stay apart without claiming to be alike. With one digit they
    share one ID.
    """

    ids: tuple[str, ...]
    codes: Codes  # [items, L]
    sizes: tuple[int, ...]  # L
    kind: IdKind
    book: Codebook
    known: NDArray[np.bool_]  # which items have a vector

    @classmethod
    def of(
        cls,
        ids: Sequence[str],
        vectors: Vectors,
        *,
        kind: IdKind = IdKind.PARALLEL,
        digits: int = DIGITS,
        codes: int | None = None,
        seed: int = 0,
    ) -> Self:
        """Return the IDs of vectors [items, d], by k-means of one thread: equal seeds give equal IDs.

        `codes` is how many codes a digit has, a power of two; unless given the largest one that leaves `ITEMS_PER_CODE`
        items a code, at least 2 and at most `CODES`. Raises `TooManyIds`.
        """
        faiss.omp_set_num_threads(1)
        known = np.any(vectors != 0, axis=1)
        learned = np.ascontiguousarray(vectors[known], dtype=np.float32)
        book = _book(learned, kind, digits, codes or codes_for(len(learned)), seed)
        size = len(book.centres[0])
        sizes = (size + int(not known.all()), *(size for _ in range(digits - 1)))
        found = np.zeros((len(vectors), digits), dtype=np.int64)
        found[known] = book.codes_of(learned)
        found[~known] = _spelled(int((~known).sum()), sizes)
        return cls(tuple(ids), found, sizes, kind, book, known)

    @property
    def collision_rate(self) -> float:
        """The share of items that share their ID with another one."""
        counts = self.valid.counts
        return float(counts[counts > 1].sum() / max(1, len(self.ids)))

    @property
    def perplexity(self) -> tuple[float, ...]:
        """Of each digit, how many codes are in use, as if all of them were used equally; items with vectors alone."""
        return tuple(_perplexity(own) for own in self.codes[self.known].T)

    @cached_property
    def valid(self) -> ValidIds:
        """The items of an ID, and which digits may follow when some are known, from left to right or in any order."""
        return ValidIds(self.codes, self.sizes)


def codes_for(items: int) -> int:
    """Return how many codes a digit has in a catalog of so many items with vectors."""
    exponent = int(np.clip(np.log2(max(1, items) / ITEMS_PER_CODE), 1, np.log2(CODES)))
    return 1 << exponent


def _book(vectors: Vectors, kind: IdKind, digits: int, codes: int, seed: int) -> Codebook:
    width = -(-vectors.shape[1] // digits) * digits if kind is IdKind.PARALLEL else vectors.shape[1]
    padded = np.eye(vectors.shape[1], width, dtype=np.float32)
    if not len(vectors):
        block = width // digits if kind is IdKind.PARALLEL else width
        return Codebook(kind, padded, tuple(np.zeros((codes, block), dtype=np.float32) for _ in range(digits)))
    if kind is IdKind.RESIDUAL:
        return Codebook(kind, padded, _residual_centres(vectors, digits, codes, seed))
    wide = np.ascontiguousarray(vectors @ padded)
    # OPQ starts from a random rotation, and may end worse than without one where there is little to learn from.
    turns = (_rotation(wide, digits, codes, seed), np.eye(width, dtype=np.float32))
    books = [_parallel(wide, turn, digits, codes, seed) for turn in turns]
    best = min(books, key=lambda book: _error(book, wide))
    return Codebook(kind, padded @ best.rotation, best.centres)


def _parallel(vectors: Vectors, turn: Vectors, digits: int, codes: int, seed: int) -> Codebook:
    blocks = np.split(vectors @ turn, digits, axis=1)
    centres = tuple(_centres(block, codes, seed + place) for place, block in enumerate(blocks))
    return Codebook(IdKind.PARALLEL, turn, centres)


def _error(book: Codebook, vectors: Vectors) -> float:
    return float(((vectors - book.vectors_of(book.codes_of(vectors))) ** 2).sum())


def _rotation(vectors: Vectors, digits: int, codes: int, seed: int) -> Vectors:
    """Return the orthogonal matrix [d, d] after which blocks of dimensions are best quantised one by one."""
    width = vectors.shape[1]
    quantizer = faiss.ProductQuantizer(width, digits, int(np.log2(codes)))
    quantizer.cp.seed, quantizer.cp.min_points_per_centroid = seed + 1, 1
    turn = faiss.OPQMatrix(width, digits)
    turn.pq, turn.niter = quantizer, ROTATIONS
    turn.train(vectors)
    return np.asarray(faiss.vector_to_array(turn.A).reshape(width, width).T, dtype=np.float32)


def _residual_centres(vectors: Vectors, digits: int, codes: int, seed: int) -> tuple[Vectors, ...]:
    found = []
    for place in range(digits):
        found.append(_centres(vectors, codes, seed + place))
        vectors = vectors - found[-1][_nearest(vectors, found[-1])]
    return tuple(found)


def _centres(vectors: Vectors, codes: int, seed: int) -> Vectors:
    """Return k-means centres [codes, d]; a catalog with fewer vectors than codes has some of them twice."""
    points = np.ascontiguousarray(vectors, dtype=np.float32)
    if len(points) <= codes:
        return points[np.arange(codes) % len(points)]
    means = faiss.Kmeans(points.shape[1], codes, niter=ROUNDS, seed=seed + 1, min_points_per_centroid=1)
    means.train(points)
    return np.asarray(means.centroids, dtype=np.float32)


def _nearest(vectors: Vectors, centres: Vectors) -> Codes:
    """Return the nearest centre of each vector; of equally near ones the first."""
    return np.asarray(((centres**2).sum(axis=1) - 2 * vectors @ centres.T).argmin(axis=1), dtype=np.int64)


def _spelled(count: int, sizes: Sequence[int]) -> Codes:
    """Return the IDs of `count` items without a vector: the reserved code, then the item's number in digits."""
    number, digits = np.arange(count), np.zeros((count, len(sizes)), dtype=np.int64)
    for place in range(len(sizes) - 1, 0, -1):
        number, digits[:, place] = np.divmod(number, sizes[place])
    digits[:, 0] = sizes[0] - 1
    return digits


def _perplexity(codes: Codes) -> float:
    share = np.unique(codes, return_counts=True)[1] / max(1, len(codes))
    return float(np.exp(-(share * np.log(share)).sum()))
