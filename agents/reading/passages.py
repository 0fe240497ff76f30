"""An item's texts made ready for reading: words, language, and the stretches that speak of something else."""

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from agents.reading.vocabulary import stems_of
from agents.values.quantities import Quantity, find_quantities
from agents.values.words import Language, Word, fold, language, spellings, words
from memory.category import AttributeSpec, AttributeType
from memory.schema import CatalogItem

LONGEST_READ = 20_000  # code points of a field; what stands further back is not read
MOST_READ = 100_000  # code points of an item, the title first: a row of a thousand long columns takes no minutes

_BRAND_COLUMNS = frozenset(
    fold(n) for n in ("brand", "brand name", "marke", "hersteller", "manufacturer", "brand_name")
)
_NO_PROSE = re.compile(
    r"(?:^|[^a-z])(?:price|preis|currency|sku|ean|gtin|upc|asin|url|link|image|bild|stock|date|shipping|id)(?:$|[^a-z])|availab|verfüg"
)
_FOR = re.compile(
    r"\b(?:compatible with|kompatibel (?:mit|zu)|works with|fits|passend (?:für|zu)|passt (?:für|zu)|"
    r"(?:suitable|replacement|ideal|perfect|designed|made) for|geeignet für|ersatz für|"
    r"used? (?:it )?(?:on|with)|for|für)\b[^,;()|–—•\n]{1,120}",
    re.IGNORECASE,
)
# What can be had besides is not this product: "also sold in 24 cm", "blue on request".
_OTHER_VARIANT = re.compile(
    r"\b(?:also|auch)\b[^.;()|\n]{0,40}?\b(?:in|as|als|available|sold|erhältlich)\b[^.;()|\n]{0,80}"
    r"|\bavailable in\b"
    r"[^.;()|\n]{1,80}"
    r"|(?:(?<=^)|(?<=[.,;(|] ))[^.,;()|\n]{1,60}"
    r"\b(?:auf anfrage|on request|sold separately|separat erhältlich|ebenfalls erhältlich)\b",
    re.IGNORECASE,
)
_FOR_END = re.compile(r" - |[.!?](?: |$)")
_JOINED_NAME = re.compile(r"\b[A-Z][\w'’]{1,40}(?:[+&]| [+&] )[A-Z][\w'’]{1,40}\b")


# Attributes of the product's own body: what stands in "for …" does not say them.
_OWN_BODY = re.compile(
    r"colou?r|material|fabric|metal|finish|pattern|size|connect|storage|memory|display|screen|shape|scent|closure"
)
_FOR_WHOM = re.compile(r"compat|suitab|age|player|person|people|child|baby|pet|animal|user")


class Role(IntEnum):
    """Where a passage stands, the most telling first."""

    TITLE = 0
    DESCRIPTION = 1
    COLUMN = 2


class Passage(NamedTuple):
    """One text field of an item as far as it is read."""

    field: str
    role: Role
    text: str
    words: tuple[Word, ...]
    language: Language | None
    for_others: bytes  # a mask, one byte a code point: inside "for …", "compatible with …"
    foreign: bytes  # a mask: inside a brand name, or about another variant
    stems: frozenset[str]  # its words, with German endings and without

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The quantities stated in the passage."""
        return find_quantities(self.text, self.language)

    @property
    def is_prose(self) -> bool:
        """Whether the passage describes the product, rather than its price, stock or picture."""
        return self.role is not Role.COLUMN or not _NO_PROSE.search(self.field.casefold())


@lru_cache(maxsize=8)  # several readers look at one item, one after the other
def passages(item: CatalogItem) -> tuple[Passage, ...]:
    """Return the item's texts: the title, the description, then the extra columns, as far as they are read."""
    texts = [*_read_texts(item)]
    spoken = language(" ".join(text[:2_000] for _, text in texts[:2]))
    brands = {s for field, text in texts if fold(field) in _BRAND_COLUMNS for s in spellings(text[:60])}
    roles = {"title": Role.TITLE, "description": Role.DESCRIPTION}
    return tuple(
        _passage(field, roles.get(field, Role.COLUMN), text, language(text) or spoken, brands) for field, text in texts
    )


def _read_texts(item: CatalogItem) -> Iterator[tuple[str, str]]:
    left = MOST_READ
    for field, text in item.texts():
        if left <= 0:
            return
        read = text[: min(LONGEST_READ, left)]
        left -= len(read)
        yield field, read


def mask(length: int, spans: Iterable[tuple[int, int]]) -> bytes:
    """Return one byte for each of `length` code points: 1 inside one of the spans [start, end)."""
    marks = bytearray(length)
    for start, end in spans:
        marks[start:end] = b"\x01" * (end - start)
    return bytes(marks)


def within(start: int, end: int, marks: bytes) -> bool:
    """Say whether [start, end) touches a marked code point."""
    return 1 in marks[start:end]


def spoken_for(spec: AttributeSpec) -> bool:
    """Say whether "for …" may state the attribute: whom or what the product is for, not its own body."""
    if _FOR_WHOM.search(spec.key):
        return True
    numeric = spec.type in (AttributeType.QUANTITY, AttributeType.COUNT, AttributeType.NUMBER)
    return not numeric and not _OWN_BODY.search(spec.key)


def _passage(field: str, role: Role, text: str, spoken: Language | None, brands: set[tuple[str, ...]]) -> Passage:
    found = words(text)
    foreign = [match.span() for pattern in (_JOINED_NAME, _OTHER_VARIANT) for match in pattern.finditer(text)]
    foreign += _places(found, brands)
    return Passage(field, role, text, found, spoken, about_others(text), mask(len(text), foreign), stems_of(found))


def about_others(text: str) -> bytes:
    """Return a mask of a text, one byte a code point: what stands inside "for …", "compatible with …"."""
    return mask(len(text), _spans_for_others(text))


def _spans_for_others(text: str) -> Iterable[tuple[int, int]]:
    for match in _FOR.finditer(text):
        stop = _FOR_END.search(match.group())
        yield match.start(), match.start() + stop.start() if stop else match.end()


def _places(found: tuple[Word, ...], names: set[tuple[str, ...]]) -> Iterable[tuple[int, int]]:
    firsts, sizes = {name[0] for name in names}, {len(name) for name in names}
    for position, word in enumerate(found):
        for size in sizes if word.folded in firsts else ():
            there = found[position : position + size]
            if tuple(w.folded for w in there) in names:
                yield word.start, there[-1].end
