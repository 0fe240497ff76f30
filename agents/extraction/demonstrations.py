"""Demonstrations: approved items of the same category, most alike first, as the extractor's prompt shows them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import orjson

from agents.phrasing import FieldLimits, phrase_item
from agents.reading.text_spans import find_span
from agents.values.words import fold
from memory.approved import ApprovedItem
from memory.category import CategoryTemplate
from memory.encoder import TextEncoder, Vectors
from memory.schema import CatalogItem

USUAL_NUMBER = 10  # the best of those that Brinkmann et al. (arXiv 2310.12537) tried with GPT-4
_LIMITS = FieldLimits(title=300, description=0, other=60, all=600)


@dataclass
class Demonstrations:
    """Chooses among approved items; one whose title or id is the item's own is never shown."""

    encoder: TextEncoder
    number: int = USUAL_NUMBER
    _of_category: dict[str, list[ApprovedItem]] = field(default_factory=lambda: defaultdict(list))
    _vectors: dict[str, Vectors] = field(default_factory=dict)

    def learn(self, approved: Iterable[ApprovedItem]) -> None:
        """Take approved items in; those without a category are of no use here."""
        for one in approved:
            if one.category_id:
                self._of_category[one.category_id].append(one)
                self._vectors.pop(one.category_id, None)

    def __call__(self, item: CatalogItem, template: CategoryTemplate) -> str:
        """Return the demonstrations for an item, the most alike last: next to the question."""
        chosen = self.nearest(item, template.category_id)
        return "\n\n".join(_phrased(one, template) for one in reversed(chosen))

    def nearest(self, item: CatalogItem, category_id: str) -> list[ApprovedItem]:
        """Return at most `number` approved items of the category by cosine of their titles, the most alike first."""
        approved = self._of_category.get(category_id, [])
        others = [n for n, one in enumerate(approved) if not _is_itself(one, item)]
        if self.number == 0 or not others:
            return []
        if len(others) > 1:
            query = self.encoder.encode([item.title])[0]
            likeness = self._encoded(category_id)[others] @ query
            others = [others[n] for n in np.argsort(-likeness, kind="stable")]
        return [approved[n] for n in others[: self.number]]

    def _encoded(self, category_id: str) -> Vectors:
        if category_id not in self._vectors:
            titles = [one.item.title for one in self._of_category[category_id]]
            self._vectors[category_id] = self.encoder.encode(titles)
        return self._vectors[category_id]


def _is_itself(one: ApprovedItem, item: CatalogItem) -> bool:
    return one.item.id == item.id or fold(one.item.title) == fold(item.title)


@lru_cache(maxsize=4_096)
def _shown(item: CatalogItem) -> str:
    return phrase_item(item, limits=_LIMITS, fields=[name for name, _ in item.texts() if name != "description"])


def _phrased(one: ApprovedItem, template: CategoryTemplate) -> str:
    """Return an item's text between delimiters and its values as JSON; values that its text does not say are left out.

    An attribute that it surely does not state is null.
    """
    texts = [text for _, text in one.item.texts()]
    values: dict[str, str | list[str] | None] = {}
    for spec in template.attributes:
        named = one.values.get(spec.key)
        said = [value for value in named or () if any(find_span(text, value) for text in texts)]
        if said:
            values[spec.key] = said if spec.many else said[0]
        elif named == ():
            values[spec.key] = None
    return f"{_shown(one.item)}\n{orjson.dumps(values).decode()}"
