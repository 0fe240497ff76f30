"""How sure a metric and a difference of two systems are: users are drawn anew, all of a user's events together."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluators.ranking.click_through import placements, user_aucs
from evaluators.significance import LEVEL, Difference
from memory.record import Record

Floats = NDArray[np.float64]
Name = TypeVar("Name", bound=Hashable)

RESAMPLES = 1000
_BATCH_NUMBERS = 2_000_000  # held at once while resampling
_NORMAL = NormalDist()


class Totals(NamedTuple):
    """A metric as a ratio of sums over users: what each adds above and below, users in the order of their numbers."""

    part: Floats
    whole: Floats


class Interval(Record):
    """A metric with the interval that holds it with a confidence of 95 %."""

    users: int
    mean: float
    low: float
    high: float


def totals(users: ArrayLike, values: ArrayLike) -> Totals:
    """Return the totals of a mean over events (HR, NDCG, MRR, logloss): sums of values over numbers of events."""
    names, user = np.unique(np.asarray(users), return_inverse=True)
    part = np.bincount(user, np.asarray(values, dtype=float), minlength=names.size).astype(float)
    return Totals(part, np.bincount(user, minlength=names.size).astype(float))


def gauc_totals(users: ArrayLike, labels: ArrayLike, scores: ArrayLike) -> Totals:
    """Return the totals of GAUC; users without both classes are not in it."""
    found = user_aucs(users, labels, scores)
    return Totals(found.aucs * found.impressions, found.impressions.astype(float))


def auc_totals(users: ArrayLike, labels: ArrayLike, scores: ArrayLike) -> Totals:
    """Return the totals of the AUC over all impressions, which is no ratio of sums but nearly one.

    To the first order, redrawing users moves the AUC by what each user's impressions add to it (`placements`): a user
    stands for the AUC plus his influence on it. Raises ValueError without both classes.
    """
    names, user = np.unique(np.asarray(users), return_inverse=True)
    clicked, placed = np.asarray(labels, dtype=float), placements(labels, scores)
    mean = placed[clicked == 1].mean()
    of_class = np.where(clicked == 1, clicked.sum(), (1 - clicked).sum())
    influence = np.bincount(user, (placed - mean) / of_class, minlength=names.size)
    return Totals(mean + names.size * influence, np.ones(names.size))


def interval(of: Totals, *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """Return the metric with its interval (BCa, Efron 1987); of one user, or of none, nothing is sure.

    Raises ValueError where there is no event at all.
    """
    mean = _ratio(of)
    users = of.part.size
    if users < 2:
        return Interval(users=users, mean=mean, low=min(0.0, mean), high=max(1.0, mean))
    drawn = np.concatenate([sums[:, 0] / sums[:, 1] for sums in _redrawn(np.stack(of, axis=1), seed, resamples)])
    low, high = _bca(drawn, mean, _left_out(of))
    return Interval(users=users, mean=mean, low=low, high=high)


def intervals(of: Mapping[Name, Totals], *, seed: int = 0, resamples: int = RESAMPLES) -> dict[Name, Interval]:
    """Return the intervals of many metrics of the same users, who are drawn anew once for all; see `interval`."""
    users = next((one.part.size for one in of.values()), 0)
    if users < 2:
        return {name: interval(one) for name, one in of.items()}
    columns = np.concatenate([np.stack(one, axis=1) for one in of.values()], axis=1)
    sums = np.concatenate(list(_redrawn(columns, seed, resamples)))
    drawn = dict(zip(of, (sums[:, ::2] / sums[:, 1::2]).T, strict=True))
    spans = {name: _bca(drawn[name], _ratio(one), _left_out(one)) for name, one in of.items()}
    return {
        name: Interval(users=users, mean=_ratio(of[name]), low=low, high=high) for name, (low, high) in spans.items()
    }


def difference(before: Totals, after: Totals, *, seed: int = 0, resamples: int = RESAMPLES) -> Difference:
    """Return how a metric differs between two systems on the same events, drawn anew together.

    The interval is BCa; the test exchanges the two systems user by user (Monte Carlo; its p-value is never 0).
    `Difference.items` counts users. Raises ValueError for totals of different events.
    """
    if not np.array_equal(before.whole, after.whole):
        raise ValueError("the two systems are to be compared on the same events")
    first, last, users = _ratio(before), _ratio(after), before.part.size
    gained = Totals(after.part - before.part, before.whole)
    if not gained.part.any():
        low, high, p_value = 0.0, 0.0, 1.0
    elif users < 2:
        low, high, p_value = -1.0, 1.0, 1.0
    else:
        found = interval(gained, seed=seed, resamples=resamples)
        low, high, p_value = found.low, found.high, _p_value(gained.part, seed, resamples)
    return Difference(
        items=users, before=first, after=last, difference=last - first, low=low, high=high, p_value=p_value
    )


def _ratio(of: Totals) -> float:
    if not of.whole.sum() > 0:
        raise ValueError("there is no event")
    return float(of.part.sum() / of.whole.sum())


def _redrawn(columns: Floats, seed: int, resamples: int) -> Iterator[Floats]:
    """Yield sums of the columns over users drawn with replacement, [resamples of a batch, columns].

    The same seed draws the same users whatever is summed.
    """
    chance = np.random.default_rng(seed)
    users = len(columns)
    for size in _batches(users, resamples):
        drawn = chance.integers(users, size=(size, users), dtype=np.int32)
        drawn += np.arange(size, dtype=np.int32)[:, None] * np.int32(users)
        yield np.bincount(drawn.ravel(), minlength=size * users).reshape(size, users) @ columns


def _p_value(gained: Floats, seed: int, resamples: int) -> float:
    chance = np.random.default_rng(seed)
    observed = abs(gained.sum()) * (1 - 1e-12)  # what differs by rounding alone is as extreme
    extreme = 0
    for size in _batches(gained.size, resamples):
        exchanged = chance.integers(2, size=(size, gained.size), dtype=np.int8).astype(float)
        extreme += int((np.abs(gained.sum() - 2 * (exchanged @ gained)) >= observed).sum())
    return (1 + extreme) / (1 + resamples)


def _left_out(of: Totals) -> Floats:
    """Return the metric without each user; a user who is alone in having events leaves it as it is."""
    whole = of.whole.sum() - of.whole
    alone = np.full(whole.shape, _ratio(of))
    np.divide(of.part.sum() - of.part, whole, out=alone, where=whole > 0)
    return alone


def _bca(drawn: Floats, observed: float, left_out: Floats) -> tuple[float, float]:
    """Return the bias-corrected and accelerated interval; the percentile interval where that is not defined."""
    below = ((drawn < observed).mean() + (drawn <= observed).mean()) / 2
    tails: Sequence[float] = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    away = left_out.mean() - left_out
    spread = (away**2).sum()
    if 0 < below < 1 and spread > 0:
        bias = _NORMAL.inv_cdf(below)
        acceleration = (away**3).sum() / (6 * spread**1.5)
        moved = [bias + _NORMAL.inv_cdf(tail) for tail in tails]
        tails = [_NORMAL.cdf(bias + z / (1 - acceleration * z)) for z in moved]
    low, high = np.quantile(drawn, tails)
    return float(low), float(high)


def _batches(users: int, resamples: int) -> Iterator[int]:
    size = max(1, _BATCH_NUMBERS // users)
    for start in range(0, resamples, size):
        yield min(size, resamples - start)
