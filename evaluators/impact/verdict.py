"""Whether a change is to be shipped: by what is better or worse for sure, and by what does not matter."""

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from statistics import NormalDist
from typing import Literal, NamedTuple

from evaluators.impact.report import Decision, Measured, SideCost, Verdict
from evaluators.significance import LEVEL, Difference

TOLERANCE = 0.005  # half a point
CHEAPER = 0.95  # of the cost before: what costs less than that is worth shipping for that alone
POWER = 0.8
_NORMAL = NormalDist()
_WIDTH = 2 * _NORMAL.inv_cdf((1 + LEVEL) / 2)  # of the interval, in standard errors

Unit = Literal["golden items", "users"]


class Figure(NamedTuple):
    """One figure that may decide."""

    name: str
    difference: Difference
    unit: Unit


def verdict_on(figures: Sequence[Figure], costs: tuple[SideCost, SideCost], *, tolerance: float = TOLERANCE) -> Verdict:
    """Return what to do with a change.

    A figure is lost or won where its interval is clear of zero, the permutation test agrees after Holm's correction for
    the number of figures, and the interval does not lie within `tolerance` of zero. What is lost decides before what is
    won. Where all intervals lie within the tolerance the change does not matter, and its cost decides.
    """
    measured = tuple(_measured(figures, tolerance))
    lost, won = [one for one in measured if one.lost], [one for one in measured if one.won]
    open_ = [one for one in measured if not one.told]
    if lost:
        return Verdict(decision=Decision.KEEP_OLD, reasons=tuple(map(_worse, lost)), measured=measured)
    if won:
        reasons = (*map(_better, won), *(f"not settled: {_could_lose(one)}" for one in open_ if one.difference.low < 0))
        return Verdict(decision=Decision.SHIP, reasons=reasons, measured=measured)
    if not measured:
        reason = "nothing was judged: golden items (--gold) or behaviours (--data) are needed"
        return Verdict(decision=Decision.UNDECIDED, reasons=(reason,), measured=())
    if open_:
        return Verdict(decision=Decision.UNDECIDED, reasons=tuple(map(_undecided, open_)), measured=measured)
    return _by_cost(measured, costs, tolerance)


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Return p-values raised for their number (Holm 1979), each at most 1; order is kept."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    raised, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        raised[place] = highest
    return raised


def needed(found: Difference, tolerance: float) -> int | None:
    """Return of how many items or users the figure would be told; None where nothing differs at all.

    The smaller of two numbers: with which a true difference as great as the one seen is found with a chance of 80 %
    (two-sided, 5 %), and with which, if there is none, its interval lies within the tolerance with that chance.
    """
    error = (found.high - found.low) / _WIDTH
    if error <= 0 or found.items < 1:
        return None
    sure = _NORMAL.inv_cdf((1 + LEVEL) / 2)
    numbers = [((sure + _NORMAL.inv_cdf((1 + POWER) / 2)) * error / tolerance) ** 2] if tolerance > 0 else []
    if found.difference:
        numbers.append(((sure + _NORMAL.inv_cdf(POWER)) * error / found.difference) ** 2)
    return math.ceil(found.items * max(1.0, min(numbers))) if numbers else None


def _measured(figures: Sequence[Figure], tolerance: float) -> Iterator[Measured]:
    raised = adjusted([figure.difference.p_value for figure in figures])
    for figure, p_value in zip(figures, raised, strict=True):
        found = Measured(
            name=figure.name, difference=figure.difference, adjusted_p=p_value, margin=tolerance, unit=figure.unit
        )
        yield found if found.told else found.model_copy(update={"needed": needed(figure.difference, tolerance)})


def _by_cost(measured: tuple[Measured, ...], costs: tuple[SideCost, SideCost], tolerance: float) -> Verdict:
    same = f"nothing changes by more than {100 * tolerance:g} points"
    before, after = _priced(costs)
    if before > 0 and after < CHEAPER * before:
        reason = f"{same}, and an item costs {1 - after / before:.0%} less"
        return Verdict(decision=Decision.SHIP, reasons=(reason,), measured=measured)
    dearer = f"; an item costs {after / before - 1:.0%} more" if before > 0 and after > before / CHEAPER else ""
    reason = f"{same}: there is nothing to gain{dearer}"
    return Verdict(decision=Decision.KEEP_OLD, reasons=(reason,), measured=measured)


def _priced(costs: tuple[SideCost, SideCost]) -> tuple[float, float]:
    """Return what an item costs on both sides: in money where both have a price, else in tokens."""
    money = [cost.cost for cost in costs]
    if None not in money and any(money):
        return float(money[0] or Decimal(0)), float(money[1] or Decimal(0))
    return costs[0].tokens, costs[1].tokens


def _worse(one: Measured) -> str:
    return f"{one.name} falls: {_span(one)}"


def _better(one: Measured) -> str:
    return f"{one.name} rises: {_span(one)}"


def _could_lose(one: Measured) -> str:
    return f"{one.name} may fall by up to {-100 * one.difference.low:.2g} points"


def _undecided(one: Measured) -> str:
    lacking = 0 if one.needed is None else one.needed - one.difference.items
    more = f"; about {lacking:,} more {one.unit} would tell" if lacking > 0 else ""
    return f"{one.name}: {_span(one)}, of {one.difference.items:,} {one.unit}{more}"


def _span(one: Measured) -> str:
    found = one.difference
    return (
        f"{100 * found.before:.2f} to {100 * found.after:.2f} "
        f"({100 * found.difference:+.2f} points, 95 % interval {100 * found.low:+.2f} to {100 * found.high:+.2f})"
    )
