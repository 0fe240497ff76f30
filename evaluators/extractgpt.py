"""The ExtractGPT protocol for attribute extraction: what counts as right, and the F1 scores made of it.

Brinkmann, Shraga, Bizer, "ExtractGPT" (arXiv 2310.12537), section 3: for each attribute that annotators looked for, an
answer is one of five kinds; a value is right when it is, letter by letter, one of the gold values.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from evaluators.annotated import AnnotatedTitle
from memory.record import Record

Answer = Mapping[str, str | None]  # attribute -> value, or None where the title is said not to state it


class AnswerKinds(Record):
    """How many answers are of which kind; the letters are the paper's."""

    nn: int = 0  # neither gold nor the answer has a value
    nv: int = 0  # a value where gold has none
    vn: int = 0  # no value where gold has one
    vc: int = 0  # a gold value
    vw: int = 0  # another value than gold's
    beside: int = 0  # a value for an attribute that annotators did not look for: counts in the strict F1 alone

    def __add__(self, other: "AnswerKinds") -> "AnswerKinds":
        return AnswerKinds(**{name: getattr(self, name) + getattr(other, name) for name in type(self).model_fields})

    @property
    def precision(self) -> float:
        """VC / (NV + VC + VW); 0 where no value was given."""
        return _ratio(self.vc, self.nv + self.vc + self.vw)

    @property
    def recall(self) -> float:
        """VC / (VN + VC + VW); 0 where gold has no value."""
        return _ratio(self.vc, self.vn + self.vc + self.vw)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return _ratio(2 * self.vc, self.nv + self.vn + 2 * (self.vc + self.vw))

    @property
    def strict_f1(self) -> float:
        """F1 where a value for an attribute that annotators did not look for is wrong as well."""
        return _ratio(2 * self.vc, self.nv + self.vn + 2 * (self.vc + self.vw) + self.beside)


@dataclass(frozen=True)
class ProtocolScores:
    """Counts over all titles, and for each (category, attribute) that gold has."""

    micro: AnswerKinds
    by_attribute: Mapping[tuple[str, str], AnswerKinds]

    @property
    def macro_f1(self) -> float:
        """Mean of F1 over (category, attribute); of those where neither gold nor an answer has a value, none counts."""
        scored = [kinds.f1 for kinds in self.by_attribute.values() if kinds.nv + kinds.vn + kinds.vc + kinds.vw]
        return sum(scored) / len(scored) if scored else 0.0


def score_answers(gold: Sequence[AnnotatedTitle], answers: Sequence[Answer]) -> ProtocolScores:
    """Return the scores of one answer a title, in order; ValueError where there are more of one than of the other."""
    by_attribute: defaultdict[tuple[str, str], AnswerKinds] = defaultdict(AnswerKinds)
    beside = 0
    for annotated, answer in zip(gold, answers, strict=True):
        for name, values in annotated.attributes.items():
            by_attribute[annotated.category, name] += _kind(values, answer.get(name))
        beside += sum(value is not None and name not in annotated.attributes for name, value in answer.items())
    return ProtocolScores(_total(by_attribute.values()) + AnswerKinds(beside=beside), dict(by_attribute))


def _kind(gold: Sequence[str], answer: str | None) -> AnswerKinds:
    if not gold:
        return AnswerKinds(nn=1) if answer is None else AnswerKinds(nv=1)
    if answer is None:
        return AnswerKinds(vn=1)
    return AnswerKinds(vc=1) if answer in gold else AnswerKinds(vw=1)


def _total(kinds: Iterable[AnswerKinds]) -> AnswerKinds:
    return sum(kinds, AnswerKinds())


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
