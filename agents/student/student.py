"""The student: what it has learnt, and how it reads the attributes out of one title."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from agents.student import chooser, segmenter
from agents.student.batch import Batch, batch_of, score
from agents.student.parameters import CategoryShape, Parameters
from agents.student.posterior import Posterior
from agents.student.title_view import PieceEncoder, TitleView, view_title

# The F1 of a set of answers grows with each answer that is right more often than F1 / 2 (Lipton et al., ECML 2014).
ASKED_THRESHOLD = 0.45  # of the share, where somebody asks for the attribute
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

    @property
    def is_answer(self) -> bool:
        """Whether to give it to somebody who asks for this attribute."""
        return self.share >= ASKED_THRESHOLD

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
        number = list(self.categories).index(category)
        batch = batch_of([view], number, knowledge.shape, self.token_ids, self.span_ids)
        return self._findings(view, batch, knowledge.attributes)

    def _findings(self, view: TitleView, batch: Batch, attributes: tuple[str, ...]) -> list[Finding]:
        choice = chooser.posterior(batch, score(batch, self.chooser))
        segmentation = segmenter.posterior(batch, score(batch, self.segmenter))
        return [_finding(view, name, column, choice, segmentation) for column, name in enumerate(attributes)]


def _finding(view: TitleView, name: str, column: int, choice: Posterior, segmentation: Posterior) -> Finding:
    """Return the value with the largest geometric mean of both shares; places of one value count together."""
    one, other = (_by_value(view, posterior, column) for posterior in (choice, segmentation))
    both = {value: (max(one[value], _FLOOR) * max(other[value], _FLOOR)) ** 0.5 for value in one}
    value = max(both, key=lambda value: both[value])
    shares = (choice.shares + segmentation.shares)[:, column]
    place = max((n for n, span in enumerate(view.spans) if span.text == value), key=lambda n: float(shares[n]))
    span = view.spans[place]
    stated = float(choice.stated[0, column] + segmentation.stated[0, column]) / 2
    return Finding(name, value, span.start, span.end, both[value] / sum(both.values()), stated)


def _by_value(view: TitleView, posterior: Posterior, column: int) -> dict[str, float]:
    sums: defaultdict[str, float] = defaultdict(float)
    for span, share in zip(view.spans, posterior.shares[:, column].tolist(), strict=True):
        sums[span.text] += share
    return sums
