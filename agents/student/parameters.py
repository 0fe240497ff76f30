"""The student's numbers: one flat vector for training, named arrays for scoring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod

import numpy as np

from agents.student.sparse_rows import Floats, Indices

Parameters = Mapping[str, Floats]

ROLES = 3  # a token counts as a span's first, as its last, and as one inside


@dataclass(frozen=True)
class CategoryShape:
    """What one category needs: its attributes' places among all names, its features' places among all features."""

    attributes: Indices
    token_features: Indices
    span_features: Indices


@dataclass(frozen=True)
class Shape:
    """How many of everything a student has."""

    names: int
    token_features: int
    span_features: int
    context: int  # length of a token's context vector
    categories: Sequence[CategoryShape]


@dataclass(frozen=True)
class Entry:
    """One array: its shape and how hard its squares are penalized."""

    shape: tuple[int, ...]
    penalty: float


@dataclass(frozen=True)
class Layout:
    """Where each array lies in the flat vector."""

    entries: Mapping[str, Entry]

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return sum(prod(entry.shape) for entry in self.entries.values())

    def views(self, flat: Floats) -> dict[str, Floats]:
        """Return the named arrays; what is written to them is written to the flat vector."""
        sizes = [prod(entry.shape) for entry in self.entries.values()]
        ends = accumulate(sizes)
        named = zip(self.entries.items(), sizes, ends, strict=True)
        return {name: flat[end - size : end].reshape(entry.shape) for (name, entry), size, end in named}

    def penalties(self) -> Floats:
        """Return the penalty of each number."""
        return np.concatenate(
            [np.full(prod(entry.shape), entry.penalty, dtype=np.float32) for entry in self.entries.values()]
        )


def layout_of(shape: Shape) -> Layout:
    """Return the layout: weights that attributes of one name share over categories, then each category's own.

    Sharing by adding is Daumé's "Frustratingly Easy Domain Adaptation" (ACL 2007).
    """
    entries = {
        "shared/token": Entry((shape.token_features, ROLES, shape.names), 1.0),
        "shared/span": Entry((shape.span_features, shape.names), 1.0),
        "shared/context": Entry((shape.context, ROLES, shape.names), 1.0),
    }
    for number, category in enumerate(shape.categories):
        attributes = len(category.attributes)
        entries |= {
            f"{number}/token": Entry((len(category.token_features), ROLES, attributes), 1.0),
            f"{number}/span": Entry((len(category.span_features), attributes), 1.0),
            f"{number}/context": Entry((shape.context, ROLES, attributes), 2.0),
            f"{number}/bias": Entry((attributes,), 0.01),
            f"{number}/outside_token": Entry((len(category.token_features), 1), 1.0),
            f"{number}/outside_context": Entry((shape.context, 1), 2.0),
        }
    return Layout(entries)
