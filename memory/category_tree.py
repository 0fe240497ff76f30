"""What a taxonomy is once it is loaded: categories, attributes, and the templates they make."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from memory.category import AttributeSpec, Category, CategoryDemand, CategoryTemplate
from memory.errors import ReaseqError


class TaxonomyError(ReaseqError):
    """A taxonomy that cannot be used; the text names the file and the entry."""


class UnknownCategory(TaxonomyError):
    """A category id that the taxonomy does not have."""


@dataclass(frozen=True)
class Taxonomy:
    """Categories and attributes by id and key, in the order of their source; inner nodes are categories too.

    `version` is the taxonomy's name with a short hash of its content.
    """

    version: str
    categories: Mapping[str, Category]
    attributes: Mapping[str, AttributeSpec]
    wanted_of_anything: tuple[CategoryDemand, ...] = ()  # demands that tell nothing apart

    def leaves(self) -> Iterator[Category]:
        """Yield the categories that items belong to."""
        return (category for category in self.categories.values() if category.leaf)

    def category(self, category_id: str) -> Category:
        """Return one category; `UnknownCategory` names what is missing."""
        try:
            return self.categories[category_id]
        except KeyError:
            raise UnknownCategory(f"taxonomy {self.version} has no category {category_id!r}") from None

    def phrases(self) -> Iterator[str]:
        """Yield the words that the shop itself uses: names of categories, allowed values, and other words for them."""
        for category in self.categories.values():
            yield from (*category.path, *category.also)
        for spec in self.attributes.values():
            for allowed in spec.values:
                yield from (allowed.value, *allowed.aliases)

    def template(self, category_id: str) -> CategoryTemplate:
        """Return what the category asks of its items, its attributes in order."""
        category = self.category(category_id)
        return CategoryTemplate(
            category_id=category.id,
            path=category.path,
            also=category.also,
            attributes=tuple(self.attributes[key] for key in category.attributes),
            demands=category.demands,
            taxonomy_version=self.version,
        )


def build_taxonomy(
    name: str,
    content: bytes,
    categories: Iterable[Category],
    attributes: Iterable[AttributeSpec],
    wanted_of_anything: Iterable[CategoryDemand] = (),
) -> Taxonomy:
    """Return the taxonomy of these parts, its version hashed from `content`; `TaxonomyError` where they do not fit."""
    by_key: dict[str, AttributeSpec] = {}
    for spec in attributes:
        if by_key.setdefault(spec.key, spec) is not spec:
            raise TaxonomyError(f"taxonomy {name}: two attributes have the key {spec.key!r}")
    by_id: dict[str, Category] = {}
    for category in categories:
        if by_id.setdefault(category.id, category) is not category:
            raise TaxonomyError(f"taxonomy {name}: two categories have the id {category.id!r}")
        for key in category.attributes:
            if key not in by_key:
                raise TaxonomyError(f"taxonomy {name}: category {category.id!r} asks for an unknown attribute {key!r}")
    if not by_id:
        raise TaxonomyError(f"taxonomy {name} has no categories")
    version = f"{name}-{hashlib.sha256(content).hexdigest()[:8]}"
    return Taxonomy(version, by_id, by_key, tuple(wanted_of_anything))
