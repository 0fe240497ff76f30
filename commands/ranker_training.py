"""Training both rankers into one folder, and asking them: what is next, or which of these is clicked."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from commands.cluster_maps import Cluster
from commands.output import say
from commands.shared_training import trained_on
from learning.training import Epoch
from learning.weights import load_config
from memory.errors import ReaseqError
from memory.record import Record
from ranker.click_fitting import (
    CLICK_THROUGH,
    ClickThroughFolder,
    Parts,
    groups_of,
    load_click_through,
    parts_of,
    save_click_through,
    train_ranker,
    views,
)
from ranker.click_through import auc_of, line_of, logits_of
from ranker.config import NextItemConfig
from ranker.next_item_folder import NEXT_ITEM, fit_next_item, load_next_item, save_next_item

if TYPE_CHECKING:
    from learning.material import Material
    from ranker.config import ClickThroughConfig, RankerConfig
    from ranker.model import ClickThroughRanker
    from ranker.next_item import Reason


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


def train_both(
    material: "Material", config: "RankerConfig", folder: Path, cluster: Cluster | None = None
) -> dict[str, float]:
    """Train on all but the behaviours held out, and write the folder; return what selected the weights.

    On a cluster the ranker of candidates is trained by several processes; what is next is counted here.
    """
    learned = material.learning_from(material.behaviors.without_last(config.held_out))
    say(f"learning from {len(learned.behaviors.item)} behaviours with {len(learned.behaviors.items)} items")
    save_next_item(folder, fit_next_item(learned, config.next_item), {})
    return {"selection AUC": _train_clicks(learned, config.click_through, folder, cluster)}


def _train_clicks(learned: "Material", config: "ClickThroughConfig", folder: Path, cluster: Cluster | None) -> float:
    """Train on each user's third last behaviour, as counts before it tell; the second last selects the weights."""
    groups = groups_of(learned)
    parts = _parts(learned, config, groups)

    def tell(epoch: Epoch) -> None:
        say(f"epoch {epoch.number + 1}: loss {epoch.loss:.4f}, selection AUC {epoch.metric:.4f}")

    def lead() -> "ClickThroughRanker":
        return train_ranker(learned, parts, config, folder=folder / CLICK_THROUGH, told=tell)

    model = trained_on(cluster, lead, partial(_follow_clicks, learned, config, groups))
    best = auc_of(parts.select)(model)  # not what was told: a resumed run may have been best before
    about = ClickThroughFolder(
        shape=model.config,
        config=config,
        arm=learned.arm,
        groups=groups,
        line=line_of(logits_of(model, parts.select)),
        items=learned.behaviors.items,
    )
    save_click_through(folder, model, about, best)
    return best


def _follow_clicks(learned: "Material", config: "ClickThroughConfig", groups: tuple[str, ...]) -> None:
    """Train the same in another process, which writes nothing."""
    train_ranker(learned, _parts(learned, config, groups), config)


def _parts(learned: "Material", config: "ClickThroughConfig", groups: tuple[str, ...]) -> Parts:
    seen = learned.behaviors.without_last(3)
    return parts_of(learned, views(learned, seen, groups), seen, config)


def allows_repeats(folder: Path) -> bool:
    """Return whether a stored ranker was trained to foretell what a user has already; raises `ModelUnreadable`."""
    return load_config(folder / NEXT_ITEM, NextItemConfig).repeats


def ranked(material: "Material", folder: Path, user: str, candidates: list[str] | None, top: int) -> list[RankedItem]:
    """Return the best items for a user, or some items by the chance of a click, with what weighed most."""
    history = material.behaviors.of_user(user)
    if not len(history):
        say(f"nothing is stored of user {user!r}: ranked as somebody unknown")
    whole = load_next_item(folder, material)
    if candidates is None:
        return [_readable(material, one.item, one.score, one.reason) for one in whole.top(history, top)]
    rows = np.array(_rows(material, candidates), dtype=np.int32)
    imagined = () if material.imagined is None else material.imagined.of_user(material.behaviors.user_rows.get(user))
    chances = load_click_through(folder, material).score(history, rows, *imagined)
    order = np.argsort(-chances, kind="stable")
    return [
        _readable(material, int(rows[place]), float(chances[place]), whole.reason(history, int(rows[place])))
        for place in order
    ]


def _rows(material: "Material", ids: list[str]) -> list[int]:
    places = {item_id: row for row, item_id in enumerate(material.behaviors.items)}
    unknown = [item_id for item_id in ids if item_id not in places]
    if unknown:
        raise UnknownItem(f"item {unknown[0]!r} is neither in the catalog nor in the log")
    return [places[item_id] for item_id in ids]


def _readable(material: "Material", item: int, score: float, reason: "Reason | None") -> RankedItem:
    items, titles = material.behaviors.items, material.known.titles
    return RankedItem(
        item=items[item],
        title=titles[item],
        score=score,
        because="" if reason is None else titles[reason.history_item],
        because_item="" if reason is None else items[reason.history_item],
        shared=() if reason is None else reason.shared,
    )
