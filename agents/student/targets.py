"""What training asks of the scores of a batch: which spans are right, and how much each question counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.student.batch import Batch
from agents.student.sparse_rows import Floats
from agents.student.title_view import TitleView
from evaluators.annotated import AnnotatedTitle

UNASKED_WEIGHT = 1.0  # of "absent" for an attribute that annotators did not look for; less was no better


class _Gold(NamedTuple):
    first: int
    last: int
    span: int
    attribute: int


@dataclass(frozen=True)
class Targets:
    """The right answers for a batch."""

    right: NDArray[np.bool_]  # (spans, attributes): the span's text is a gold value, wherever it stands
    absent: NDArray[np.bool_]  # (titles, attributes)
    weights: Floats  # (titles, attributes)
    segments: Floats  # (spans, attributes): 1 for the spans of one segmentation without overlaps
    outside: Floats  # (tokens,): 1 for tokens in none of those spans


def targets_of(
    batch: Batch, views: Sequence[TitleView], titles: Sequence[AnnotatedTitle], attributes: Sequence[str]
) -> Targets:
    """Return the targets; a gold value that no candidate span has is not asked for."""
    spans, width = len(batch.first), len(attributes)
    targets = Targets(
        right=np.zeros((spans, width), dtype=bool),
        absent=np.zeros((len(titles), width), dtype=bool),
        weights=np.zeros((len(titles), width), dtype=np.float32),
        segments=np.zeros((spans, width), dtype=np.float32),
        outside=np.ones(len(batch.contexts), dtype=np.float32),
    )
    for row, (view, annotated) in enumerate(zip(views, titles, strict=True)):
        offset, gold = int(batch.span_starts[row]), []
        for column, name in enumerate(attributes):
            values = annotated.attributes.get(name)
            hits = [n for n, span in enumerate(view.spans) if values and span.text in values]
            targets.right[[offset + n for n in hits], column] = True
            targets.absent[row, column] = not values
            targets.weights[row, column] = UNASKED_WEIGHT if values is None else float(not values or bool(hits))
            gold += [_Gold(view.spans[n].first, view.spans[n].last, offset + n, column) for n in hits]
        _segment(targets, gold, int(batch.token_starts[row]))
    return targets


def _segment(targets: Targets, gold: Sequence[_Gold], token_start: int) -> None:
    """Mark one span an attribute, long values first, the leftmost place that is still free."""
    done: set[int] = set()
    for first, last, span, attribute in sorted(gold, key=lambda g: (g.first - g.last, g.first)):
        tokens = slice(token_start + first, token_start + last)
        if attribute not in done and targets.outside[tokens].all():
            done.add(attribute)
            targets.segments[span, attribute] = 1
            targets.outside[tokens] = 0
