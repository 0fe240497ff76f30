"""The student: what it has learnt, and how it reads the attributes out of one title."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from agents.student import chooser, segmenter
from agents.student.batch import Batch, batch_of, score
from agents.student.parameters import CategoryShape, Parameters
from agents.student.title_view import PieceEncoder, TitleView, view_title
from agents.student.weights import Weights, columns_of, weights_of

# The F1 of a set of answers grows with each answer that is right more often than F1 / 2 (Lipton et al., ECML 2014).
ASKED_THRESHOLD = 0.35  # of share times stated_if_asked, where somebody asks for the attribute
STATED_THRESHOLD = 0.3  # of share times stated, where nobody says whether the title has the attribute
_FLOOR = 1e-4  # a share that one reader finds impossible may still be saved by the other


@dataclass(frozen=True)
class Finding:
    """The likeliest span of an attribute in a title."""

    attribute: str
    value: str
    start: int  # code points of the title, end exclusive
    end: int
    share: float  # how likely it is this value, given that the title states the attribute
    stated: float  # how likely the title states the attribute
    stated_if_asked: float  # the same, where an annotator asks for it, who asks more often for what is there

    @property
    def is_answer(self) -> bool:
        """Whether to give it to somebody who asks for this attribute."""
        return self.share * self.stated_if_asked >= ASKED_THRESHOLD

    @property
    def is_stated(self) -> bool:
        """Whether to state it unasked."""
        return self.share * self.stated >= STATED_THRESHOLD


@dataclass(frozen=True)
class CategoryKnowledge:
    """What the student knows of one category."""

    attributes: tuple[str, ...]
    values: tuple[str, ...]  # seen in training, of any attribute
    shape: CategoryShape


@dataclass(frozen=True)
class Student:
    """Two log-linear readers over the same features; their opinions are averaged."""

    encoder: str  # the name of the encoder it was trained with
    absent_asked: float  # how often annotators asked for what a title does not state; 0 where they never said "absent"
    token_ids: Mapping[str, int]
    span_ids: Mapping[str, int]
    categories: Mapping[str, CategoryKnowledge]  # in the order of their numbers
    chooser: Parameters
    segmenter: Parameters

    def read(self, title: str, category: str, encoder: PieceEncoder) -> list[Finding]:
        """Return one finding an attribute of the category, none for a category never seen or a title without words."""
        knowledge = self.categories.get(category)
        if knowledge is None:
            return []
        view = view_title(title, knowledge.values, encoder)
        if not view.spans:
            return []
        batch = batch_of([view], self.token_ids, self.span_ids)
        return self._findings(view, batch, category)

    def _findings(self, view: TitleView, batch: Batch, category: str) -> list[Finding]:
        """Take of each attribute the value with the largest geometric mean of both shares; its places add up."""
        attributes = self.categories[category].attributes
        for_choice, for_segments = self._weights(category)
        choice = chooser.posterior(batch, score(batch, for_choice))
        segmentation = segmenter.posterior(batch, score(batch, for_segments))
        values = {text: n for n, text in enumerate(dict.fromkeys(span.text for span in view.spans))}
        value_of_span = np.array([values[span.text] for span in view.spans])
        both = np.ones((len(values), len(attributes)))
        for posterior in (choice, segmentation):
            shares = np.zeros_like(both)
            np.add.at(shares, value_of_span, posterior.shares)
            both *= np.maximum(shares, _FLOOR) ** 0.5
        stated = (choice.stated[0] + segmentation.stated[0]) / 2
        if_asked = stated / np.maximum(stated + (1 - stated) * self.absent_asked, _FLOOR)
        places = np.where(value_of_span[:, None] == both.argmax(axis=0), choice.shares + segmentation.shares, -1)
        certain = both.max(axis=0) / both.sum(axis=0)
        spans = [view.spans[place] for place in places.argmax(axis=0)]
        figures = zip(certain.tolist(), stated.tolist(), np.minimum(if_asked, 1).tolist(), strict=True)
        return [
            Finding(name, span.text, span.start, span.end, *three)
            for name, span, three in zip(attributes, spans, figures, strict=True)
        ]

    def _weights(self, category: str) -> tuple[Weights, Weights]:
        """Return both readers' weights for the category, kept, since adding them up takes longer than a title."""
        if category not in self._added_up:
            number, shape = list(self.categories).index(category), self.categories[category].shape
            columns = columns_of(number, shape, np.arange(len(self.token_ids)), np.arange(len(self.span_ids)))
            self._added_up[category] = weights_of(self.chooser, columns), weights_of(self.segmenter, columns)
        return self._added_up[category]

    @cached_property
    def _added_up(self) -> dict[str, tuple[Weights, Weights]]:
        return {}
