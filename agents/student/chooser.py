"""The chooser: for each attribute by itself, which span of the title it is, or none.

A softmax over a title's candidate spans and "absent"; a value that stands in several places is right in each.
"""

import numpy as np

from agents.student.batch import Batch, Scores
from agents.student.posterior import Posterior
from agents.student.sparse_rows import Floats
from agents.student.targets import Targets

_TINY = 1e-30


def loss(batch: Batch, scores: Scores, targets: Targets) -> tuple[float, Scores]:
    """Return the weighted negative log-likelihood of the right spans, and its gradients by the scores."""
    spans, absent, of_title = *_exponentials(batch, scores), batch.title_of_span
    total = _by_title(spans, batch) + absent
    right = _by_title(spans * targets.right, batch) + absent * targets.absent
    weights = targets.weights
    right = np.where(weights > 0, right, total) + _TINY
    value = -float((weights * np.log(right / total)).sum())
    by_span = spans * ((weights / total)[of_title] - (weights / right)[of_title] * targets.right)
    by_absent = (weights * absent * (1 / total - targets.absent / right)).sum(axis=0)
    return value, Scores(by_span.astype(np.float32), np.zeros_like(scores.outside), by_absent.astype(np.float32))


def posterior(batch: Batch, scores: Scores) -> Posterior:
    """Return the shares of the spans and how likely each attribute is stated."""
    spans, absent = _exponentials(batch, scores)
    total = _by_title(spans, batch)
    shares = spans / np.maximum(total, _TINY)[batch.title_of_span]
    return Posterior(shares.astype(np.float32), (total / (total + absent)).astype(np.float32))


def _exponentials(batch: Batch, scores: Scores) -> tuple[Floats, Floats]:
    """Return exp(score) of spans and of "absent" (its score is the bias), over the largest of a title and attribute."""
    largest = np.maximum(np.maximum.reduceat(scores.spans, batch.span_starts[:-1], axis=0), scores.bias)
    return np.exp(scores.spans - largest[batch.title_of_span]), np.exp(scores.bias - largest)


def _by_title(spans: Floats, batch: Batch) -> Floats:
    sums: Floats = np.add.reduceat(spans, batch.span_starts[:-1], axis=0)
    return sums
