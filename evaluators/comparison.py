"""Two systems on the same items: what differs for sure, and which items won or lost."""

from collections.abc import Sequence

from evaluators.item_scores import ItemScore
from evaluators.significance import Difference, Share, paired_difference
from memory.errors import ReaseqError
from memory.record import Record


class DifferentItems(ReaseqError):
    """Two evaluations are not of the same items."""


class ItemChange(Record):
    """One item that is better or worse than before."""

    item_id: str
    title: str
    before: float  # F1 of the item's values
    after: float
    gained: tuple[str, ...]  # attributes with more right values, or fewer wrong ones; "category" too
    lost: tuple[str, ...]


class Comparison(Record):
    """What changed from one system to another."""

    before: str
    after: str
    f1: Difference
    category_accuracy: Difference
    wins: tuple[ItemChange, ...]  # the greatest change first
    losses: tuple[ItemChange, ...]


def compare(
    before: Sequence[ItemScore], after: Sequence[ItemScore], *, labels: tuple[str, str] = ("before", "after"), seed: int
) -> Comparison:
    """Return what changed; raises `DifferentItems` unless both have the same items."""
    old, new = _by_id(before), _by_id(after)
    if old.keys() != new.keys():
        only = sorted(old.keys() ^ new.keys())
        raise DifferentItems(f"{len(only)} items are in one evaluation alone, such as {only[0]!r}")
    pairs = [(old[item_id], new[item_id]) for item_id in sorted(old)]
    changes = [change for one, other in pairs if (change := _change(one, other))]
    return Comparison(
        before=labels[0],
        after=labels[1],
        f1=paired_difference([f1_share(one) for one, _ in pairs], [f1_share(one) for _, one in pairs], seed=seed),
        category_accuracy=paired_difference(
            [category_share(one) for one, _ in pairs], [category_share(one) for _, one in pairs], seed=seed
        ),
        wins=tuple(sorted((c for c in changes if _worth(c) > 0), key=lambda c: (-_worth(c), c.item_id))),
        losses=tuple(sorted((c for c in changes if _worth(c) < 0), key=lambda c: (_worth(c), c.item_id))),
    )


def f1_share(score: ItemScore) -> Share:
    """Return what an item adds to micro-F1."""
    kinds = score.kinds
    return Share(2 * kinds.vc, kinds.nv + kinds.vn + 2 * (kinds.vc + kinds.vw))


def category_share(score: ItemScore) -> Share:
    """Return what an item adds to category accuracy."""
    return Share(score.category_right, bool(score.wanted_path))


def _by_id(scores: Sequence[ItemScore]) -> dict[str, ItemScore]:
    return {score.item_id: score for score in scores}


def _change(old: ItemScore, new: ItemScore) -> ItemChange | None:
    gains = {name: _value(new, name) - _value(old, name) for name in {*old.attributes, *new.attributes}}
    gains["category"] = new.category_right - old.category_right
    gained = tuple(sorted(name for name, gain in gains.items() if gain > 0))
    lost = tuple(sorted(name for name, gain in gains.items() if gain < 0))
    if not gained and not lost:
        return None
    return ItemChange(
        item_id=new.item_id,
        title=new.title,
        before=old.kinds.f1,
        after=new.kinds.f1,
        gained=gained,
        lost=lost,
    )


def _value(score: ItemScore, attribute: str) -> int:
    """Return what an attribute's answers are worth: right values less wrong ones."""
    kinds = score.attributes.get(attribute)
    return 0 if kinds is None else kinds.vc - kinds.nv - kinds.vw


def _worth(change: ItemChange) -> float:
    """Return whether an item won or lost: by its F1, and where that is the same by how many answers did."""
    return (change.after - change.before) or (len(change.gained) - len(change.lost)) / 1000
