"""The nearest of many vectors."""

import numpy as np
import pytest

from memory.item_vectors.search import NearestItems, Vectors


def unit_vectors(number: int, dimensions: int = 16) -> Vectors:
    vectors = np.random.default_rng(0).normal(size=(number, dimensions)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def test_below_the_limit_the_search_is_exact() -> None:
    vectors = unit_vectors(500)
    nearest = NearestItems(vectors)

    rows, cosines = nearest.search(vectors[:20], 5)

    expected = np.argsort(-(vectors[:20] @ vectors.T), axis=1)[:, :5]
    assert nearest.exact
    assert np.array_equal(rows, expected)
    assert cosines[:, 0] == pytest.approx(1, abs=1e-5)
    assert (np.diff(cosines, axis=1) <= 0).all()


def test_above_the_limit_the_graph_finds_nearly_all() -> None:
    vectors = unit_vectors(3000)
    nearest, exact = NearestItems(vectors, exact_below=1000), NearestItems(vectors)

    found, true = nearest.search(vectors[:200], 10)[0], exact.search(vectors[:200], 10)[0]

    shares = [len(set(f) & set(t)) / 10 for f, t in zip(found.tolist(), true.tolist(), strict=True)]
    assert not nearest.exact
    assert np.mean(shares) > 0.95


def test_where_there_are_too_few_the_rest_is_marked() -> None:
    rows, cosines = NearestItems(unit_vectors(2)).search(unit_vectors(2)[:1], 4)

    assert rows[0].tolist()[2:] == [-1, -1]
    assert np.isneginf(cosines[0, 2:]).all()
    assert np.isfinite(cosines[0, :2]).all()
