"""How near a category is to the right one: overlap of the paths that lead to them."""

from collections.abc import Sequence

from evaluators.rates import Rates
from memory.record import Record

Path = tuple[str, ...]


class PathOverlap(Record):
    """Steps counted over items: those that both paths share from the top, those found, those wanted."""

    shared: int = 0
    found: int = 0
    wanted: int = 0

    def __add__(self, other: "PathOverlap") -> "PathOverlap":
        return PathOverlap(
            shared=self.shared + other.shared, found=self.found + other.found, wanted=self.wanted + other.wanted
        )

    @property
    def rates(self) -> Rates:
        """Hierarchical precision, recall and F1 (Kiritchenko, Matwin, Famili 2005), micro over items."""
        return Rates.of(self.shared, self.found, self.wanted)


def path_overlap(found: Sequence[str], wanted: Sequence[str]) -> PathOverlap:
    """Return the overlap of one item's path with the right one; an item without a path found nothing."""
    shared = 0
    for one, other in zip(found, wanted, strict=False):
        if one != other:
            break
        shared += 1
    return PathOverlap(shared=shared, found=len(found), wanted=len(wanted))
