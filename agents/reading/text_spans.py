"""Spans of an item's text, and where a text says a quote."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from agents.reading.passages import LONGEST_READ

_LONG_BLANK = re.compile(r"\s\s|[^\S ]|[`]")
_PLAIN = str.maketrans(
    {**dict.fromkeys("‐‑‒–—―−﹣", "-"), **dict.fromkeys("‘’‚‛′`´", "'"), **dict.fromkeys("“”„‟″«»", '"')}
)


class Span(NamedTuple):
    """A span [start, end), in code points, of one of the item's fields, and its text."""

    field: str
    start: int
    end: int
    text: str


def find_span(text: str, quote: str) -> tuple[int, int] | None:
    """Return where the text says the quote, as [start, end) in the text's code points, or None.

    Verbatim first; else case, width of blanks and letters, composition (NFC, NFKC), dashes and quotes may differ, in
    the first `LONGEST_READ` code points of a text: a prompt shows fewer, and comparing megabytes so takes seconds.
    """
    start = text.find(quote)
    if quote and start >= 0:
        return start, start + len(quote)
    wanted = _tolerant(quote[:LONGEST_READ]).strip()
    if not wanted or len(quote) > LONGEST_READ:
        return None
    text = text[:LONGEST_READ]
    if text.isascii() and not _LONG_BLANK.search(text):
        start = text.casefold().find(wanted)
        return (start, start + len(wanted)) if start >= 0 else None
    plain, places = _plain_with_places(text)
    start = plain.find(wanted)
    if start < 0:
        return None
    return places[start][0], places[start + len(wanted) - 1][1]


@lru_cache(maxsize=16)  # the many proposals of one answer are looked for in the same few texts
def _plain_with_places(text: str) -> tuple[str, Sequence[tuple[int, int]]]:
    """Return the text with its differences smoothed, and for each code point of it the span in `text` it came from."""
    plain: list[str] = []
    places: list[tuple[int, int]] = []
    for start, end, cluster in _clusters(text):
        for char in _tolerant(cluster):
            if char == " " and plain and plain[-1] == " ":
                places[-1] = (places[-1][0], end)
                continue
            plain.append(char)
            places.append((start, end))
    return "".join(plain), places


def _clusters(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield each letter with its combining marks, so that composing it cannot cross a border."""
    start = 0
    for position in range(1, len(text) + 1):
        if position == len(text) or not unicodedata.combining(text[position]):
            yield start, position, text[start:position]
            start = position


def _tolerant(text: str) -> str:
    smooth = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return re.sub(r"\s+", " ", smooth.translate(_PLAIN))
