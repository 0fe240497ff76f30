"""Spans of an item's text: those of the title that may name a brand or model, and where a quote stands verbatim."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from agents.reading.passages import LONGEST_READ, mask, within
from agents.values.counts import find_counts
from agents.values.quantities import find_quantities
from agents.values.words import fold, language, word_set
from memory.category import AttributeSpec
from memory.schema import CatalogItem

_LONGEST_TITLE = 400  # code points; what stands further back names no brand
_MOST_WORDS = 5
_WORD = re.compile(r"[^\s,;|()\[\]{}\"„“”«»]+")
_EDGE = ".:!?–—-_/\\*•&+'’`~=#@…"
_LONG_BLANK = re.compile(r"\s\s|[^\S ]|[`]")
_CODE = re.compile(r"(?=\D{0,40}\d)(?=[^A-Za-z]{0,40}[A-Za-z])[\w./+-]{2,60}")
_FUNCTION = word_set(
    "a an the and or with without for of in on at by to from as is new neu und oder mit ohne fur von im in am an auf "
    "aus bei zu zum zur der die das des den dem ein eine einer einen set pack inkl incl per je bis"
)
_PLAIN = str.maketrans(
    {**dict.fromkeys("‐‑‒–—―−﹣", "-"), **dict.fromkeys("‘’‚‛′`´", "'"), **dict.fromkeys("“”„‟″«»", '"')}
)
_MODELS = frozenset({"model", "modell", "series", "serie", "typ", "part", "mpn", "sku"})


class Span(NamedTuple):
    """A span [start, end), in code points, of one of the item's fields, and its text."""

    field: str
    start: int
    end: int
    text: str


class _Piece(NamedTuple):
    start: int
    end: int
    usable: bool  # as the first or last word of a span


def candidate_spans(
    item: CatalogItem, spec: AttributeSpec, limit: int = 40, taken: Sequence[tuple[int, int]] = ()
) -> list[Span]:
    """Return at most `limit` different title spans of 1-5 words that may be the attribute's value, the likeliest first.

    Quantities, counts and the `taken` spans of the title (what other claims rest on) are left out. Codes such as
    "WH-1000XM5" come first for a model; early and capitalised spans for everything else.
    """
    title = item.title[:_LONGEST_TITLE]
    spans = [Span("title", start, end, title[start:end]) for start, end in _spans(title, taken)]
    wants_code = any(word in _MODELS for word in re.split(r"[_\W]", spec.key))
    ordered = sorted(spans, key=_code_first if wants_code else _early_capitals_first)
    unique = {fold(span.text): span for span in reversed(ordered)}
    return [span for span in ordered if unique[fold(span.text)] is span][:limit]


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


def _spans(title: str, taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    spoken = language(title)
    numbers = [(q.start, q.end) for q in find_quantities(title, spoken)]
    numbers += [(count.start, count.end) for count in find_counts(title)]
    blocked = mask(len(title), (*numbers, *taken))
    pieces = [_piece(title, match, blocked) for match in _WORD.finditer(title)]
    for first, opening in enumerate(pieces):
        for last in range(first, min(first + _MOST_WORDS, len(pieces))):
            closing = pieces[last]
            if last > first and title[pieces[last - 1].end : closing.start].strip(_EDGE + " "):
                break
            if opening.usable and closing.usable and opening.start < closing.end:
                yield opening.start, closing.end


def _piece(title: str, match: re.Match[str], blocked: bytes) -> _Piece:
    text = match.group()
    start = match.start() + len(text) - len(text.lstrip(_EDGE))
    end = max(start, match.end() - (len(text) - len(text.rstrip(_EDGE))))
    word = title[start:end]
    usable = any(char.isalnum() for char in word) and not within(start, end, blocked)
    usable = usable and fold(word) not in _FUNCTION and not re.fullmatch(r"[\d.,x×/%-]+", word)
    return _Piece(start, end, usable)


def _early_capitals_first(span: Span) -> tuple[bool, int, int]:
    """Order by capital first letters, then by place, short spans first."""
    words = span.text.split()
    capital = all(
        word[0].isupper() or word[0].isdigit() or fold(word) in _FUNCTION or word[0] in "&+" for word in words
    )
    return not capital, span.start, span.end


def _code_first(span: Span) -> tuple[bool, bool, int, int]:
    """Order by being a code of letters and digits, then by holding one, then by length and place."""
    words = span.text.split()
    code = len(words) == 1 and _CODE.fullmatch(words[0]) is not None
    return not code, not any(_CODE.fullmatch(word) for word in words), len(words), span.start


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
