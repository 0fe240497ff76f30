"""The titles of one category as matrices, and the scores of their spans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from agents.student.parameters import ROLES
from agents.student.sparse_rows import Floats, Indices, SparseRows
from agents.student.title_view import TitleView
from agents.student.weights import Weights

INSIDE_WEIGHT = np.float32(0.5)  # of a feature of a token inside the span, against one of its edges


@dataclass(frozen=True)
class Batch:
    """Titles of one category, their tokens and candidate spans numbered through."""

    tokens: SparseRows  # (tokens, token features)
    spans: SparseRows
    contexts: Floats
    first: Indices  # of each span: its first token
    last: Indices  # of each span: the token after its last
    span_starts: Indices  # of each title: its first span; ends with the number of spans
    token_starts: Indices

    @cached_property
    def title_of_span(self) -> Indices:
        """The title of each span."""
        return np.repeat(np.arange(len(self.span_starts) - 1), np.diff(self.span_starts))

    @cached_property
    def lengths(self) -> Floats:
        """The tokens of each span, shape (spans, 1)."""
        return (self.last - self.first).astype(np.float32)[:, None]

    @cached_property
    def by_first(self) -> SparseRows:
        """(tokens, spans): which spans begin with a token."""
        return _choice(self.first, len(self.contexts)).transposed

    @cached_property
    def by_last(self) -> SparseRows:
        """(tokens, spans): which spans end with a token."""
        return _choice(self.last - 1, len(self.contexts)).transposed


@dataclass(frozen=True)
class Scores:
    """How well each span suits each attribute, and each token no attribute at all."""

    spans: Floats  # (spans, attributes)
    outside: Floats  # (tokens,)
    bias: Floats  # (attributes,)


def batch_of(views: Sequence[TitleView], token_ids: Mapping[str, int], span_ids: Mapping[str, int]) -> Batch:
    """Return the batch of at least one title; features that are not in the vocabularies are passed over."""
    token_counts = [len(view.tokens) for view in views]
    token_starts = np.concatenate([[0], np.cumsum(token_counts)])
    span_starts = np.concatenate([[0], np.cumsum([len(view.spans) for view in views])])
    offsets = np.repeat(token_starts[:-1], np.diff(span_starts))
    tokens = _known([row for view in views for row in view.token_features], token_ids)
    spans = _known([row for view in views for row in view.span_features], span_ids)
    return Batch(
        tokens=SparseRows.of(tokens, len(token_ids)),
        spans=SparseRows.of(spans, len(span_ids)),
        contexts=np.concatenate([view.contexts for view in views]),
        first=np.array([span.first for view in views for span in view.spans], dtype=np.int64) + offsets,
        last=np.array([span.last for view in views for span in view.spans], dtype=np.int64) + offsets,
        span_starts=span_starts,
        token_starts=token_starts,
    )


def score(batch: Batch, weights: Weights) -> Scores:
    """Return the scores: a sum over the span's features, its edges' and its inner tokens' features and contexts."""
    width = len(weights.bias)
    lexical, meaning = batch.tokens.times(weights.token), batch.contexts @ weights.context
    both = lexical + meaning
    first, last, inner = (slice(role * width, (role + 1) * width) for role in range(ROLES))
    spans = batch.spans.times(weights.span)
    spans += both[batch.first, first]
    spans += both[batch.last - 1, last]
    spans += INSIDE_WEIGHT * _sums(lexical[:, inner], batch)
    spans += _sums(meaning[:, inner], batch) / batch.lengths
    return Scores(spans, both[:, -1], weights.bias)


def gradient(batch: Batch, upstream: Scores) -> Weights:
    """Return what the loss's gradients by the scores make of the weights."""
    slope, outside = upstream.spans, upstream.outside[:, None]
    first, last = batch.by_first.times(slope), batch.by_last.times(slope)
    mean = slope / batch.lengths
    inner = INSIDE_WEIGHT * _covering(first, last)
    mean_inner = _covering(batch.by_first.times(mean), batch.by_last.times(mean))
    lexical, contextual = (np.concatenate([first, last, part, outside], axis=1) for part in (inner, mean_inner))
    return Weights(
        token=batch.tokens.transposed.times(lexical),
        span=batch.spans.transposed.times(slope),
        context=batch.contexts.T @ contextual,
        bias=upstream.bias,
    )


def _choice(columns: Indices, width: int) -> SparseRows:
    return SparseRows(columns, np.arange(len(columns) + 1), width)


def _known(rows: Sequence[Sequence[str]], ids: Mapping[str, int]) -> list[list[int]]:
    return [[ids[name] for name in row if name in ids] for row in rows]


def _sums(tokens: Floats, batch: Batch) -> Floats:
    """Return for each span the sum over its tokens; in double precision, as it is a difference of running sums."""
    running = np.concatenate([np.zeros((1, tokens.shape[1])), np.cumsum(tokens, axis=0, dtype=np.float64)])
    sums: Floats = (running[batch.last] - running[batch.first]).astype(np.float32)
    return sums


def _covering(first: Floats, last: Floats) -> Floats:
    """Return for each token the sum over the spans that cover it, from the sums over those that begin and end there."""
    ended = np.concatenate([np.zeros((1, last.shape[1]), dtype=last.dtype), last[:-1]])
    covering: Floats = np.cumsum(first - ended, axis=0, dtype=np.float64).astype(np.float32)
    return covering
