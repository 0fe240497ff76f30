"""Whitening: each direction counts alike, and nothing known stays nothing."""

import numpy as np

from learning.whitening import Whitening


def test_whitened_training_vectors_have_unit_covariance_before_they_are_normalised() -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(500, 6)) * [5, 3, 2, 1, 1, 0.5] + 4).astype(np.float32)

    whitening = Whitening.fit(vectors, dimensions=4)
    mapped = (vectors - whitening.mean) @ whitening.projection

    assert np.allclose(mapped.T @ mapped / len(mapped), np.eye(4), atol=1e-3)


def test_directions_without_variance_are_left_out() -> None:
    vectors = np.zeros((10, 3), dtype=np.float32)
    vectors[:, 0] = np.arange(10)

    assert Whitening.fit(vectors, dimensions=3).projection.shape == (3, 1)


def test_an_item_of_which_nothing_is_known_is_like_no_other() -> None:
    vectors = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    vectors[3] = 0

    mapped = Whitening.fit(vectors).apply(vectors)

    assert not mapped[3].any()
    assert np.allclose(np.linalg.norm(np.delete(mapped, 3, axis=0), axis=1), 1, atol=1e-5)
