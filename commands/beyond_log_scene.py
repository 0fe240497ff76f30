"""What the beyond-log benchmark is run on: a log, what is known of its items, their leaf categories, and any gold."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from commands.catalog_items import typed_id
from commands.model_material import read_material
from commands.output import say
from commands.settings import Settings
from evaluators.beyond_log.hiding import Categories, Hiding, hide
from evaluators.beyond_log.judging import Jury
from evaluators.beyond_log.metrics import Demands, Gold
from evaluators.beyond_log.nearness import Nearness
from evaluators.beyond_log.truth import hidden_in_truth, truth_of
from evaluators.shoppers.simulation import ShopperTruth
from memory.catalog_files.formats import source_table
from memory.catalog_files.source import BadRow, ReadLimits, SourceRow
from memory.errors import ReaseqError

if TYPE_CHECKING:
    from learning.material import Material
    from memory.behaviors.sequences import Sequences

Matrix = NDArray[np.float32]


class SceneUnreadable(ReaseqError):
    """A file beside the log cannot be used; the text names it, and the line where there is one."""


@dataclass(frozen=True, eq=False)
class StatedDemand:
    """What somebody wanted, in people's own words, and the items that it was about."""

    user: str
    text: str
    items: frozenset[str]


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that a run reads."""

    data: str
    material: "Material"
    categories: Categories
    near: Nearness | None = None
    truths: tuple[ShopperTruth, ...] = ()
    demands: tuple[StatedDemand, ...] = ()
    demand_vectors: Matrix | None = None  # by demand

    @property
    def behaviors(self) -> "Sequences":
        """The whole log."""
        return self.material.behaviors

    def hiding(self, share: float, seed: int) -> Hiding:
        """Return what is hidden by a seed, or, of simulated shoppers, what the log hides in truth."""
        if self.truths:
            return hidden_in_truth(self.behaviors, self.behaviors.items, self.categories, self.truths)
        return hide(self.behaviors, self.categories, share=share, seed=seed)

    def jury(self, hiding: Hiding, cuts: tuple[int, ...]) -> Jury:
        """Return what lists are held against."""
        truth = truth_of(self.behaviors.users, hiding, self.categories, self.truths) if self.truths else None
        return Jury(Gold(hiding, self.categories, self.near, self._demands_behind(hiding)), truth, cuts)

    def seen(self, hiding: Hiding) -> "Material":
        """Return what may be learned from: the visible behaviours, and what is known of the items.

        What an earlier model imagined of these users is left out: it may have known what is hidden now.
        """
        return self.material.imagining(None).learning_from(self.behaviors.without(np.flatnonzero(~hiding.visible)))

    def _demands_behind(self, hiding: Hiding) -> Demands | None:
        """Return for each scored user the demands behind a hidden item."""
        if self.demand_vectors is None:
            return None
        of_user: defaultdict[str, list[int]] = defaultdict(list)
        for place, demand in enumerate(self.demands):
            of_user[demand.user].append(place)
        found = []
        for row, items in zip(hiding.user, hiding.items, strict=True):
            hidden = {self.behaviors.items[item] for item in items}
            own = of_user.get(self.behaviors.users[row], [])
            found.append(np.array([p for p in own if self.demands[p].items & hidden], dtype=np.int32))
        return Demands(self.demand_vectors, tuple(found))


@dataclass(frozen=True)
class Sources:
    """Which files and which knowledge base a scene is read from."""

    log: Path | None = None  # None: the stored behaviours
    columns: dict[str, str] | None = None
    categories: Path | None = None  # None: those of the knowledge base
    truth: Path | None = None
    demands: Path | None = None
    knowledge: bool = True  # whether the knowledge base is read
    near: float | None = None


def read_scene(settings: Settings, sources: Sources) -> Scene:
    """Read it all; raises `SceneUnreadable` and what reading a log or a knowledge base raises."""
    filed = read_categories(sources.categories) if sources.categories else None
    if sources.knowledge or filed is None:
        material = read_material(settings, sources.log, sources.columns)
    else:
        material = _of_files(sources, filed)
    named = _category_names(material) if filed is None else {item: own for item, (own, _) in filed.items()}
    categories = Categories.of([named.get(item) for item in material.behaviors.items])
    if len(categories.names) < 2:
        raise SceneUnreadable("the items have fewer than two leaf categories: enrich the catalog, or --categories FILE")
    demands = read_demands(sources.demands) if sources.demands else ()
    vectors = _vectors(material)
    return Scene(
        data=_named(sources, material),
        material=material,
        categories=categories,
        near=Nearness.of(vectors, categories, sources.near) if vectors is not None else None,
        truths=read_truths(sources.truth) if sources.truth else (),
        demands=demands,
        demand_vectors=_encoded([demand.text for demand in demands]) if demands and vectors is not None else None,
    )


def read_categories(path: Path) -> dict[str, tuple[str, str]]:
    """Return each item's leaf category and title of a table with columns item, category and, if it likes, title."""
    found: dict[str, tuple[str, str]] = {}
    for row in _rows(path, ("item", "category")):
        item, category = (typed_id(str(row.cells.get(name) or "")) for name in ("item", "category"))
        if not item or item in found:
            say(f"{path}, line {row.line}: {'is an item that was there before' if item else 'has no item'}")
            continue
        found[item] = category, str(row.cells.get("title") or "")
    return found


