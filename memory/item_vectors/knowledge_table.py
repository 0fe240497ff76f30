"""What is accepted of each item, as numbers: the sparse table that rankers read, without a model."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from memory.category import AttributeType
from memory.item_vectors.known_items import KnownItem, known_items
from memory.stored_templates import templates
from memory.versions import lineage

CATEGORY = "category"  # its leaf; "category/1" is the department, "category/2" the step below it …
DEMAND = "demand"
NUMERIC = (AttributeType.COUNT, AttributeType.NUMBER, AttributeType.QUANTITY)

Feature = tuple[str, str]  # attribute, its normalised value with the unit


@dataclass(frozen=True, eq=False)
class KnowledgeTable:
    """Which features each item has: row i is the item `ids[i]`, in order of id unless `rows` chose another one.

    The features of row i are `feature[offsets[i]:offsets[i + 1]]`, numbers into `features`, rising.
    """

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    features: tuple[Feature, ...]  # sorted; "category", "category/1" …, "demand" are attributes of their own
    offsets: NDArray[np.int64]  # items + 1
    feature: NDArray[np.int32]
    confidence: NDArray[np.float32]  # in [0, 1]; of a category its similarity, of a demand its plausibility
    numeric: tuple[Feature, ...]  # (attribute, its unit or ""), sorted: the columns of `numbers`
    numbers: NDArray[np.float32]  # shape (items, numeric), in the attribute's unit; NaN where unknown
    version: int  # of the knowledge base; 0 before the first run

    @classmethod
    def of(cls, session: Session, version_id: int | None = None, as_of: int | None = None) -> Self:
        """Return what a version (the current one unless given) has accepted of all stored items.

        `as_of`, in milliseconds since 1970 (UTC): only what was stored strictly before; see `known_items`.
        Raises `UnknownVersion`.
        """
        items = list(known_items(session, version_id, as_of))
        return cls.of_items(items, numeric_attributes(session), next(iter(lineage(session, version_id)), 0))

    @classmethod
    def of_items(cls, items: Sequence[KnownItem], numeric: Iterable[str], version: int = 0) -> Self:
        """Return the table of some items, in their order; `numeric` names the attributes whose values are numbers."""
        facts = [_facts(item) for item in items]
        features = tuple(sorted({feature for own in facts for feature in own}))
        places = {feature: place for place, feature in enumerate(features)}
        rows = [sorted((places[feature], confidence) for feature, confidence in own.items()) for own in facts]
        columns, numbers = _numbers(items, frozenset(numeric))
        return cls(
            ids=tuple(item.id for item in items),
            titles=tuple(item.title for item in items),
            features=features,
            offsets=np.cumsum([0, *map(len, rows)], dtype=np.int64),
            feature=np.array([place for row in rows for place, _ in row], dtype=np.int32),
            confidence=np.array([confidence for row in rows for _, confidence in row], dtype=np.float32),
            numeric=columns,
            numbers=numbers,
            version=version,
        )

    def groups(self) -> tuple[str, ...]:
        """Return the attributes, those of most items first; of equals, in order of name."""
        attributes, of_feature = self._attributes()
        pairs = np.unique(np.stack([self._items(), of_feature[self.feature]], axis=1), axis=0)
        items = np.bincount(pairs[:, 1], minlength=len(attributes))
        return tuple(attributes[place] for place in np.argsort(-items, kind="stable") if items[place])

    def items_with(self, attribute: str) -> int:
        """Return of how many items something is known by an attribute."""
        return int(self.having(attribute).sum())

    def having(self, attribute: str) -> NDArray[np.bool_]:
        """Return of which items something is known by an attribute."""
        attributes, of_feature = self._attributes()
        found = np.zeros(len(self.ids), dtype=np.bool_)
        if attribute in attributes:
            found[self._items()[of_feature[self.feature] == attributes.index(attribute)]] = True
        return found

    def leaves(self) -> tuple[str, ...]:
        """Return the path of each item's category; empty where it has none."""
        leaf = [""] * len(self.ids)
        for item, place in zip(self._items().tolist(), self.feature.tolist(), strict=True):
            attribute, value = self.features[place]
            if attribute == CATEGORY:
                leaf[item] = value
        return tuple(leaf)

    def without(self, attribute: str) -> Self:
        """Return the table as if nothing of one attribute were known; features keep their numbers."""
        attributes, of_feature = self._attributes()
        gone = attributes.index(attribute) if attribute in attributes else -1
        kept = of_feature[self.feature] != gone
        lengths = np.bincount(self._items()[kept], minlength=len(self.ids))
        columns = [place for place, (name, _) in enumerate(self.numeric) if name != attribute]
        return replace(
            self,
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            feature=self.feature[kept],
            confidence=self.confidence[kept],
            numeric=tuple(self.numeric[place] for place in columns),
            numbers=self.numbers[:, columns],
        )

    def rows(self, ids: Sequence[str]) -> Self:
        """Return the rows of some items in the order given; an unknown id gives an empty row with an empty title."""
        places = {item_id: row for row, item_id in enumerate(self.ids)}
        chosen = np.array([places.get(item_id, -1) for item_id in ids], dtype=np.int64)
        known = chosen >= 0
        lengths = np.where(known, np.diff(self.offsets, append=0)[chosen], 0)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        entries = np.repeat(self.offsets[chosen] - offsets[:-1], np.diff(offsets)) + np.arange(offsets[-1])
        numbers = np.full((len(ids), len(self.numeric)), np.nan, dtype=np.float32)
        numbers[known] = self.numbers[chosen[known]]
        return replace(
            self,
            ids=tuple(ids),
            titles=tuple(self.titles[row] if row >= 0 else "" for row in chosen),
            offsets=offsets,
            feature=self.feature[entries],
            confidence=self.confidence[entries],
            numbers=numbers,
        )

    def _items(self) -> NDArray[np.int64]:
        """Return the row of each entry of `feature`."""
        return np.repeat(np.arange(len(self.ids), dtype=np.int64), np.diff(self.offsets))

    def _attributes(self) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Return all attributes, sorted, and the place of each feature's one among them."""
        attributes = tuple(sorted({attribute for attribute, _ in self.features}))
        places = {attribute: place for place, attribute in enumerate(attributes)}
        return attributes, np.array([places[attribute] for attribute, _ in self.features], dtype=np.int64)


