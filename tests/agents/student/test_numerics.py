"""The student's algebra and losses, against dense matrices, enumeration and finite differences."""

from itertools import pairwise, product

import numpy as np
import pytest

from agents.student import chooser, segmenter
from agents.student.batch import Batch, Scores, batch_of, gradient, score
from agents.student.lbfgs import minimise
from agents.student.parameters import CategoryShape, Layout, Shape, layout_of
from agents.student.sparse_rows import Floats, SparseRows
from agents.student.targets import Targets, targets_of
from agents.student.title_view import view_title
from agents.student.training import Loss
from agents.student.weights import Columns, add_gradient, columns_of, weights_of
from tests.agents.student.made_up_titles import ENCODER, made_up_titles

NAMES = ("Brand", "Colour", "Size")


def small_batch(titles: int = 3) -> tuple[Batch, Columns, Targets, Layout]:
    annotated = made_up_titles(titles, seed=1)
    views = [view_title(a.title, (), ENCODER) for a in annotated]
    tokens = sorted({name for view in views for row in view.token_features for name in row})[::3]
    spans = sorted({name for view in views for row in view.span_features for name in row})[::3]
    category = CategoryShape(np.array([0, 1, 3]), np.arange(0, len(tokens), 2), np.arange(0, len(spans), 2))
    batch = batch_of(views, {n: i for i, n in enumerate(tokens)}, {n: i for i, n in enumerate(spans)})
    columns = columns_of(0, category, np.arange(len(tokens)), np.arange(len(spans)))
    layout = layout_of(Shape(4, len(tokens), len(spans), 3 * ENCODER.dimensions, [category]))
    return batch, columns, targets_of(batch, views, annotated, NAMES), layout


def test_sparse_rows_multiply_like_the_dense_matrix() -> None:
    rows = SparseRows.of([[0, 2, 2], [], [1]], 4)
    matrix = np.array([[1, 0, 2, 0], [0, 0, 0, 0], [0, 1, 0, 0]], dtype=np.float32)
    left, right = np.arange(12, dtype=np.float32).reshape(4, 3), np.arange(6, dtype=np.float32).reshape(3, 2)

    products = rows.times(left), rows.transposed.times(right)

    np.testing.assert_array_equal(products[0], matrix @ left)
    np.testing.assert_array_equal(products[1], matrix.T @ right)


def test_rows_and_columns_with_more_ones_than_a_piece_are_summed_whole() -> None:
    draw = np.random.default_rng(3)
    matrix = (draw.random((7, 700)) < np.array([[0], [0.9], [0.01], [1], [0.3], [0.05], [0]])).astype(np.float32)
    rows = SparseRows.of([np.flatnonzero(row).tolist() for row in matrix], 700)
    left, right = (draw.integers(-9, 9, (size, 2)).astype(np.float32) for size in (700, 7))

    products = rows.times(left), rows.transposed.times(right)

    np.testing.assert_array_equal(products[0], matrix @ left)
    np.testing.assert_array_equal(products[1], matrix.T @ right)


def test_the_minimum_of_a_crooked_valley_is_found() -> None:
    def rosenbrock(x: Floats) -> tuple[float, Floats]:
        a, b = float(x[0]), float(x[1])
        slope = np.array([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)], dtype=np.float32)
        return (1 - a) ** 2 + 100 * (b - a * a) ** 2, slope

    steps = list(minimise(rosenbrock, np.array([-1.2, 1], dtype=np.float32), most_steps=100, tolerance=0))

    assert steps[-1].point == pytest.approx([1, 1], abs=1e-2)
    assert all(later.loss <= earlier.loss for earlier, later in pairwise(steps))


@pytest.mark.parametrize("loss", [chooser.loss, segmenter.loss])
def test_gradients_are_those_of_finite_differences(loss: Loss) -> None:
    batch, columns, targets, layout = small_batch()
    draw = np.random.default_rng(0)
    point = (0.3 * draw.standard_normal(layout.size)).astype(np.float32)
    slope = np.zeros_like(point)

    _, upstream = loss(batch, score(batch, weights_of(layout.views(point), columns)), targets)
    add_gradient(gradient(batch, upstream), columns, layout.views(slope))

    for _ in range(5):
        direction = draw.standard_normal(layout.size).astype(np.float32)
        ahead, behind = (
            loss(batch, score(batch, weights_of(layout.views(point + np.float32(step) * direction), columns)), targets)[
                0
            ]
            for step in (0.005, -0.005)
        )
        assert (ahead - behind) / 0.01 == pytest.approx(float(slope @ direction), rel=0.02, abs=0.05)


def test_the_segmenter_sums_over_exactly_the_segmentations_without_overlaps() -> None:
    batch, _, _, _ = small_batch(titles=1)
    tokens = 3  # of the title, the others are cut off so that all segmentations can be listed
    kept = np.flatnonzero(batch.last <= tokens)
    batch = Batch(
        tokens=batch.tokens,
        spans=batch.spans,
        contexts=batch.contexts[:tokens],
        first=batch.first[kept],
        last=batch.last[kept],
        span_starts=np.array([0, len(kept)]),
        token_starts=np.array([0, tokens]),
    )
    draw = np.random.default_rng(1)
    scores = Scores(
        draw.standard_normal((len(kept), 3)).astype(np.float32),
        draw.standard_normal(tokens).astype(np.float32),
        draw.standard_normal(3).astype(np.float32),
    )

    posterior = segmenter.posterior(batch, scores)

    marginals = _listed(batch, scores, tokens)
    np.testing.assert_allclose(posterior.shares, marginals / marginals.sum(axis=0), rtol=1e-4)
    np.testing.assert_allclose(posterior.stated[0], np.minimum(marginals.sum(axis=0), 1), rtol=1e-4)


def _listed(batch: Batch, scores: Scores, tokens: int) -> Floats:
    """Return each span's probability by listing all segmentations: choose spans, drop choices that overlap."""
    total, marginals = 0.0, np.zeros_like(scores.spans)
    spans = len(batch.first)
    for choice in product(range(-1, 3), repeat=spans):  # -1: the span is no segment
        covered = [t for n, a in enumerate(choice) if a >= 0 for t in range(batch.first[n], batch.last[n])]
        if len(covered) != len(set(covered)):
            continue
        free = [t for t in range(tokens) if t not in covered]
        parts = [(n, a) for n, a in enumerate(choice) if a >= 0]
        weight = np.exp(sum(scores.spans[n, a] + scores.bias[a] for n, a in parts) + scores.outside[free].sum())
        total += weight
        for n, a in parts:
            marginals[n, a] += weight
    return (marginals / total).astype(np.float32)