def read_demands(path: Path) -> tuple[StatedDemand, ...]:
    """Return the demands of a table with columns user, item, demand: a row an item that a demand is about."""
    about: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in _rows(path, ("user", "item", "demand")):
        user, item, demand = (typed_id(str(row.cells.get(name) or "")) for name in ("user", "item", "demand"))
        if user and item and demand:
            about[user, demand].add(item)
        else:
            say(f"{path}, line {row.line}: has no user, item or demand")
    return tuple(StatedDemand(user, text, frozenset(items)) for (user, text), items in about.items())


def read_truths(path: Path) -> tuple[ShopperTruth, ...]:
    """Return what `reaseq simulate` wrote as the truth."""
    from evaluators.gold_files import first_fault, numbered_lines  # noqa: PLC0415

    found = []
    for number, line in numbered_lines(path):
        try:
            found.append(ShopperTruth.model_validate_json(line))
        except ValidationError as error:
            raise SceneUnreadable(f"{path}, line {number} is no shopper's truth: {first_fault(error)}") from error
    if not found:
        raise SceneUnreadable(f"{path} tells the truth of nobody")
    return tuple(found)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[SourceRow]:
    table = source_table(path, ReadLimits())
    if missing := [name for name in columns if name not in table.columns]:
        raise SceneUnreadable(f"{path} has no column {missing[0]!r}; it has {', '.join(table.columns)}")
    for row in table.rows:
        if isinstance(row, BadRow):
            say(f"{path}, line {row.line}: {row.reason}")
        else:
            yield row


def _of_files(sources: Sources, filed: Mapping[str, tuple[str, str]]) -> "Material":
    """Return a log and a table of items as material: nothing is known but category and title."""
    from commands.model_material import logged  # noqa: PLC0415 - polars is an extra
    from learning.material import TITLE, Material  # noqa: PLC0415
    from memory.item_vectors.knowledge_table import KnowledgeTable  # noqa: PLC0415
    from memory.item_vectors.known_items import KnownItem  # noqa: PLC0415

    if sources.log is None:
        raise SceneUnreadable("name the log with --data FILE, or the knowledge base that holds it with --kb URL")
    log = logged(sources.log, sources.columns, tuple(sorted(filed)))[0].without_repeats()
    items = [
        KnownItem(id=item, title=title, path=tuple(filter(None, category.split(" > "))), score=1.0)
        for item in log.items
        for category, title in [filed.get(item, ("", ""))]
    ]
    titles = [item.title for item in items]
    return Material(log, KnowledgeTable.of_items(items, ()), {TITLE: _encoded(titles)} if any(titles) else {})


def _encoded(texts: list[str]) -> Matrix:
    """Return vectors of length 1; zeros for an empty text."""
    from memory.encoder import MiniLmEncoder  # noqa: PLC0415 - onnxruntime takes a moment to import

    vectors = np.zeros((len(texts), MiniLmEncoder.dimensions), dtype=np.float32)
    filled = [place for place, text in enumerate(texts) if text]
    vectors[filled] = MiniLmEncoder().encode([texts[place] for place in filled])
    return vectors


def _vectors(material: "Material") -> Matrix | None:
    from learning.material import TITLE  # noqa: PLC0415 - polars is an extra

    return material.vectors.get(TITLE)


def _category_names(material: "Material") -> dict[str, str]:
    from memory.item_vectors.knowledge_table import CATEGORY  # noqa: PLC0415 - polars is an extra

    known, found = material.known, {}
    for row, item in enumerate(known.ids):
        for place in known.feature[known.offsets[row] : known.offsets[row + 1]]:
            if known.features[place][0] == CATEGORY:
                found[item] = known.features[place][1]
    return found


def _named(sources: Sources, material: "Material") -> str:
    log = sources.log.name if sources.log else "the stored behaviours"
    filed = f"categories of {sources.categories.name}" if sources.categories else "categories of the knowledge base"
    return f"{log}, {filed}" + (f", knowledge of version {material.known.version}" if sources.knowledge else "")
