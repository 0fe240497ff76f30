"""The titles of one category as matrices, and the scores of their spans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from agents.student.parameters import ROLES, CategoryShape, Parameters
from agents.student.sparse_rows import Floats, Indices, SparseRows
from agents.student.title_view import TitleView

INSIDE_WEIGHT = 0.5  # of a feature of a token inside the span, against one of its edges


@dataclass(frozen=True)
class Batch:
    """Titles of one category, their tokens and candidate spans numbered through."""

    number: int  # the category's
    attributes: Indices  # places among all attribute names
    tokens: SparseRows  # (tokens, all token features)
    own_tokens: SparseRows  # (tokens, the category's token features)
    spans: SparseRows
    own_spans: SparseRows
    contexts: Floats
    first: Indices  # of each span: its first token
    last: Indices  # of each span: the token after its last
    span_starts: Indices  # of each title: its first span; ends with the number of spans
    token_starts: Indices

    @property
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


def batch_of(
    views: Sequence[TitleView],
    number: int,
    category: CategoryShape,
    token_ids: Mapping[str, int],
    span_ids: Mapping[str, int],
) -> Batch:
    """Return the batch of at least one title; features that are not in the vocabularies are passed over."""
    token_counts = [len(view.tokens) for view in views]
    token_starts = np.concatenate([[0], np.cumsum(token_counts)])
    span_starts = np.concatenate([[0], np.cumsum([len(view.spans) for view in views])])
    offsets = np.repeat(token_starts[:-1], np.diff(span_starts))
    tokens = _known([row for view in views for row in view.token_features], token_ids)
    spans = _known([row for view in views for row in view.span_features], span_ids)
    return Batch(
        number=number,
        attributes=category.attributes,
        tokens=SparseRows.of(tokens, len(token_ids)),
        own_tokens=_restricted(tokens, category.token_places),
        spans=SparseRows.of(spans, len(span_ids)),
        own_spans=_restricted(spans, category.span_places),
        contexts=np.concatenate([view.contexts for view in views]),
        first=np.array([span.first for view in views for span in view.spans], dtype=np.int64) + offsets,
        last=np.array([span.last for view in views for span in view.spans], dtype=np.int64) + offsets,
        span_starts=span_starts,
        token_starts=token_starts,
    )


def score(batch: Batch, parameters: Parameters) -> Scores:
    """Return the scores: a sum over the span's features, its edges' and its inner tokens' features and contexts."""
    own, width = str(batch.number), len(batch.attributes)
    shared = narrowed(parameters, batch.attributes)
    by_token = batch.tokens.times(_flat(shared["token"])) + batch.own_tokens.times(_flat(parameters[f"{own}/token"]))
    lexical = by_token.reshape(-1, ROLES, width)
    meaning = batch.contexts @ _flat(shared["context"] + parameters[f"{own}/context"])
    contextual = meaning.reshape(-1, ROLES, width)
    whole = batch.spans.times(shared["span"]) + batch.own_spans.times(parameters[f"{own}/span"])
    edges = (lexical + contextual)[batch.first, 0] + (lexical + contextual)[batch.last - 1, 1]
    inner = INSIDE_WEIGHT * _sums(lexical[:, 2], batch) + _sums(contextual[:, 2], batch) / batch.lengths
    outside = batch.own_tokens.times(parameters[f"{own}/outside_token"])
    outside = outside + batch.contexts @ parameters[f"{own}/outside_context"]
    return Scores(whole + edges + inner, outside[:, 0], parameters[f"{own}/bias"])


def narrowed(parameters: Parameters, attributes: Indices) -> dict[str, Floats]:
    """Return the shared arrays for these attributes alone; those that are already narrow are not copied."""
    shared = {name: parameters[f"shared/{name}"] for name in ("token", "span", "context")}
    return {
        name: array if array.shape[-1] == len(attributes) else array[..., attributes] for name, array in shared.items()
    }


def add_gradients(batch: Batch, upstream: Scores, gradients: Parameters) -> None:
    """Add to `gradients` what the loss's gradients by the scores make of the parameters."""
    own, columns, slope = str(batch.number), batch.attributes, upstream.spans
    first, last = batch.by_first.times(slope), batch.by_last.times(slope)
    mean = slope / batch.lengths
    inner = INSIDE_WEIGHT * _covering(first, last)
    mean_inner = _covering(batch.by_first.times(mean), batch.by_last.times(mean))
    lexical, contextual = (np.concatenate([first, last, part], axis=1) for part in (inner, mean_inner))
    gradients[f"{own}/bias"][...] += upstream.bias
    _add(gradients[f"{own}/token"], batch.own_tokens.transposed.times(lexical))
    _add(gradients[f"{own}/span"], batch.own_spans.transposed.times(slope))
    by_context = batch.contexts.T @ contextual
    _add(gradients[f"{own}/context"], by_context)
    outside = upstream.outside[:, None]
    gradients[f"{own}/outside_token"][...] += batch.own_tokens.transposed.times(outside)
    gradients[f"{own}/outside_context"][...] += batch.contexts.T @ outside
    for name, gradient in (
        ("token", batch.tokens.transposed.times(lexical)),
        ("span", batch.spans.transposed.times(slope)),
        ("context", by_context),
    ):
        total = gradients[f"shared/{name}"]
        total[..., columns] += gradient.reshape(*total.shape[:-1], len(columns))


def _choice(columns: Indices, width: int) -> SparseRows:
    return SparseRows(columns, np.arange(len(columns) + 1), width)


def _known(rows: Sequence[Sequence[str]], ids: Mapping[str, int]) -> list[list[int]]:
    return [[ids[name] for name in row if name in ids] for row in rows]


def _restricted(rows: Sequence[Sequence[int]], places: Mapping[int, int]) -> SparseRows:
    return SparseRows.of([[places[column] for column in row if column in places] for row in rows], len(places))


def _flat(weights: Floats) -> Floats:
    return weights.reshape(len(weights), -1)


def _add(total: Floats, gradient: Floats) -> None:
    total += gradient.reshape(total.shape)


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
