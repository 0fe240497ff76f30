"""The record of one item's way through the graph: each turn of a node, what was asked, answered and found."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import Field

from memory.category import CategoryChoice, CategoryTemplate
from memory.corrections import Corrections
from memory.errors import ReaseqError
from memory.model_call import ModelCall, Usage
from memory.record import Record
from memory.schema import CatalogItem, Claim, Demand, Enrichment, Provenance, UngroundedProposal, Verdict

GATHERED = ("claims", "ungrounded", "verdicts")  # fields of an update to which each turn adds; it replaces the others


class UnknownStep(ReaseqError):
    """The trace has no such step."""


class StepUpdate(Record):
    """What a node's turn added to the state; a field that it said nothing of is not among `model_fields_set`."""

    category: CategoryChoice | None = None
    template: CategoryTemplate | None = None
    claims: tuple[Claim, ...] = ()
    ungrounded: tuple[UngroundedProposal, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    corrections: Corrections | None = None
    round: int | None = None
    demands: tuple[Demand, ...] = ()
    demand_verdicts: tuple[Verdict, ...] = ()
    summary: str | None = None

    @property
    def said(self) -> Mapping[str, Any]:
        """What the turn said, by field."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


class TraceStep(Record):
    """One turn of one node."""

    number: int = Field(ge=1)
    node: str
    seconds: float = Field(ge=0)
    calls: tuple[ModelCall, ...] = ()
    update: StepUpdate = StepUpdate()
    recalled: int = Field(default=0, ge=0)  # of the calls, how many answers were in the ledger: nothing was paid
    checkpoint: str = ""  # LangGraph's id of the state before it; "" where none was kept


class Spent(Record):
    """What the calls of a trace cost, when they were made."""

    calls: int = 0
    usage: Usage = Usage()
    cost: Decimal = Decimal(0)  # of the calls whose price is known
    unpriced: int = 0  # calls whose price is not
    seconds: float = 0.0


class Trace(Record):
    """One item's way through the graph; a replay has the turns that it took over as well."""

    id: int | None = None
    item: CatalogItem
    started_at: datetime
    model: str
    prompts: tuple[tuple[str, str], ...]  # (name, fingerprint) of the library it ran with
    steps: tuple[TraceStep, ...] = ()
    enrichment: Enrichment | None = None  # None: it failed, or did not come to its end
    failure: str = ""  # what ended it, after the node's name
    replay_of: int | None = None  # the trace whose first steps it took over
    replay_from: int | None = None  # the first step that ran again
    provenance: Provenance | None = None
    thread: str = ""  # of LangGraph's checkpoints; "" where none are kept

    @property
    def spent(self) -> Spent:
        """What all its steps cost, those that were taken over as well."""
        return spent_on(self.steps)

    @property
    def outcome(self) -> StepUpdate:
        """What all its steps found together."""
        return found_by(self.steps)

    def turn_of(self, step: TraceStep) -> int:
        """Return which turn of its node a step is, from 1."""
        return sum(other.node == step.node and other.number <= step.number for other in self.steps)

    def step(self, named: str) -> TraceStep:
        """Return a step by its number, its node (the first turn), or NODE:TURN; `UnknownStep` says which there are."""
        node, _, turn = named.partition(":")
        wanted = int(turn or 1) if (turn or "1").isdecimal() else 0
        for step in self.steps:
            if str(step.number) == named or (step.node == node and self.turn_of(step) == wanted):
                return step
        there = ", ".join(f"{s.number} = {s.node}:{self.turn_of(s)}" for s in self.steps) or "none"
        raise UnknownStep(f"trace {self.id} has no step {named!r}; there are {there}")


def found_by(steps: Iterable[TraceStep]) -> StepUpdate:
    """Return what some steps found together, as the graph's state would have it."""
    found: dict[str, Any] = {}
    for step in steps:
        for name, value in step.update.said.items():
            found[name] = (*found.get(name, ()), *value) if name in GATHERED else value
    return StepUpdate.model_validate(found)


def spent_on(steps: Iterable[TraceStep]) -> Spent:
    """Return what some steps cost."""
    steps = tuple(steps)
    calls = [call for step in steps for call in step.calls]
    return Spent(
        calls=len(calls),
        usage=sum((call.usage for call in calls), Usage()),
        cost=sum((call.cost for call in calls if call.cost is not None), Decimal(0)),
        unpriced=sum(call.cost is None for call in calls),
        seconds=sum(step.seconds for step in steps),
    )
