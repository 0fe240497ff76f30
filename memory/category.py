"""What a taxonomy says: categories, the attributes they ask for, and the choice of one for an item."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from memory.record import Record
from memory.relation import Relation


class AttributeType(StrEnum):
    """How an attribute's values are written and compared."""

    TEXT = "text"  # any span of the item's text: brand, model
    ENUM = "enum"  # one of the allowed values
    BOOLEAN = "boolean"  # "yes" or "no"
    COUNT = "count"  # a whole number of things
    NUMBER = "number"  # a decimal without unit: a shoe size, a hardness
    QUANTITY = "quantity"  # a decimal with the attribute's unit


class TitlePosition(StrEnum):
    """Where a title names the value of an open attribute, so that a small model can be offered its words."""

    START = "start"  # as a rule the brand
    AFTER_BRAND = "after_brand"  # as a rule the model


class AllowedValue(Record):
    """One allowed value and the words that shops use for it, in any language."""

    value: str = Field(min_length=1)
    aliases: tuple[str, ...] = ()


class AttributeSpec(Record):
    """What a category asks of one attribute: its type, unit and allowed values."""

    key: str = Field(min_length=1)
    name: str = Field(min_length=1)
    type: AttributeType
    unit: str | None = None
    values: tuple[AllowedValue, ...] = ()
    aliases: tuple[str, ...] = ()  # other names of the attribute, as in column headings and "Farbe: rot"
    description: str = ""
    many: bool = False  # may an item have several values at once?
    title_position: TitlePosition | None = None

    def __hash__(self) -> int:
        """Return the same number for equal specs, without a walk through all values: it is asked for at each item."""
        return hash((self.key, self.name, self.type, self.unit, len(self.values), len(self.aliases)))

    @model_validator(mode="after")
    def _unit_belongs_to_a_quantity(self) -> Self:
        if (self.unit is not None) != (self.type is AttributeType.QUANTITY):
            raise ValueError(f"attribute {self.key!r}: a quantity has a unit, nothing else has one")
        return self


class CategoryDemand(Record):
    """What somebody may want of anything in a category."""

    relation: Relation
    text: str = Field(min_length=1, max_length=200)


class Category(Record):
    """One node of a taxonomy."""

    id: str = Field(min_length=1)
    path: tuple[str, ...] = Field(min_length=1)
    also: tuple[str, ...] = ()  # other words for it, in any language
    attributes: tuple[str, ...] = ()  # attribute keys
    demands: tuple[CategoryDemand, ...] = ()  # its own, then those of its department
    leaf: bool = True

    @property
    def name(self) -> str:
        """The last step of the path."""
        return self.path[-1]


class CategoryTemplate(Record):
    """The attributes that matter in one category; stated once, stored, reused by its items."""

    category_id: str
    path: tuple[str, ...]
    also: tuple[str, ...] = ()  # other words for the category, in any language
    attributes: tuple[AttributeSpec, ...]
    demands: tuple[CategoryDemand, ...] = ()
    taxonomy_version: str
    completed_by: str | None = None  # the model and prompt that may have added attributes

    def __hash__(self) -> int:
        """Return the same number for equal templates, without a walk through all attributes."""
        return hash((self.category_id, self.taxonomy_version, self.completed_by, len(self.attributes)))

    def spec(self, key: str) -> AttributeSpec | None:
        """Return the attribute named `key`, or None."""
        return next((spec for spec in self.attributes if spec.key == key), None)


def template_maker(model: str, fingerprint: str) -> str:
    """Return the name under which a template is kept that a model has completed with the prompt of this fingerprint."""
    return f"{model} {fingerprint[:16]}"


class CategoryCandidate(Record):
    """One category found by search, with its similarity to the item in [-1, 1]."""

    category_id: str
    path: tuple[str, ...]
    score: float


class CategoryChoice(Record):
    """The chosen category, what it was chosen from, and by what."""

    category_id: str
    path: tuple[str, ...]
    score: float
    chosen_by: Literal["embedding", "model"]
    candidates: tuple[CategoryCandidate, ...] = ()
