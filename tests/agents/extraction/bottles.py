"""A category of bottles, its items, and claims about them."""

from collections.abc import Sequence

import numpy as np

from agents.extraction.text_claims import text_claim
from memory.approved import ApprovedItem
from memory.category import AllowedValue, AttributeSpec, AttributeType, CategoryTemplate, TitlePosition
from memory.encoder import Vectors
from memory.schema import CatalogItem, Claim, Evidence, Producer

TEMPLATE = CategoryTemplate(
    category_id="bottles",
    path=("Kitchen", "Bottles"),
    taxonomy_version="t",
    attributes=(
        AttributeSpec(key="brand", name="Brand", type=AttributeType.TEXT, title_position=TitlePosition.START),
        AttributeSpec(key="model", name="Model", type=AttributeType.TEXT, title_position=TitlePosition.AFTER_BRAND),
        AttributeSpec(
            key="color",
            name="Color",
            type=AttributeType.ENUM,
            many=True,
            values=(AllowedValue(value="red"), AllowedValue(value="blue")),
        ),
        AttributeSpec(key="volume", name="Volume", type=AttributeType.QUANTITY, unit="milliliter"),
    ),
)


class LetterEncoder:
    """Counts letters: titles of like letters are alike."""

    name = "letters"
    dimensions = 26

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector a text."""
        counts = np.array([[text.lower().count(letter) for letter in map(chr, range(97, 123))] for text in texts])
        lengths = np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1)
        return np.asarray(counts / lengths, dtype=np.float32)


def bottle(title: str, item_id: str = "1", description: str = "") -> CatalogItem:
    """Return an item."""
    return CatalogItem(id=item_id, title=title, description=description)


def approved(title: str, item_id: str, category: str = "bottles", **values: str) -> ApprovedItem:
    """Return an approved item; "" is for an attribute that it does not state."""
    said: dict[str, tuple[str, ...]] = {name: (value,) if value else () for name, value in values.items()}
    return ApprovedItem(item=bottle(title, item_id), category_id=category, values=said)


def claimed(item: CatalogItem, attribute: str, value: str, producer: Producer, confidence: float = 0.8) -> Claim:
    """Return a claim whose evidence stands in the title."""
    spec = TEMPLATE.spec(attribute)
    assert spec is not None
    start = item.title.index(value)
    return text_claim(spec, value, Evidence.at(item, "title", start, start + len(value)), confidence, producer)
