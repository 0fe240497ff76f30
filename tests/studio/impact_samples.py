"""Reports of what changes did, with all of their parts, for the tests of the page that shows them."""

from datetime import UTC, datetime
from decimal import Decimal

from evaluators.comparison import Comparison, ItemChange
from evaluators.evaluation import GoldUsed
from evaluators.impact.report import (
    AgentsReport,
    AgentWorth,
    Count,
    Decision,
    GoldenChange,
    ImpactReport,
    KnowledgeChange,
    Measured,
    MovedItem,
    RankingChange,
    SampleUsed,
    Side,
    SideCost,
    SliceChange,
    Spent,
    StaleCause,
    Step,
    ValueChange,
    VectorChange,
    Verdict,
    Work,
)
from evaluators.ranking.intervals import Interval
from evaluators.ranking.report import PairedDifference, RankingProtocol, RankingReport, SystemScores
from evaluators.significance import Difference
from memory.database import Session
from memory.impact_reports import keep_report

MADE_AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def difference(before: float, after: float, spread: float) -> Difference:
    found = after - before
    return Difference(
        items=40, before=before, after=after, difference=found, low=found - spread, high=found + spread, p_value=0.01
    )


def impact_report(
    decision: Decision, *, title: str = "Acme kettle", before: int = 1, after: int = 2, reason: str = "F1 falls"
) -> ImpactReport:
    """Return a report with all parts; `title` is the title of the items that it names."""
    f1, other = difference(0.8, 0.7, 0.04), difference(0.9, 0.9, 0.01)
    measured = Measured(name="F1 of golden items", difference=f1, adjusted_p=0.01, margin=0.005, unit="golden items")
    unsettled = Measured(
        name="AUC of clicks", difference=other, adjusted_p=0.6, margin=0.005, unit="users", needed=4321
    )
    return ImpactReport(
        made_at=MADE_AT,
        what=("prompt critic",),
        before=Side(version=before, provenance=None),
        after=Side(version=after, provenance=None, prompts="my-prompts"),
        sample=SampleUsed(items=3, of=10),
        work=_work(),
        knowledge=_knowledge(title),
        verdict=Verdict(decision=decision, reasons=(reason,), measured=(measured, unsettled)),
        golden=_golden(title, f1, other),
        vectors=(_vectors(title),),
        rankings=(_ranking(),),
        costs=(_cost(100, "0.001"), _cost(80, None)),
        steps=(Step(name="made anew", seconds=3.0, cpu_seconds=1.5),),
        notes=("no diffusion model was trained",),
    )


def agents_report() -> AgentsReport:
    """Return a report of one agent."""
    found = PairedDifference(metric="NDCG@10", before="without", after="with", difference=difference(0.1, 0.2, 0.05))
    worth = AgentWorth(
        agent="critic",
        off="every claim is accepted",
        version=3,
        tokens=(100.0, 180.0),
        cost=(Decimal("0.001"), Decimal("0.002")),
        golden=None,
        knowledge=(4, 2, 1),
        rankings=(("next item", found),),
    )
    return AgentsReport(
        made_at=MADE_AT,
        side=Side(version=1, provenance=None),
        sample=SampleUsed(items=10, of=10),
        agents=(worth,),
        work=Spent(calls=12, tokens=345),
    )


def _work() -> Work:
    cause = StaleCause(agent="critic", why="prompt critic", results=3)
    return Work(causes=(cause,), expected_calls=3, expected_tokens=54, spent=Spent(items=3, calls=3, tokens=54))


def _knowledge(title: str) -> KnowledgeChange:
    change = ValueChange(item_id="K1", title=title, attribute="color", before="red", after="")
    return KnowledgeChange(
        items=3,
        differing=2,
        claims=(9, 8),
        gained=1,
        lost=2,
        changed=1,
        recategorized=0,
        demands=(0, 1),
        summaries=1,
        contradictions=(1, 0),
        by_attribute=(Count(name="color", gained=1, lost=2, changed=1),),
        by_category=(Count(name="Kitchen > Kettles", gained=1, lost=2, changed=1), Count(name="", lost=1)),
        examples=(change,),
    )


def _golden(title: str, f1: Difference, other: Difference) -> GoldenChange:
    loss = ItemChange(item_id="K1", title=title, before=1.0, after=0.5, gained=(), lost=("color",))
    compared = Comparison(before="before", after="after", f1=f1, category_accuracy=other, wins=(), losses=(loss,))
    used = GoldUsed(file="some/gold.jsonl", fingerprint="0", items=40)
    return GoldenChange(
        gold=used, comparison=compared, precision=(0.9, 0.8), recall=(0.7, 0.6), valued=40, categorized=40
    )


def _vectors(title: str) -> VectorChange:
    return VectorChange(
        name="attributes",
        items=3,
        moved=2,
        quantiles=(0.1, 0.1, 0.2, 0.3, 0.3),
        histogram=(1, 0, 0, 0, 0, 0, 0, 0, 0, 1),
        greatest=0.3,
        farthest=(MovedItem(item_id="K1", title=title, distance=0.3),),
    )


def _ranking() -> RankingChange:
    protocol = RankingProtocol(
        task="click-through",
        data="a log",
        split="last behaviour",
        candidates="one and nine drawn",
        ties="pessimistic",
        users=40,
        events=40,
        items=3,
        seeds=(0,),
        machine="here",
    )
    found = [
        PairedDifference(metric=metric, before="before", after="after", difference=difference(0.3, 0.4, 0.02))
        for metric in ("AUC", "logloss")
    ]
    mean = Interval(users=40, mean=0.3, low=0.2, high=0.4)
    systems = tuple(SystemScores(label=label, metrics={"AUC": mean}) for label in ("before", "after"))
    report = RankingReport(
        protocol=protocol, metrics=("AUC", "logloss"), floor="before", systems=systems, differences=tuple(found)
    )
    cold = SliceChange(by="popularity", name="cold", events=4, metric="AUC", difference=difference(0.3, 0.2, 0.3))
    return RankingChange(model="clicks", report=report, slices=(cold,))


def _cost(tokens: float, money: str | None) -> SideCost:
    return SideCost(items=3, calls=5.0, tokens=tokens, cost=None if money is None else Decimal(money))


def kept(session: Session, report: ImpactReport | AgentsReport) -> int:
    """Store a report as `reaseq impact` does; return its number."""
    content = report.model_dump_json()
    if isinstance(report, AgentsReport):
        return keep_report(session, content, what="without critic", verdict="", before_version=1, after_version=None)
    return keep_report(
        session,
        content,
        what="; ".join(report.what),
        verdict=report.verdict.decision.value,
        before_version=report.before.version,
        after_version=report.after.version,
    )
