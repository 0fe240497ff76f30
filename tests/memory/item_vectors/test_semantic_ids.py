"""Semantic IDs of vectors: what k-means must find, what a rotation must gain, and what is counted."""

from collections import Counter
from itertools import product

import numpy as np
import pytest

from memory.item_vectors.semantic_ids import Codebook, IdKind, SemanticIds, Vectors, codes_for

CHANCE = np.random.default_rng


def named(vectors: Vectors) -> list[str]:
    return [f"item {row}" for row in range(len(vectors))]


def planted(copies: int = 8) -> tuple[Vectors, np.ndarray[tuple[int, int], np.dtype[np.int64]]]:
    """Return vectors of two blocks, each block near one of four corners, and which corners those are."""
    corners = np.array([[5, 0], [-5, 0], [0, 5], [0, -5]], dtype=np.float32)
    truth = np.array(list(product(range(4), range(4))) * copies)
    vectors = np.concatenate([corners[truth[:, 0]], corners[truth[:, 1]]], axis=1)
    return vectors + CHANCE(0).normal(scale=0.05, size=vectors.shape).astype(np.float32), truth


def correlated(items: int = 2000, dimensions: int = 16) -> Vectors:
    """Return vectors whose variance lies in few directions that no axis has."""
    turn, _ = np.linalg.qr(CHANCE(1).normal(size=(dimensions, dimensions)))
    spread = 0.6 ** np.arange(dimensions)
    return np.asarray(CHANCE(2).normal(size=(items, dimensions)) * spread @ turn.T, dtype=np.float32)


def error(book: Codebook, vectors: Vectors, digits: int | None = None) -> float:
    return float(((vectors - book.vectors_of(book.codes_of(vectors), digits=digits)) ** 2).mean())


def test_planted_clusters_get_ids_of_their_own() -> None:
    vectors, truth = planted()

    found = SemanticIds.of(named(vectors), vectors, digits=2, codes=4)

    by_truth: dict[tuple[int, ...], set[tuple[int, ...]]] = {tuple(own): set() for own in truth.tolist()}
    for own, code in zip(truth.tolist(), found.codes.tolist(), strict=True):
        by_truth[tuple(own)].add(tuple(code))
    assert all(len(codes) == 1 for codes in by_truth.values())
    assert len(set.union(*by_truth.values())) == 16
    assert found.collision_rate == 1.0
    assert found.perplexity == pytest.approx((4, 4))


def test_a_rotation_loses_less_than_the_axes_of_the_vectors() -> None:
    vectors = correlated()

    turned = SemanticIds.of(named(vectors), vectors, codes=16).book
    straight = plain_blocks(vectors, codes=16)

    assert np.allclose(turned.rotation @ turned.rotation.T, np.eye(16), atol=1e-4)
    assert error(turned, vectors) < 0.9 * error(straight, vectors)


def plain_blocks(vectors: Vectors, codes: int) -> Codebook:
    """Return product quantisation without a rotation: each block of axes as semantic IDs of one digit."""
    blocks = np.split(vectors, 4, axis=1)
    books = [SemanticIds.of(named(own), own, kind=IdKind.RESIDUAL, digits=1, codes=codes).book for own in blocks]
    return Codebook(IdKind.PARALLEL, np.eye(16, dtype=np.float32), tuple(book.centres[0] for book in books))


def test_each_residual_digit_tells_more_of_the_vector() -> None:
    vectors = correlated()

    book = SemanticIds.of(named(vectors), vectors, kind=IdKind.RESIDUAL, codes=16).book

    errors = [error(book, vectors, digits) for digits in range(5)]
    assert errors == sorted(errors, reverse=True)
    assert errors[4] < 0.3 * errors[1]


def test_collisions_are_counted_as_items_that_share_an_id() -> None:
    vectors = np.repeat(correlated(400), [2 if row < 40 else 1 for row in range(400)], axis=0)

    found = SemanticIds.of(named(vectors), vectors, codes=64)

    shared = Counter(map(tuple, found.codes.tolist()))
    assert found.collision_rate == sum(n for n in shared.values() if n > 1) / 440
    assert found.collision_rate >= 80 / 440


@pytest.mark.parametrize("kind", list(IdKind))
def test_items_without_a_vector_stay_apart_from_all_others(kind: IdKind) -> None:
    vectors = correlated(200)
    vectors[::20] = 0

    found = SemanticIds.of(named(vectors), vectors, kind=kind, digits=3, codes=8)

    reserved = found.codes[:, 0] == 8
    assert found.sizes == (9, 8, 8)
    assert np.flatnonzero(reserved).tolist() == list(range(0, 200, 20))
    assert len(set(map(tuple, found.codes[reserved].tolist()))) == 10


def test_a_catalog_without_any_vector_still_has_ids() -> None:
    found = SemanticIds.of(["a", "b", "c"], np.zeros((3, 8), dtype=np.float32))

    assert found.collision_rate == 0.0
    assert found.codes.max(axis=0).tolist() < list(found.sizes)


@pytest.mark.parametrize("kind", list(IdKind))
def test_equal_seeds_give_equal_ids(kind: IdKind) -> None:
    vectors = correlated(600, 10)  # ten dimensions do not part into four blocks: they are padded

    first, second, other = (SemanticIds.of(named(vectors), vectors, kind=kind, seed=seed).codes for seed in (3, 3, 4))

    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("items", "codes"), [(0, 2), (20, 2), (100, 8), (3_686, 256), (12_101, 256), (10**6, 256)])
def test_small_catalogs_have_fewer_codes(items: int, codes: int) -> None:
    assert codes_for(items) == codes


def test_new_items_are_told_by_the_codes_that_were_learned() -> None:
    vectors, _ = planted()
    found = SemanticIds.of(named(vectors), vectors, digits=2, codes=4)

    again = found.book.codes_of(vectors + np.float32(0.01))

    assert np.array_equal(again, found.codes)
