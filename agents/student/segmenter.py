"""The segmenter: how a title falls as a whole into values and tokens outside of values.

A semi-Markov model without transitions (Sarawagi & Cohen, NIPS 2004): the score of a segmentation is the sum over its
segments; sums over all segmentations are found by dynamic programming, for all titles of a batch at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.student.batch import Batch, Scores
from agents.student.candidates import LONGEST
from agents.student.posterior import Posterior
from agents.student.sparse_rows import Indices
from agents.student.targets import Targets

_NEVER = -1e9  # the log of nought, but finite
_TINY = 1e-12

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class _Places:
    """Where the spans and tokens of a batch stand in arrays of shape (titles, longest title …)."""

    title: Indices  # of each span
    begin: Indices
    end: Indices
    token_title: Indices
    token: Indices
    longest: int  # tokens


@dataclass(frozen=True)
class _Marginals:
    """Log of the sum over all segmentations, and how likely each part is in one."""

    total: Doubles  # (titles,)
    spans: Doubles  # (spans, attributes)
    outside: Doubles  # (tokens,)


def loss(batch: Batch, scores: Scores, targets: Targets) -> tuple[float, Scores]:
    """Return the negative log-likelihood of the right segmentations, and its gradients by the scores."""
    found = _marginals(batch, scores)
    chosen = float(((scores.spans + scores.bias) * targets.segments).sum() + (scores.outside * targets.outside).sum())
    by_span = (found.spans - targets.segments).astype(np.float32)
    outside = (found.outside - targets.outside).astype(np.float32)
    return float(found.total.sum()) - chosen, Scores(by_span, outside, by_span.sum(axis=0))


def posterior(batch: Batch, scores: Scores) -> Posterior:
    """Return the spans' marginals, each attribute's divided by their sum, and that sum, at most 1."""
    spans = _marginals(batch, scores).spans
    sums = np.add.reduceat(spans, batch.span_starts[:-1], axis=0)
    shares = spans / (sums[batch.title_of_span] + _TINY)
    return Posterior(shares.astype(np.float32), np.minimum(sums, 1).astype(np.float32))


def _marginals(batch: Batch, scores: Scores) -> _Marginals:
    places = _places(batch)
    values = (scores.spans + scores.bias).astype(np.float64)
    segments = _segments(values, places, len(batch.span_starts) - 1)
    outside = np.zeros((len(segments), places.longest))
    outside[places.token_title, places.token] = scores.outside
    before, after = _before(segments, outside), _after(segments, outside)
    total = before[:, -1]
    around = before[places.title, places.begin] + after[places.title, places.end] - total[places.title]
    spans = np.exp(np.minimum(values + around[:, None], 0))
    around = before[places.token_title, places.token] + after[places.token_title, places.token + 1]
    tokens = np.exp(np.minimum(scores.outside + around - total[places.token_title], 0))
    return _Marginals(total, spans, tokens)


def _places(batch: Batch) -> _Places:
    title = batch.title_of_span
    starts = batch.token_starts
    lengths = np.diff(starts)
    token_title = np.repeat(np.arange(len(lengths)), lengths)
    return _Places(
        title=title,
        begin=batch.first - starts[title],
        end=batch.last - starts[title],
        token_title=token_title,
        token=np.arange(starts[-1]) - starts[token_title],
        longest=int(lengths.max()),
    )


def _segments(values: Doubles, places: _Places, titles: int) -> Doubles:
    """Return the log-sum over attributes of each segment: shape (titles, end, length)."""
    segments = np.full((titles, places.longest + 1, LONGEST + 1), _NEVER)
    cells = (places.title, places.end, places.end - places.begin)
    np.logaddexp.at(segments, cells, _log_sum(values))  # several spans may lie over the same tokens
    return segments


def _before(segments: Doubles, outside: Doubles) -> Doubles:
    """Return the log-sum over all segmentations of the first n tokens: shape (titles, longest + 1)."""
    titles, width = outside.shape
    sums = np.full((titles, width + 1), _NEVER)
    sums[:, 0] = 0
    for end in range(1, width + 1):
        reach = min(end, LONGEST)
        with_segment = sums[:, end - reach : end][:, ::-1] + segments[:, end, 1 : reach + 1]
        without = sums[:, end - 1] + outside[:, end - 1]
        sums[:, end] = _log_sum(np.column_stack([without, with_segment]))
    return sums


def _after(segments: Doubles, outside: Doubles) -> Doubles:
    """Return the log-sum over all segmentations of what follows n tokens: shape (titles, longest + 1)."""
    titles, width = outside.shape
    sums = np.full((titles, width + 1), _NEVER)
    sums[:, width] = 0
    for begin in range(width - 1, -1, -1):
        lengths = np.arange(1, min(width - begin, LONGEST) + 1)
        with_segment = sums[:, begin + lengths] + segments[:, begin + lengths, lengths]
        without = sums[:, begin + 1] + outside[:, begin]
        sums[:, begin] = _log_sum(np.column_stack([without, with_segment]))
    return sums


def _log_sum(values: Doubles) -> Doubles:
    largest = values.max(axis=1)
    sums: Doubles = largest + np.log(np.exp(values - largest[:, None]).sum(axis=1))
    return sums