def numeric_attributes(session: Session) -> frozenset[str]:
    """Return the attributes that some stored template counts, numbers or measures."""
    return frozenset(
        spec.key for template in templates(session) for spec in template.attributes if spec.type in NUMERIC
    )


def number_of(normalized: str) -> float:
    """Return the number that a normalised value states; NaN where it states none."""
    try:
        number = float(normalized)
    except ValueError:
        return float("nan")
    return number if np.isfinite(number) else float("nan")


def features_of(item: KnownItem) -> Iterator[tuple[Feature, float]]:
    """Yield what is accepted of an item with its confidence: the category with the steps to it, values, demands."""
    nearness = min(max(item.score, 0.0), 1.0)
    if item.path:
        yield (CATEGORY, " > ".join(item.path)), nearness
    for depth in range(1, len(item.path)):
        yield (f"{CATEGORY}/{depth}", " > ".join(item.path[:depth])), nearness
    for claim in item.accepted:
        yield (claim.name, claim.with_unit), claim.confidence
    for demand in item.demands:
        yield (DEMAND, demand.as_value), demand.plausibility


def _facts(item: KnownItem) -> dict[Feature, float]:
    """Return each feature once, with its greatest confidence."""
    found: dict[Feature, float] = {}
    for feature, confidence in features_of(item):
        found[feature] = max(confidence, found.get(feature, 0.0))
    return found


def _numbers(items: Sequence[KnownItem], numeric: frozenset[str]) -> tuple[tuple[Feature, ...], NDArray[np.float32]]:
    """Return the numeric columns and the surest number of each item in each of them."""
    found: defaultdict[Feature, dict[int, tuple[float, float]]] = defaultdict(dict)
    for row, item in enumerate(items):
        for claim in item.accepted:
            number = number_of(claim.normalized) if claim.name in numeric else float("nan")
            column = found[claim.name, claim.unit or ""] if not np.isnan(number) else {}
            if not np.isnan(number) and claim.confidence > column.get(row, (-1.0, 0.0))[0]:
                column[row] = claim.confidence, number
    columns = tuple(sorted(found))
    numbers = np.full((len(items), len(columns)), np.nan, dtype=np.float32)
    for place, column_name in enumerate(columns):
        for row, (_, number) in found[column_name].items():
            numbers[row, place] = number
    return columns, numbers
