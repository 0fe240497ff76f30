"""From lists to the report: metrics of each system under each rule and seed, the strongest control, differences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from evaluators.beyond_log.hiding import Categories, Rows
from evaluators.beyond_log.metrics import CUTS, FOUND, Gold, list_metrics
from evaluators.beyond_log.report import BeyondLogReport, Judged, labelled
from evaluators.beyond_log.suggestions import Lists, Rule, listed, of_another
from evaluators.beyond_log.truth import NEED_PRECISION, NEED_RECALL, NEEDS_MET, Truth, truth_metrics
from evaluators.ranking.intervals import Totals, difference, intervals
from evaluators.ranking.report import PairedDifference

Metrics = Mapping[str, Totals]

GAINS = (*FOUND, NEED_RECALL, NEED_PRECISION, NEEDS_MET)  # of which more is a gain; of novelty, more is only other
ANOTHER = "another user's list"


@dataclass(frozen=True)
class Jury:
    """What one seed's lists are held against, and at which cuts."""

    gold: Gold
    truth: Truth | None = None
    cuts: tuple[int, ...] = CUTS

    @property
    def categories(self) -> Categories:
        """The items' categories."""
        return self.gold.categories

    def metrics(self, lists: Rows) -> dict[str, Totals]:
        """Return all metrics of lists [users, items]."""
        found = list_metrics(lists, self.gold, self.cuts)
        return found | (truth_metrics(lists, self.truth, self.categories, self.cuts) if self.truth else {})


@dataclass
class Sitting:
    """One system's metrics, one entry a seed."""

    system: str
    is_control: bool
    by_rule: dict[Rule, list[Metrics]] = field(default_factory=lambda: {rule: [] for rule in Rule})
    another: list[Metrics] = field(default_factory=list)  # of other users' lists, under the rule `SPREAD`
    filled: dict[Rule, list[float]] = field(default_factory=lambda: {rule: [] for rule in Rule})
    cpu_seconds: list[float] = field(default_factory=list)
    learned_from: str = ""

    def hear(self, jury: Jury, lists: Lists, seed: int = 0) -> None:
        """Add one seed's lists."""
        for rule, rows in lists.by_rule.items():
            self.by_rule[rule].append(jury.metrics(rows))
            self.filled[rule].append(float((rows >= 0).mean()) if rows.size else 0.0)
        swapped = listed(of_another(lists.deep, seed), jury.gold.hiding, jury.categories, max(jury.cuts))
        self.another.append(jury.metrics(swapped.by_rule[Rule.SPREAD]))

    def judged(self) -> Iterator[Judged]:
        """Yield the figures under each rule."""
        means = {(rule, name): of for rule, seeds in self.by_rule.items() for name, of in pooled(seeds).items()}
        found = intervals(means)
        for rule, seeds in self.by_rule.items():
            yield Judged(
                system=self.system,
                rule=rule,
                is_control=self.is_control,
                metrics={name: of for (under, name), of in found.items() if under is rule},
                spread=_spread(seeds),
                filled=float(np.mean(self.filled[rule])),
                cpu_seconds=float(np.mean(self.cpu_seconds)) if self.cpu_seconds else None,
                learned_from=self.learned_from,
            )


def verdict(report: BeyondLogReport, sittings: Sequence[Sitting]) -> BeyondLogReport:
    """Return the report with systems, strongest controls and differences; it has protocol and coverage already."""
    systems = tuple(judged for sitting in sittings for judged in sitting.judged())
    seen = dict.fromkeys(name for judged in systems for name in judged.metrics)
    metrics = tuple(sorted(seen, key=lambda name: (report.protocol.cuts.index(_cut(name)), list(seen).index(name))))
    strongest = dict(_strongest(systems, [name for name in metrics if _kind(name) in GAINS]))
    document = {
        "systems": systems,
        "metrics": metrics,
        "strongest": strongest,
        "differences": tuple(_differences(sittings, strongest, report.protocol.cuts[0])),
        "personal": tuple(_personal(sittings, metrics[0])),
        "truth_metrics": tuple(n for n in metrics if _kind(n) in (NEED_RECALL, NEED_PRECISION, NEEDS_MET)),
    }
    return BeyondLogReport.model_validate(dict(report) | document)


def pooled(seeds: Sequence[Metrics]) -> dict[str, Totals]:
    """Return the mean over seeds, user by user; a metric that no user has is left out."""
    names = [name for name in seeds[0] if all(name in own for own in seeds)]
    means = {
        name: Totals(*(np.mean([getattr(own[name], part) for own in seeds], axis=0) for part in ("part", "whole")))
        for name in names
    }
    return {name: of for name, of in means.items() if of.whole.sum() > 0}


def _spread(seeds: Sequence[Metrics]) -> dict[str, float]:
    if len(seeds) < 2:
        return {}
    found = {}
    for name in pooled(seeds):
        means = [own[name].part.sum() / own[name].whole.sum() for own in seeds if own[name].whole.sum() > 0]
        found[name] = float(np.std(means, ddof=1)) if len(means) > 1 else 0.0
    return found


def _strongest(systems: Sequence[Judged], metrics: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name in metrics:
        if controls := [judged for judged in systems if judged.is_control and name in judged.metrics]:
            yield name, max(controls, key=lambda judged: judged.metrics[name].mean).label


def _differences(sittings: Sequence[Sitting], strongest: Mapping[str, str], cut: int) -> Iterator[PairedDifference]:
    """Yield, by metric at the first cut, what each system that is no control gains under each rule."""
    found = {labelled(own.system, rule): pooled(seeds) for own in sittings for rule, seeds in own.by_rule.items()}
    challengers = [labelled(own.system, rule) for own in sittings if not own.is_control for rule in Rule]
    for name, before in strongest.items():
        for after in challengers if _cut(name) == cut else []:
            gained = difference(found[before][name], found[after][name])
            yield PairedDifference(metric=name, before=before, after=after, difference=gained)


def _personal(sittings: Sequence[Sitting], metric: str) -> Iterator[PairedDifference]:
    for own in sittings:
        gained = difference(pooled(own.another)[metric], pooled(own.by_rule[Rule.SPREAD])[metric])
        after = labelled(own.system, Rule.SPREAD)
        yield PairedDifference(metric=metric, before=ANOTHER, after=after, difference=gained)


def _kind(metric: str) -> str:
    return metric.partition("@")[0]


def _cut(metric: str) -> int:
    return int(metric.partition("@")[2])
