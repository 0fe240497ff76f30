"""What a change of prompts, model or agents did, as one document: from the quality of the knowledge to the verdict."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from evaluators.comparison import Comparison
from evaluators.evaluation import GoldUsed
from evaluators.marginal import Marginal
from evaluators.ranking.report import PairedDifference, RankingReport
from evaluators.significance import LEVEL, Difference
from memory.record import Record
from memory.schema import Provenance

BEFORE, AFTER = "before", "after"  # labels of both sides in golden comparisons and rankings
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)  # of how far vectors moved


class Decision(StrEnum):
    """What to do with a change."""

    SHIP = "ship"
    KEEP_OLD = "do not ship"
    UNDECIDED = "not enough evidence"


class Side(Record):
    """One of the two configurations that are compared."""

    version: int  # of the knowledge base
    provenance: Provenance | None  # None: results of several configurations
    prompts: str = ""  # the folder, where one is named


class SampleUsed(Record):
    """Which items were made anew."""

    items: int
    of: int  # items that the version before knows
    seed: int = 0
    golden: int = 0  # of the items: they are there for the golden comparison alone

    @property
    def whole(self) -> bool:
        """Whether it is the whole catalog."""
        return self.items >= self.of


class StaleCause(Record):
    """Why results of one agent were to be made anew."""

    agent: str
    why: str
    results: int


class Spent(Record):
    """What a run took."""

    items: int = 0
    failed: int = 0
    calls: int = 0
    replayed: int = 0  # answers that the ledger had
    tokens: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0  # calls of which nobody knows the price
    seconds: float = 0.0
    cpu_seconds: float = 0.0


class Work(Record):
    """What was stale, what making it anew was expected to take, and what it took."""

    causes: tuple[StaleCause, ...] = ()
    expected_calls: float = 0.0
    expected_tokens: float = 0.0
    expected_cost: Decimal | None = None  # None: no price is known
    unforeseen: tuple[str, ...] = ()  # agents without a past to judge by
    spent: Spent = Spent()


class GoldenChange(Record):
    """What golden items say of both sides."""

    gold: GoldUsed
    comparison: Comparison
    precision: tuple[float, float]  # before, after
    recall: tuple[float, float]
    valued: int  # golden items that name values, or an absence of one
    categorized: int  # golden items that name a category

    @property
    def judged(self) -> tuple[tuple[str, Difference], ...]:
        """What the golden items can tell: the name of each figure, and how it differs."""
        values = (("F1", self.comparison.f1),) if self.valued else ()
        return (*values, ("category right", self.comparison.category_accuracy)) if self.categorized else values


class Count(Record):
    """How many claims of one attribute, or of one category, were gained, lost or changed."""

    name: str
    gained: int = 0
    lost: int = 0
    changed: int = 0

    @property
    def all(self) -> int:
        """How many of any kind."""
        return self.gained + self.lost + self.changed


class ValueChange(Record):
    """One value that is no more what it was; empty where there was or is none."""

    item_id: str
    title: str
    attribute: str
    before: str
    after: str


class KnowledgeChange(Record):
    """What the accepted knowledge of the items says differently."""

    items: int  # compared
    differing: int
    claims: tuple[int, int]  # accepted, before and after
    gained: int
    lost: int
    changed: int
    recategorized: int  # items
    demands: tuple[int, int]  # gained, lost
    summaries: int  # items whose summary differs
    contradictions: tuple[int, int]  # before, after
    by_attribute: tuple[Count, ...]  # the most first
    by_category: tuple[Count, ...]  # of the items before; by the path of the leaf
    examples: tuple[ValueChange, ...]


class MovedItem(Record):
    """One item whose vector moved."""

    item_id: str
    title: str
    distance: float  # 1 - cosine


class VectorChange(Record):
    """How far the vectors of one set moved."""

    name: str  # of the set
    items: int
    moved: int
    quantiles: tuple[float, ...]  # of 1 - cosine over the items that moved, at QUANTILES; empty where none moved
    histogram: tuple[int, ...]  # items that moved, by 1 - cosine in tenths of the greatest
    greatest: float
    farthest: tuple[MovedItem, ...]


class SliceChange(Record):
    """What a metric did on a part of the events."""

    by: str
    name: str
    events: int
    metric: str
    difference: Difference


class RankingChange(Record):
    """One model trained with the same seeds on the knowledge before and after."""

    model: str  # such as "next item"
    report: RankingReport  # its two systems are labelled BEFORE and AFTER
    slices: tuple[SliceChange, ...] = ()
    reused: int = 0  # trainings that were found in the cache


class SideCost(Record):
    """What one item costs with one side."""

    items: int
    calls: float  # an item
    tokens: float  # an item
    cost: Decimal | None  # an item, at the present price; None: nobody says


class Step(Record):
    """What one part of the work took."""

    name: str
    seconds: float
    cpu_seconds: float


class Measured(Record):
    """One figure that the verdict rests on."""

    name: str  # such as "F1 of golden items", "AUC of clicks"
    difference: Difference
    adjusted_p: float  # p-value, raised for the number of figures looked at (Holm 1979)
    margin: float  # less than that does not matter
    unit: Literal["golden items", "users"]
    needed: int | None = None  # of that unit, with which a difference such as this would be told; None: it is told

    @property
    def lost(self) -> bool:
        """Whether it is worse for sure, by more than may be nothing."""
        return self.difference.worse and self._sure and not self.same

    @property
    def won(self) -> bool:
        """Whether it is better for sure, by more than may be nothing."""
        return self.difference.better and self._sure and not self.same

    @property
    def same(self) -> bool:
        """Whether the interval lies within the margin: what the change does, if anything, does not matter."""
        return -self.margin <= self.difference.low and self.difference.high <= self.margin

    @property
    def told(self) -> bool:
        """Whether it is known what the change does to it."""
        return self.lost or self.won or self.same

    @property
    def _sure(self) -> bool:
        return self.adjusted_p < 1 - LEVEL


class Verdict(Record):
    """What to do, and why."""

    decision: Decision
    reasons: tuple[str, ...]
    measured: tuple[Measured, ...]

    @property
    def passed(self) -> bool:
        """Whether a gate lets the change through: nothing that matters is lost for sure."""
        return not any(one.lost for one in self.measured)


class ImpactReport(Record):
    """All that one `reaseq impact` found out."""

    kind: Literal["reaseq impact"] = "reaseq impact"
    made_at: datetime
    what: tuple[str, ...]  # what differs between both sides, such as "prompt critic"
    before: Side
    after: Side
    sample: SampleUsed
    work: Work
    knowledge: KnowledgeChange
    verdict: Verdict
    golden: GoldenChange | None = None
    vectors: tuple[VectorChange, ...] = ()
    rankings: tuple[RankingChange, ...] = ()
    costs: tuple[SideCost, SideCost]  # before, after
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()  # what was not judged, and why
    machine: str = ""

    def differences(self) -> Iterator[tuple[str, PairedDifference]]:
        """Yield (model, difference) of every metric of every ranking."""
        for one in self.rankings:
            yield from ((one.model, found) for found in one.report.differences)


class AgentWorth(Record):
    """What one agent adds: from the side without it to the side with it."""

    agent: str
    off: str  # what happens without it
    version: int  # without it
    tokens: tuple[float, float]  # an item, without and with
    cost: tuple[Decimal | None, Decimal | None]  # an item
    golden: Marginal | None  # None: there are no golden items
    knowledge: tuple[int, int, int]  # claims that it gains, loses, changes
    rankings: tuple[tuple[str, PairedDifference], ...]  # (model, difference)


class AgentsReport(Record):
    """What each agent is worth."""

    kind: Literal["reaseq impact of agents"] = "reaseq impact of agents"
    made_at: datetime
    side: Side  # with all agents
    sample: SampleUsed
    agents: tuple[AgentWorth, ...]
    work: Spent
    notes: tuple[str, ...] = ()
    machine: str = ""
