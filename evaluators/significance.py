"""Whether two systems differ on the same items: a paired bootstrap interval and a paired permutation test (scipy)."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memory.errors import ReaseqError
from memory.record import Record

Numbers = NDArray[np.float64]

RESAMPLES = 5000
LEVEL = 0.95
_BATCH_NUMBERS = 2_000_000  # held at once while resampling


class ScipyMissing(ReaseqError):
    """The library that computes intervals is an optional one."""


class Share(NamedTuple):
    """What one item adds to a ratio of sums, such as micro-F1: 2 VC above, NV + VN + 2 (VC + VW) below."""

    part: float
    whole: float


class Difference(Record):
    """A ratio of sums before and after, and what of the difference is sure."""

    items: int
    before: float
    after: float
    difference: float
    low: float  # of the interval that holds the difference with a confidence of 95 %
    high: float
    p_value: float  # two-sided: how often systems of equal worth would differ as much

    @property
    def worse(self) -> bool:
        """Whether the interval lies wholly below 0."""
        return self.high < 0

    @property
    def better(self) -> bool:
        """Whether the interval lies wholly above 0."""
        return self.low > 0


def paired_difference(
    before: Sequence[Share], after: Sequence[Share], *, seed: int = 0, resamples: int = RESAMPLES
) -> Difference:
    """Return how a ratio of sums differs between two systems on the same items, in the same order.

    Items are drawn anew, not values, and the ratio is computed anew from the sums each time (BCa interval; percentiles
    where BCa is not defined). The test exchanges the two systems item by item. Of a single item, or of none, nothing is
    sure. Raises ValueError for lists of different length, and `ScipyMissing`.
    """
    if len(before) != len(after):
        raise ValueError(f"{len(before)} items before, {len(after)} after: they are to be the same")
    old, new = _columns(before), _columns(after)
    first, last = float(_ratio(*old, axis=-1)), float(_ratio(*new, axis=-1))
    if np.array_equal(old, new):
        low, high, p_value = 0.0, 0.0, 1.0
    elif len(before) < 2:
        low, high, p_value = -1.0, 1.0, 1.0
    else:
        low, high = _interval(old, new, seed, resamples)
        p_value = _p_value(old, new, seed, resamples)
    return Difference(
        items=len(before), before=first, after=last, difference=last - first, low=low, high=high, p_value=p_value
    )


def require_scipy() -> None:
    """Raise `ScipyMissing` unless the library is there."""
    _stats()


def _interval(old: Numbers, new: Numbers, seed: int, resamples: int) -> tuple[float, float]:
    def difference(*columns: Numbers, axis: int = -1) -> Numbers:
        return _ratio(columns[2], columns[3], axis=axis) - _ratio(columns[0], columns[1], axis=axis)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that BCa is not defined for these items; percentiles are taken then
        result = _stats().bootstrap(
            (*old, *new),
            difference,
            paired=True,
            vectorized=True,
            n_resamples=resamples,
            batch=_batch(old),
            confidence_level=LEVEL,
            method="BCa",
            rng=np.random.default_rng(seed),
        )
    low, high = result.confidence_interval
    if np.isnan(low) or np.isnan(high):
        low, high = np.quantile(result.bootstrap_distribution, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _p_value(old: Numbers, new: Numbers, seed: int, resamples: int) -> float:
    items = old.shape[1]
    parts, wholes = np.concatenate([old, new], axis=1)

    # Numbers of columns are exchanged, for the test knows single values, and an item is two: part and whole.
    def difference(one: Numbers, other: Numbers, axis: int = -1) -> Numbers:
        olds, news = one.astype(int), other.astype(int)
        return _ratio(parts[news], wholes[news], axis=axis) - _ratio(parts[olds], wholes[olds], axis=axis)

    result = _stats().permutation_test(
        (np.arange(items), np.arange(items) + items),
        difference,
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        batch=_batch(old),
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)


def _columns(shares: Sequence[Share]) -> Numbers:
    return np.array(shares, dtype=float).reshape(-1, 2).T


def _ratio(parts: Numbers, wholes: Numbers, *, axis: int) -> Numbers:
    whole = np.asarray(wholes.sum(axis=axis))
    shares: Numbers = np.divide(parts.sum(axis=axis), whole, out=np.zeros_like(whole), where=whole > 0)
    return shares


def _batch(columns: Numbers) -> int:
    return max(1, _BATCH_NUMBERS // max(1, columns.size))


def _stats() -> Any:
    try:
        from scipy import stats  # noqa: PLC0415 - optional, and a second to import
    except ImportError as error:
        raise ScipyMissing('comparing needs scipy: python -m pip install "scipy>=1.15"') from error
    return stats


def precision_bound(right: int, claims: int, level: float = LEVEL) -> float:
    """Return the one-sided lower bound of a share of which `right` of `claims` were seen; 0 where none was right.

    Clopper & Pearson 1934: with a confidence of `level` the true share is no lower. Raises `ScipyMissing`.
    """
    return float(_stats().beta.ppf(1 - level, right, claims - right + 1)) if right else 0.0
