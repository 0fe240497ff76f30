"""The projection of item vectors, and its loss against cases worked out by hand."""

import math

import numpy as np
import pytest
import torch

from memory.item_vectors.parts import Part
from memory.item_vectors.vectors import ItemVectors
from ranker.alignment import AlignmentConfig, NothingToAlign, align, contrastive_loss, geometry_loss
from ranker.co_behavior import CoBehaviors
from tests.ranker.test_co_behavior import sequences

NOTHING = torch.zeros(2)
NOBODY = torch.zeros((2, 2), dtype=torch.bool)
COSINES = torch.tensor([[0.8, 0.2], [0.4, 0.6]])


def test_the_loss_is_the_mean_cross_entropy_of_the_own_column() -> None:
    loss = contrastive_loss(COSINES, NOTHING, NOBODY, temperature=0.5)

    first = -math.log(math.exp(1.6) / (math.exp(1.6) + math.exp(0.4)))
    second = -math.log(math.exp(1.2) / (math.exp(0.8) + math.exp(1.2)))
    assert float(loss) == pytest.approx((first + second) / 2)


def test_a_popular_negative_counts_less() -> None:
    shares = torch.tensor([0.75, 0.25])

    loss = contrastive_loss(COSINES, shares.log(), NOBODY, temperature=1.0)

    first = -math.log((math.exp(0.8) / 0.75) / (math.exp(0.8) / 0.75 + math.exp(0.2) / 0.25))
    second = -math.log((math.exp(0.6) / 0.25) / (math.exp(0.4) / 0.75 + math.exp(0.6) / 0.25))
    assert float(loss) == pytest.approx((first + second) / 2)


def test_a_masked_column_is_no_negative_and_the_own_one_always_counts() -> None:
    loss = contrastive_loss(COSINES, NOTHING, torch.ones((2, 2), dtype=torch.bool), temperature=1.0)

    assert float(loss) == 0.0


def test_more_columns_than_pairs_are_more_negatives() -> None:
    wider = torch.cat([COSINES, torch.tensor([[0.1], [0.9]])], dim=1)

    loss = contrastive_loss(wider, torch.zeros(3), torch.tensor([[False, True, False]] * 2), temperature=1.0)

    first = -math.log(math.exp(0.8) / (math.exp(0.8) + math.exp(0.1)))
    second = -math.log(math.exp(0.6) / (math.exp(0.4) + math.exp(0.6) + math.exp(0.9)))
    assert float(loss) == pytest.approx((first + second) / 2)


def test_the_geometry_term_is_the_mean_square_of_what_cosines_changed() -> None:
    given = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    aligned = torch.tensor([[1.0, 0.0], [0.6, 0.8]])

    assert float(geometry_loss(aligned, given)) == pytest.approx(2 * 0.6**2 / 4)
    assert float(geometry_loss(given, given)) == 0.0


SMALL = AlignmentConfig(
    epochs=15, patience=15, batch_size=32, dimensions=16, hidden=32, learning_rate=0.005, geometry=0.0, hard=1
)


def two_shelves() -> tuple[ItemVectors, CoBehaviors]:
    """Forty items of random text; shoppers buy even ones with even ones, odd ones with odd ones."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(40, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    shoppers = [(2 * random.choice(20, size=4, replace=False) + shelf).tolist() for shelf in (0, 1) for _ in range(60)]
    ids = tuple(f"i{row:02}" for row in range(40))
    return ItemVectors(ids, vectors, "letters@1", (Part.TITLE,), 1), CoBehaviors.of(sequences(*shoppers), 40)


def apart(vectors: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
    """Return how much nearer items of one shelf are than items of different ones."""
    cosines = vectors @ vectors.T
    same = np.equal.outer(np.arange(40) % 2, np.arange(40) % 2)
    return float(cosines[same & ~np.eye(40, dtype=bool)].mean() - cosines[~same].mean())


def test_items_that_the_same_shoppers_choose_come_nearer() -> None:
    vectors, pairs = two_shelves()

    aligned, report = align(vectors, pairs, SMALL)

    assert apart(aligned.vectors) > apart(vectors.vectors) + 0.3
    assert report.aligned > report.raw
    assert np.linalg.norm(aligned.vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert (aligned.ids, aligned.version) == (vectors.ids, vectors.version)
    assert aligned.encoder.startswith("letters@1+aligned@")


def test_a_heavy_geometry_term_keeps_the_cosines_of_the_text() -> None:
    vectors, pairs = two_shelves()

    loose, _ = align(vectors, pairs, SMALL)
    kept, _ = align(vectors, pairs, SMALL.model_copy(update={"geometry": 1000.0}))

    def changed(made: ItemVectors) -> float:
        return float(np.square(made.vectors @ made.vectors.T - vectors.vectors @ vectors.vectors.T).mean())

    assert changed(kept) < changed(loose) / 3


def test_equal_seeds_give_equal_vectors_and_others_do_not() -> None:
    vectors, pairs = two_shelves()
    short = SMALL.model_copy(update={"epochs": 2})

    first, again = align(vectors, pairs, short)[0], align(vectors, pairs, short)[0]
    other = align(vectors, pairs, short.model_copy(update={"seed": 1}))[0]

    assert np.array_equal(first.vectors, again.vectors)
    assert first.encoder == again.encoder != other.encoder


def test_too_few_pairs_are_told() -> None:
    vectors, _ = two_shelves()

    with pytest.raises(NothingToAlign, match="0 pairs"):
        align(vectors, CoBehaviors.of(sequences([1]), 40), SMALL)
