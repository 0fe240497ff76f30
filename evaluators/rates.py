"""Precision, recall and F1 of counts."""

from typing import Self

from memory.record import Record


class Rates(Record):
    """Precision, recall and their harmonic mean, each in [0, 1]; 0 where there is nothing to divide by."""

    precision: float
    recall: float
    f1: float

    @classmethod
    def of(cls, right: int, found: int, wanted: int) -> Self:
        """Return the rates of so many right ones among those found and those wanted."""
        return cls(precision=ratio(right, found), recall=ratio(right, wanted), f1=ratio(2 * right, found + wanted))


def ratio(part: float, whole: float) -> float:
    """Return part / whole, 0 where the whole is 0."""
    return part / whole if whole else 0.0
