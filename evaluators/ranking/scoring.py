"""What an evaluation needs of a system's ranks or probabilities: totals a metric, their mean over seeds, intervals."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluators.ranking.click_through import log_losses
from evaluators.ranking.intervals import Totals, auc_totals, difference, gauc_totals, interval, totals
from evaluators.ranking.next_item import CUTS, event_scores
from evaluators.ranking.report import PairedDifference, SliceScores, SystemScores
from evaluators.ranking.slices import Slice

Metrics = Mapping[str, Totals]  # by the metric's name
SlicedMetrics = Callable[[NDArray[np.bool_]], Metrics]  # a system's metrics on some of the events


def next_item_metrics(users: ArrayLike, ranks: ArrayLike, cuts: Sequence[int] = CUTS) -> dict[str, Totals]:
    """Return the totals of HR@K, NDCG@K and MRR; `users` and `ranks` are those of each event."""
    return {metric: totals(users, values) for metric, values in event_scores(ranks, cuts).items()}


def click_through_metrics(users: ArrayLike, labels: ArrayLike, probabilities: ArrayLike) -> dict[str, Totals]:
    """Return the totals of AUC, GAUC and logloss; AUC or GAUC is left out where no (or no user's) classes are two."""
    clicked = np.asarray(labels)
    found = {"logloss": totals(users, log_losses(labels, probabilities))}
    if clicked.any() and not clicked.all():
        found = {"AUC": auc_totals(users, labels, probabilities)} | found
    grouped = gauc_totals(users, labels, probabilities)
    return found | ({"GAUC": grouped} if grouped.part.size else {})


def mean_over_seeds(seeds: Sequence[Metrics]) -> dict[str, Totals]:
    """Return the mean of each metric over a system's seeds, user by user; raises ValueError for different events."""
    first = seeds[0]
    for other in seeds[1:]:
        if any(not np.array_equal(first[metric].whole, other[metric].whole) for metric in first):
            raise ValueError("seeds are to be scored on the same events")
    return {
        metric: Totals(np.mean([found[metric].part for found in seeds], axis=0), first[metric].whole)
        for metric in first
    }


def scored(label: str, seeds: Sequence[Metrics], *, seed: int = 0) -> SystemScores:
    """Return a system's metrics, of one `Metrics` a training seed; `seed` is the bootstrap's."""
    means = {
        metric: [float(found[metric].part.sum() / found[metric].whole.sum()) for found in seeds] for metric in seeds[0]
    }
    return SystemScores(
        label=label,
        metrics={metric: interval(of, seed=seed) for metric, of in mean_over_seeds(seeds).items()},
        spread={metric: float(np.std(found, ddof=1)) for metric, found in means.items()} if len(seeds) > 1 else {},
    )


def compared(
    metric: str, before: tuple[str, Sequence[Metrics]], after: tuple[str, Sequence[Metrics]], *, seed: int = 0
) -> PairedDifference:
    """Return what one system gains over another; each is its label and its metrics, one a training seed."""
    (old, olds), (new, news) = before, after
    found = difference(mean_over_seeds(olds)[metric], mean_over_seeds(news)[metric], seed=seed)
    return PairedDifference(metric=metric, before=old, after=new, difference=found)


def sliced(
    by: str, parts: Sequence[Slice], metric: str, systems: Mapping[str, Sequence[SlicedMetrics]], *, seed: int = 0
) -> tuple[SliceScores, ...]:
    """Return a metric on each slice that has events; `systems` gives metrics on some events, by label, one a seed."""
    found = []
    for part in parts:
        if not part.events.any():
            continue
        of_systems = {label: [of(part.events) for of in seeds] for label, seeds in systems.items()}
        intervals = {
            label: interval(mean_over_seeds(seeds)[metric], seed=seed)
            for label, seeds in of_systems.items()
            if all(metric in of for of in seeds)
        }
        count = int(part.events.sum())
        found.append(SliceScores(by=by, name=part.name, events=count, metric=metric, systems=intervals))
    return tuple(found)
