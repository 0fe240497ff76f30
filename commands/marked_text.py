"""An item's text with the words marked that claims rest on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from rich.text import Text

from commands.output import console, printable_lines
from memory.schema import CatalogItem, Claim

MARKED = "bold green"


@dataclass(frozen=True)
class Piece:
    """Words of a text: plain, or what some claims rest on."""

    text: str
    attributes: tuple[str, ...] = ()  # of the claims; none: plain


def marked_fields(item: CatalogItem, claims: Iterable[Claim]) -> Iterator[tuple[str, tuple[Piece, ...]]]:
    """Yield each field of an item in pieces, which together are its text."""
    claims = tuple(claims)
    for name, text in item.texts():
        yield name, tuple(_pieces(text, [c for c in claims if c.evidence and c.evidence.field == name]))


def print_marked(item: CatalogItem, claims: Iterable[Claim]) -> None:
    """Print the item's text with what the claims rest on between « and »."""
    for name, pieces in marked_fields(item, claims):
        line = Text(printable_lines(f"{name}: "), style="dim")
        for piece in pieces:
            shown = printable_lines(piece.text)
            line.append(f"«{shown}»" if piece.attributes else shown, style=MARKED if piece.attributes else "not dim")
        console.print(line, soft_wrap=True)


def _pieces(text: str, claims: list[Claim]) -> Iterator[Piece]:
    """Yield the text cut at each end of a claim's evidence, so that overlapping ones share their words."""
    spans = [(claim.evidence.start, claim.evidence.end, claim.name) for claim in claims if claim.evidence]
    cuts = sorted({0, len(text), *(end for span in spans for end in span[:2])})
    for start, end in pairwise(cuts):
        names = dict.fromkeys(name for first, last, name in spans if first <= start and end <= last)
        yield Piece(text[start:end], tuple(names))
