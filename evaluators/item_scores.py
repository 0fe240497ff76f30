"""How right one item is: its category, its values by the ExtractGPT protocol, its confidences."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from evaluators.extractgpt import AnswerKinds, value_kinds
from evaluators.golden import GoldItem
from evaluators.hierarchy import PathOverlap, path_overlap
from evaluators.predictions import PredictedValue, Prediction
from memory.record import Record

SameValue = Callable[[PredictedValue, str], bool]  # whether a claim says what a gold value says
# How near the nearest of some demands comes to each gold one: (gold, found) -> cosines, one a gold demand.
Nearness = Callable[[Sequence[str], Sequence[str]], Sequence[float]]

# The cosine of MiniLM from which a demand counts as a gold one in other words. Of phrases made up for it, 14 of 20
# paraphrases lie above it, and 2 of 24 pairs that say something else.
SAME_DEMAND = 0.8


@dataclass(frozen=True)
class Grading:
    """By what answers are judged."""

    same: SameValue
    many: Collection[str] = frozenset()  # attributes of which an item may have several values at once
    complete: bool = False  # what gold does not name, the item does not state
    nearness: Nearness | None = None  # None: demands are not scored
    paths: Mapping[str, tuple[str, ...]] | None = None  # of the categories that gold names; else they are split at ">"

    def path_of(self, category: str) -> tuple[str, ...]:
        """Return the path of a category as gold writes it."""
        known = (self.paths or {}).get(category)
        return known or tuple(step.strip() for step in category.split(">") if step.strip())


class Judged(Record):
    """One accepted claim of an attribute that annotators looked for."""

    confidence: float
    right: bool


class ItemScore(Record):
    """One golden item beside what was said of it."""

    item_id: str
    title: str = ""
    failure: str = ""
    category: str = ""  # as gold has it
    wanted_path: tuple[str, ...] = ()
    found_path: tuple[str, ...] = ()
    attributes: dict[str, AnswerKinds] = Field(default_factory=dict)
    judged: tuple[Judged, ...] = ()
    demands_wanted: int = 0  # by gold
    demands_found: int = 0  # of them
    text_claims: int = 0
    evidenced: int = 0
    ungrounded: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def kinds(self) -> AnswerKinds:
        """The answers of all attributes."""
        return sum(self.attributes.values(), AnswerKinds())

    @property
    def overlap(self) -> PathOverlap:
        """How much of the category's path is right; nothing where gold has no category."""
        return path_overlap(self.found_path, self.wanted_path) if self.wanted_path else PathOverlap()

    @property
    def category_right(self) -> bool:
        """Whether the category is the right one."""
        return bool(self.wanted_path) and self.found_path == self.wanted_path

    @property
    def tokens(self) -> int:
        """Tokens that the item took, whoever paid them."""
        return self.prompt_tokens + self.completion_tokens


def score_item(gold: GoldItem, said: Prediction, grading: Grading) -> ItemScore:
    """Return the score of one item; a failed one found nothing."""
    values: defaultdict[str, list[PredictedValue]] = defaultdict(list)
    for value in said.values:
        values[value.attribute].append(value)
    counted = said.model_dump(include=set(ItemScore.model_fields) & set(Prediction.model_fields))
    return ItemScore(
        **counted,
        demands_wanted=len(gold.demands) if grading.nearness else 0,
        demands_found=_demands_found(gold.demands, said.demands, grading),
        title=gold.title,
        category=gold.category,
        wanted_path=grading.path_of(gold.category),
        found_path=said.path,
        attributes={
            name: _kinds(name, gold, values.get(name, ()), grading) for name in sorted({*gold.attributes, *values})
        },
        judged=tuple(
            Judged(confidence=value.confidence, right=is_right(value, gold, grading))
            for value in said.values
            if grading.complete or value.attribute in gold.attributes
        ),
    )


def _kinds(name: str, gold: GoldItem, answers: Sequence[PredictedValue], grading: Grading) -> AnswerKinds:
    if name not in gold.attributes and not grading.complete:
        return AnswerKinds(beside=len(answers))
    return value_kinds(gold.attributes.get(name, ()), answers, grading.same, many=name in grading.many)


def _demands_found(wanted: Sequence[str], said: Sequence[str], grading: Grading) -> int:
    if not (wanted and said and grading.nearness):
        return 0
    return sum(cosine >= SAME_DEMAND for cosine in grading.nearness(wanted, said))


def is_right(value: PredictedValue, gold: GoldItem, grading: Grading) -> bool:
    """Say whether a value is one of those that gold has for its attribute."""
    return any(grading.same(value, wanted) for wanted in gold.attributes.get(value.attribute, ()))
