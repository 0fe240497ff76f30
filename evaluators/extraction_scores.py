"""How right extracted attributes are: precision, recall and F1 against gold, every stated attribute counted."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from memory.category import AttributeSpec
from memory.record import Record

SameValue = Callable[[str, str, AttributeSpec], bool]
Values = Mapping[str, Sequence[str]]


class Counts(Record):
    """What was found, counted in values.

    A value predicted for an attribute that the item does not state is wrong (the strict protocol: gold is complete).
    """

    correct: int = 0  # predicted values that are right
    predicted: int = 0
    found: int = 0  # gold values (or, of acceptable alternatives, one) that were predicted
    gold: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            correct=self.correct + other.correct,
            predicted=self.predicted + other.predicted,
            found=self.found + other.found,
            gold=self.gold + other.gold,
        )

    @property
    def precision(self) -> float:
        """Right predictions over predictions; 0 where nothing was predicted."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Gold values found over gold values; 0 where there are none."""
        return self.found / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True)
class ExtractionScores:
    """Counts over all items, and for each attribute."""

    overall: Counts
    by_attribute: Mapping[str, Counts]


def score_item(
    predicted: Values, gold: Values, specs: Mapping[str, AttributeSpec], same: SameValue
) -> dict[str, Counts]:
    """Return the counts of one item for each attribute that gold or the prediction names."""
    return {
        key: _score_attribute(predicted.get(key, ()), gold.get(key, ()), specs[key], same)
        for key in sorted({*predicted, *gold})
    }


def add_up(items: Iterable[Mapping[str, Counts]]) -> ExtractionScores:
    """Return micro counts over items."""
    by_attribute: defaultdict[str, Counts] = defaultdict(Counts)
    for counts in items:
        for key, count in counts.items():
            by_attribute[key] += count
    return ExtractionScores(sum(by_attribute.values(), Counts()), dict(by_attribute))


def _score_attribute(predicted: Sequence[str], gold: Sequence[str], spec: AttributeSpec, same: SameValue) -> Counts:
    right = sum(any(same(value, wanted, spec) for wanted in gold) for value in predicted)
    if spec.many:
        found, wanted_count = sum(any(same(value, wanted, spec) for value in predicted) for wanted in gold), len(gold)
    else:  # the gold values are acceptable alternatives for the one value
        found, wanted_count = int(right > 0), int(bool(gold))
    return Counts(correct=right, predicted=len(predicted), found=found, gold=wanted_count)
