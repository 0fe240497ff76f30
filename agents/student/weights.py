"""What scoring multiplies with: one category's weights, the shared ones and its own added up."""

from dataclasses import dataclass

import numpy as np

from agents.student.parameters import ROLES, CategoryShape, Parameters
from agents.student.sparse_rows import Floats, Indices


@dataclass(frozen=True)
class Weights:
    """The weights of one category; in training also the loss's gradients by them.

    The columns of `token` and `context` are roles x attributes, then one for a token outside of all values.
    """

    token: Floats  # (token features, ROLES x attributes + 1)
    span: Floats  # (span features, attributes)
    context: Floats  # (context, ROLES x attributes + 1)
    bias: Floats  # (attributes,)


@dataclass(frozen=True)
class Columns:
    """A category's attributes and features, as places among all, and which of the features have weights of its own."""

    number: int  # the category's
    attributes: Indices
    tokens: Indices
    spans: Indices
    own_tokens: Indices  # places in `tokens`
    own_spans: Indices


def columns_of(number: int, category: CategoryShape, tokens: Indices, spans: Indices) -> Columns:
    """Return the columns for these features, which ascend and include all that have weights of the category's own."""
    own_tokens, own_spans = category.token_features, category.span_features
    return Columns(
        number,
        category.attributes,
        tokens,
        spans,
        np.searchsorted(tokens, own_tokens),
        np.searchsorted(spans, own_spans),
    )


def weights_of(parameters: Parameters, columns: Columns) -> Weights:
    """Return the weights of a category."""
    own, attributes = f"{columns.number}/", columns.attributes
    token = _with_outside(_taken(parameters["shared/token"], columns.tokens, attributes))
    token[columns.own_tokens] += _flat(parameters[own + "token"], parameters[own + "outside_token"])
    span = _taken(parameters["shared/span"], columns.spans, attributes)
    span[columns.own_spans] += parameters[own + "span"]
    context = _with_outside(parameters["shared/context"][..., attributes])
    context += _flat(parameters[own + "context"], parameters[own + "outside_context"])
    return Weights(token, span, context, parameters[own + "bias"])


def add_gradient(gradient: Weights, columns: Columns, gradients: Parameters) -> None:
    """Add the gradient by a category's weights to those by the parameters that they are sums of."""
    own, attributes = f"{columns.number}/", columns.attributes
    by_token = gradient.token[:, :-1].reshape(-1, ROLES, len(attributes))
    by_context = gradient.context[:, :-1].reshape(-1, ROLES, len(attributes))
    gradients["shared/token"][_cells(columns.tokens, ROLES, attributes)] += by_token
    gradients["shared/span"][columns.spans[:, None], attributes] += gradient.span
    gradients["shared/context"][..., attributes] += by_context
    for name, part in (
        ("token", by_token[columns.own_tokens]),
        ("span", gradient.span[columns.own_spans]),
        ("context", by_context),
        ("bias", gradient.bias),
        ("outside_token", gradient.token[columns.own_tokens, -1:]),
        ("outside_context", gradient.context[:, -1:]),
    ):
        gradients[own + name][...] += part


def _taken(shared: Floats, features: Indices, attributes: Indices) -> Floats:
    return shared[features][..., attributes]


def _cells(features: Indices, roles: int, attributes: Indices) -> tuple[Indices, Indices, Indices]:
    return features[:, None, None], np.arange(roles)[:, None], attributes


def _with_outside(weights: Floats) -> Floats:
    return np.pad(weights.reshape(len(weights), -1), ((0, 0), (0, 1)))


def _flat(weights: Floats, outside: Floats) -> Floats:
    return np.concatenate([weights.reshape(len(weights), -1), outside], axis=1)
