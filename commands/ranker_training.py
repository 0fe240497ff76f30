"""Training both rankers into one folder, and asking them: what is next, or which of these is clicked."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from commands.output import say
from memory.errors import ReaseqError
from memory.record import Record
from ranker.trained import fit_next_item, load_next_item, save_next_item

if TYPE_CHECKING:
    from ranker.config import RankerConfig
    from ranker.material import Material
    from ranker.next_item import Ranked


class UnknownItem(ReaseqError):
    """An item is neither in the catalog nor in the log."""


class RankedItem(Record):
    """An item of a ranking, for people to read."""

    item: str
    title: str
    score: float
    because: str  # the title of the behaviour that weighed most; empty where there is none
    because_item: str
    shared: tuple[tuple[str, str], ...]  # what both have, the heaviest first


def train_both(material: "Material", config: "RankerConfig", folder: Path) -> dict[str, float]:
    """Train on all but the behaviours held out, and write the folder; return the validation metrics."""
    learned = material.learning_from(material.behaviors.without_last(config.held_out))
    say(f"learning from {len(learned.behaviors.item)} behaviours with {len(learned.behaviors.items)} items")
    ranker = fit_next_item(learned, config.next_item)
    metrics: dict[str, float] = {}
    save_next_item(folder, ranker, metrics)
    return metrics


def ranked(material: "Material", folder: Path, user: str, candidates: list[str] | None, top: int) -> list[RankedItem]:
    """Return the best items for a user, or some items in order, with what weighed most."""
    history = material.behaviors.of_user(user)
    if not len(history):
        say(f"nothing is stored of user {user!r}: ranked as somebody unknown")
    ranker = load_next_item(folder, material)
    if candidates is None:
        return [_readable(material, one) for one in ranker.top(history, top)]
    rows = _rows(material, candidates)
    return [_readable(material, one) for one in ranker.ordered(history, rows)]


def _rows(material: "Material", ids: list[str]) -> list[int]:
    places = {item_id: row for row, item_id in enumerate(material.behaviors.items)}
    unknown = [item_id for item_id in ids if item_id not in places]
    if unknown:
        raise UnknownItem(f"item {unknown[0]!r} is neither in the catalog nor in the log")
    return [places[item_id] for item_id in ids]


def _readable(material: "Material", one: "Ranked") -> RankedItem:
    items, titles = material.behaviors.items, material.known.titles
    reason = one.reason
    return RankedItem(
        item=items[one.item],
        title=titles[one.item],
        score=one.score if np.isfinite(one.score) else 0.0,
        because="" if reason is None else titles[reason.history_item],
        because_item="" if reason is None else items[reason.history_item],
        shared=() if reason is None else reason.shared,
    )
