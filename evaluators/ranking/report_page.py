"""An evaluation of rankers as one HTML file: no script, nothing from elsewhere; every text in it is data."""

from collections.abc import Iterable
from itertools import groupby

from evaluators.pages import render_page
from evaluators.ranking.intervals import Interval
from evaluators.ranking.report import FALLING, PairedDifference, RankingReport, SliceScores

TEMPLATE = "ranking/report.html"


def ranking_report_page(found: RankingReport) -> str:
    """Return the page."""
    levels = [(system.label, system.metrics[found.metrics[0]]) for system in found.systems]
    return render_page(
        TEMPLATE,
        found=found,
        falling=FALLING,
        floor=next(system for system in found.systems if system.label == found.floor),
        levels=levels,
        ends=_ends(shown for _, shown in levels),
        slices=_slices(found),
        differences=_by_metric(found),
        attributes=sorted(found.attributes, key=lambda effect: -effect.difference.difference),
    )


def _slices(found: RankingReport) -> list[tuple[str, list[SliceScores], tuple[float, float]]]:
    """Return slices by what they are made by, each group with the ends of its axis, so that its plots compare."""
    groups = [(by, list(parts)) for by, parts in groupby(found.slices, key=lambda part: part.by)]
    return [(by, parts, _ends(shown for part in parts for shown in part.systems.values())) for by, parts in groups]


def _ends(intervals: Iterable[Interval]) -> tuple[float, float]:
    shown = list(intervals)
    return min((i.low for i in shown), default=0.0), max((i.high for i in shown), default=1.0)


def _by_metric(found: RankingReport) -> dict[str, list[PairedDifference]]:
    """Return differences by metric, in the order of the tables."""
    order = dict.fromkeys((*found.metrics, *(shown.metric for shown in found.differences)))
    grouped = {metric: [d for d in found.differences if d.metric == metric] for metric in order}
    return {metric: shown for metric, shown in grouped.items() if shown}
