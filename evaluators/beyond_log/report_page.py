"""A run of the beyond-log benchmark as one HTML file: no script, nothing from elsewhere; every text in it is data."""

from collections.abc import Iterable

from evaluators.beyond_log.report import BeyondLogReport, Judged
from evaluators.beyond_log.suggestions import Rule
from evaluators.pages import render_page
from evaluators.ranking.intervals import Interval
from evaluators.ranking.report import PairedDifference

TEMPLATE = "beyond_log/report.html"


def beyond_log_page(found: BeyondLogReport) -> str:
    """Return the page."""
    first, *rest = found.metrics
    cut = f"@{found.protocol.cuts[0]}"
    shown = tuple(name for name in found.metrics if name.endswith(cut))
    return render_page(
        TEMPLATE,
        found=found,
        rules=tuple(Rule),
        first=first,
        cut=cut,
        shown=shown,
        deeper=tuple(name for name in found.metrics if name not in shown),
        by_rule=_by_rule(found.systems, first),
        ends=_ends(judged.metrics[first] for judged in found.systems),
        plots=tuple(_plot(found, name) for name in rest if name in shown),
        differences=_by_metric(found.differences, found.metrics),
    )


def _by_rule(systems: Iterable[Judged], metric: str) -> dict[Rule, list[tuple[str, Interval]]]:
    found: dict[Rule, list[tuple[str, Interval]]] = {rule: [] for rule in Rule}
    for judged in systems:
        found[judged.rule].append((judged.system, judged.metrics[metric]))
    return found


def _plot(found: BeyondLogReport, metric: str) -> tuple[str, list[tuple[str, Interval]], tuple[float, float]]:
    """Return a metric with each system under the rule that serves it best, and the ends of its axis."""
    best: dict[str, Interval] = {}
    for judged in found.systems:
        own = judged.metrics.get(metric)
        if own and (judged.system not in best or own.mean > best[judged.system].mean):
            best[judged.system] = own
    return metric, list(best.items()), _ends(best.values())


def _ends(intervals: Iterable[Interval]) -> tuple[float, float]:
    shown = list(intervals)
    return min((0.0, *(i.low for i in shown))), max((i.high for i in shown), default=1.0)


def _by_metric(pairs: Iterable[PairedDifference], order: Iterable[str]) -> dict[str, list[PairedDifference]]:
    shown = list(pairs)
    grouped = {metric: [one for one in shown if one.metric == metric] for metric in order}
    return {metric: own for metric, own in grouped.items() if own}
