"""An evaluation of rankers as one document: how it was made, each system's metrics, slices, differences, attributes."""

from typing import Literal, Self

from pydantic import Field, model_validator

from evaluators.ranking.click_through import ReliabilityBin
from evaluators.ranking.intervals import Interval
from evaluators.significance import Difference
from memory.record import Record

FALLING = frozenset({"logloss"})  # metrics of which less is better


class RankingProtocol(Record):
    """By which rules systems were judged: without it no figure says anything."""

    task: Literal["next item", "click-through"]
    data: str  # which log, in which state
    split: str  # such as "leave one out, strict"
    candidates: str  # such as "the whole catalog, own history left out", or how negatives were drawn
    ties: str
    users: int
    events: int
    items: int
    seeds: tuple[int, ...]  # of training; metrics are means over them
    machine: str
    notes: tuple[str, ...] = ()


class SystemScores(Record):
    """One system's metrics: the interval is over users, the spread over seeds."""

    label: str
    metrics: dict[str, Interval]
    spread: dict[str, float] = Field(default_factory=dict)  # standard deviation over seeds; empty with a single one
    trained_on: str = ""
    cpu_seconds: float | None = None  # to train one seed
    calibration: float | None = None  # predicted over observed clicks
    reliability: tuple[ReliabilityBin, ...] = ()


class SliceScores(Record):
    """All systems on a part of the events, by one metric; a system without a figure there is left out."""

    by: str  # such as "popularity of the item"
    name: str  # such as "cold"
    events: int
    metric: str
    systems: dict[str, Interval]  # by label


class PairedDifference(Record):
    """What a system gains over another one, on the same users."""

    metric: str
    before: str  # labels
    after: str
    difference: Difference


class AttributeEffect(Record):
    """What the ranking gains by one attribute: all that is known, over all but this."""

    attribute: str
    items: int  # that have it
    difference: Difference


class RankingReport(Record):
    """What an evaluation of rankers found."""

    protocol: RankingProtocol
    metrics: tuple[str, ...]  # in the order of the tables; each system has the first one, and attributes are by it
    floor: str  # the label of the strongest simple system; a gain is one over it
    systems: tuple[SystemScores, ...]
    slices: tuple[SliceScores, ...] = ()
    differences: tuple[PairedDifference, ...] = ()
    attributes: tuple[AttributeEffect, ...] = ()

    @model_validator(mode="after")
    def _labels_agree(self) -> Self:
        labels = [system.label for system in self.systems]
        if self.floor not in labels or len(set(labels)) < len(labels):
            raise ValueError(f"the floor {self.floor!r} is to be one of the systems, each with a label of its own")
        if not self.metrics or any(self.metrics[0] not in system.metrics for system in self.systems):
            raise ValueError("each system needs the first metric")
        return self

    @property
    def best(self) -> SystemScores:
        """The system that is best by the first metric."""
        sign = -1 if self.metrics[0] in FALLING else 1
        return max(self.systems, key=lambda system: sign * system.metrics[self.metrics[0]].mean)
