"""A run of the beyond-log benchmark as one document: protocol, coverage, every system under every rule, differences."""

from typing import Literal, Self

from pydantic import Field, model_validator

from evaluators.beyond_log.suggestions import Rule
from evaluators.ranking.intervals import Interval
from evaluators.ranking.report import PairedDifference
from memory.record import Record


class BeyondLogProtocol(Record):
    """By which rules was hidden and judged."""

    data: str
    content_hash: str  # of the whole log with its categories
    hiding: Literal["drawn by seed", "as the log hides in truth"]
    share: float | None  # of a user's categories; None where the log hides by itself
    seeds: tuple[int, ...]  # of hiding and of training, which vary together; figures are means over them
    cuts: tuple[int, ...]  # of lists; the first one is the one that counts
    near: float | None = None  # the cosine from which two items mean nearly the same
    near_of_random: float | None = None  # share of random pairs that are near
    near_of_category: float | None = None  # share of pairs of one leaf category that are near
    machine: str
    notes: tuple[str, ...] = ()


class Coverage(Record):
    """How much of the data the benchmark speaks of; where seeds differ, the mean over them."""

    users: int
    scored_users: int
    behaviors: int
    items: int
    items_with_category: int
    categories: int
    hidden_behaviors: float
    hidden_items: float  # by user, each once
    hidden_categories: float  # by user
    unseen_items: float  # of the hidden ones, those that nobody's visible log has: a gain there needs knowledge


class Judged(Record):
    """One system under one rule: the interval is over users, the spread over seeds."""

    system: str
    rule: Rule
    is_control: bool
    metrics: dict[str, Interval]
    spread: dict[str, float] = Field(default_factory=dict)  # standard deviation over seeds; empty with a single one
    filled: float  # share of the list's places that hold an item
    cpu_seconds: float | None = None  # to fit one seed
    learned_from: str = ""

    @property
    def label(self) -> str:
        """Return system and rule as one name."""
        return labelled(self.system, self.rule)


class Refused(Record):
    """A row of a file of suggestions that does not count."""

    file: str
    line: int
    reason: str


class SuggestionFile(Record):
    """What was read of a file of suggestions."""

    system: str
    files: tuple[str, ...]
    rows: int
    refused_rows: int
    refused: tuple[Refused, ...]  # the first ones
    users_without: int  # scored users of whom the file says nothing


class RankerEffect(Record):
    """What a ranker gains by suggestions as imagined behaviours, and by those of somebody else: the placebo."""

    system: str
    imagined: tuple[PairedDifference, ...]  # by metric
    placebo: tuple[PairedDifference, ...]


class BeyondLogReport(Record):
    """What a run of the benchmark found."""

    protocol: BeyondLogProtocol
    coverage: Coverage
    metrics: tuple[str, ...]  # in the order of the tables; every system has the first one
    systems: tuple[Judged, ...]
    strongest: dict[str, str]  # by metric, the label of the best control over all rules; a gain is one over it
    differences: tuple[PairedDifference, ...] = ()  # from the strongest control to each system that is none
    personal: tuple[PairedDifference, ...] = ()  # from another user's list to the own one
    truth_metrics: tuple[str, ...] = ()  # those of the metrics that only a simulation can tell
    ranker: tuple[RankerEffect, ...] = ()
    files: tuple[SuggestionFile, ...] = ()
    left_out: tuple[str, ...] = ()  # what did not run, and why

    @model_validator(mode="after")
    def _labels_agree(self) -> Self:
        labels = [judged.label for judged in self.systems]
        if len(set(labels)) < len(labels):
            raise ValueError("each system is to be there once under each rule")
        if not self.metrics or any(self.metrics[0] not in judged.metrics for judged in self.systems):
            raise ValueError("each system needs the first metric")
        if unknown := sorted(set(self.strongest.values()) - set(labels)):
            raise ValueError(f"the strongest control {unknown[0]!r} is to be one of the systems")
        return self

    def judged(self, label: str) -> Judged:
        """Return a system under a rule; raises KeyError."""
        return {judged.label: judged for judged in self.systems}[label]

    @property
    def best(self) -> Judged:
        """Return what is best by the first metric."""
        return max(self.systems, key=lambda judged: judged.metrics[self.metrics[0]].mean)


def labelled(system: str, rule: Rule) -> str:
    """Return the name of a system under a rule."""
    return f"{system} · {rule}"
