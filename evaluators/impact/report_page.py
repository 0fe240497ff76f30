"""A report of a change as one HTML file: no script, nothing from elsewhere; every text in it is data and is escaped."""

from typing import NamedTuple

from evaluators.impact.report import QUANTILES, AgentsReport, Decision, ImpactReport, Measured, VectorChange
from evaluators.pages import render_page

IMPACT, AGENTS = "impact/report.html", "impact/agents.html"
TONES = {Decision.SHIP: "ship", Decision.KEEP_OLD: "failed", Decision.UNDECIDED: "open"}


class _Ruled(NamedTuple):
    """A figure as its plot shows it: coloured by what decides, not by the interval alone."""

    difference: float
    low: float
    high: float
    better: bool
    worse: bool


def impact_page(report: ImpactReport | AgentsReport, number: int | None = None) -> str:
    """Return the page; `number` is the report's own in the knowledge base."""
    if isinstance(report, AgentsReport):
        models = dict.fromkeys((model, one.metric) for own in report.agents for model, one in own.rankings)
        return render_page(AGENTS, found=report, number=number, models=list(models))
    return render_page(
        IMPACT,
        found=report,
        number=number,
        tone=TONES[report.verdict.decision],
        quantiles=QUANTILES,
        deciding=[(one.name, _ruled(one)) for one in report.verdict.measured],
        bins={one.name: _bins(one) for one in report.vectors},
        most=max((one.all for one in (*report.knowledge.by_attribute, *report.knowledge.by_category)), default=1),
        seconds=sum(step.seconds for step in report.steps),
    )


def _ruled(one: Measured) -> _Ruled:
    return _Ruled(one.difference.difference, one.difference.low, one.difference.high, one.won, one.lost)


def _bins(one: VectorChange) -> list[tuple[float, int, float]]:
    """Return each bar of a histogram: where it begins, how many items it has, its height as a share of the highest."""
    highest = max(one.histogram, default=0) or 1
    width = one.greatest / len(one.histogram) if one.histogram else 0.0
    return [(place * width, count, count / highest) for place, count in enumerate(one.histogram)]
