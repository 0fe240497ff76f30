"""Which spans of a title may be its brand or its model: what a small model is given to choose from."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from agents.reading.text_spans import Span, find_span
from agents.values.counts import find_counts
from agents.values.quantities import find_quantities
from agents.values.words import fold, language, word_set, words
from memory.category import AttributeSpec, CategoryTemplate, TitlePosition
from memory.schema import CatalogItem, Claim

LONGEST_TITLE = 400  # code points; what stands further back names no brand
LONGEST_BRAND = 3  # words
LONGEST_MODEL = 5
SHORTEST_HEAD = 5  # letters of a compound's last part that tell what it is: "Yogamatte" ends in "matte"
SHORTEST_CODE = 4

_PIECE = re.compile(r"\S+")
_EDGE = ".,;:!?()[]{}–—-_/|*•&+'’`\"“”„«»=#@…®™©"
_CLOSING = re.compile(r"[,;:)\]!?|][®™\"”’']*$|\.$")
_CODE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w./+-]+")
_INNER = word_set("of the and by & de la le di for my on in van von")  # words that a name may hold but not end with
_FUNCTION = _INNER | word_set(
    "with without a an to from as is w mit ohne fur im am an auf aus bei zu zum und oder new neu men women"
)


class _Piece(NamedTuple):
    """One blank-separated piece of a title, its edges of punctuation cut off."""

    start: int
    end: int
    text: str
    opens: bool  # punctuation before it parts it from the piece before
    closes: bool  # punctuation after it parts it from the next
    measured: bool  # a quantity or a count


def offered_spans(
    item: CatalogItem,
    spec: AttributeSpec,
    template: CategoryTemplate,
    found: Iterable[Claim],
    shop_words: frozenset[str],
) -> list[Span]:
    """Return the title spans that may be the attribute's value, shorter before longer; none where the title has none.

    A brand is looked for at the title's beginning, unless that is a word of the shop's own (`shop_words`: folded words
    of its categories and vocabularies); a model after the brand, up to the first word that tells what the product is.
    """
    title = item.title[:LONGEST_TITLE]
    pieces = _pieces(title)
    if spec.title_position is TitlePosition.START:
        chosen = _brand(pieces, shop_words)
    elif spec.title_position is TitlePosition.AFTER_BRAND:
        brand = next((c for c in found if c.name == "brand"), None)
        chosen = _model(title, pieces, brand, _words_of(template)) if brand else []
    else:
        return []
    spans = [Span("title", run[0].start, run[-1].end, title[run[0].start : run[-1].end]) for run in chosen]
    return list({span.text: span for span in spans}.values())


def shop_words_of(phrases: Iterable[str]) -> frozenset[str]:
    """Return the folded words of the phrases by which a shop names its categories and values."""
    return frozenset(word.folded for phrase in phrases for word in words(phrase))


def is_shop_word(word: str, shop_words: frozenset[str]) -> bool:
    """Return whether a word, its singular, or the head of a German compound is one of the shop's own words."""
    folded = fold(word)
    heads = {folded[start:] for start in range(1, len(folded) - SHORTEST_HEAD + 1)}
    return not shop_words.isdisjoint(
        {folded, f"{folded}s", folded.removesuffix("s"), folded.removesuffix("en"), *heads}
    )


def _brand(pieces: Sequence[_Piece], shop_words: frozenset[str]) -> list[Sequence[_Piece]]:
    if not pieces or not pieces[0].text[0].isalpha() or is_shop_word(pieces[0].text, shop_words):
        return []
    runs: list[Sequence[_Piece]] = []
    for length, piece in enumerate(pieces[:LONGEST_BRAND], start=1):
        if piece.measured or not piece.text[0].isalpha() or (length > 1 and piece.opens):
            break
        if fold(piece.text) not in _FUNCTION:
            runs.append(pieces[:length])
        elif fold(piece.text) not in _INNER:
            break
        if piece.closes:
            break
    return runs


def _model(title: str, pieces: Sequence[_Piece], brand: Claim, stop_words: frozenset[str]) -> list[Sequence[_Piece]]:
    place = find_span(title, brand.value) or find_span(title, brand.normalized)
    rest = [piece for piece in pieces if place is None or piece.start >= place[1]]
    runs: list[Sequence[_Piece]] = []
    for length, piece in enumerate(rest[:LONGEST_MODEL], start=1):
        ends = is_shop_word(piece.text, stop_words) or fold(piece.text) in _FUNCTION or (length > 1 and piece.opens)
        if ends or (piece.measured and not piece.text.isdigit()):
            break
        runs.append(rest[:length])
        if piece.closes:
            break
    return runs or [[piece] for piece in rest if _is_code(piece, stop_words)]


def _is_code(piece: _Piece, stop_words: frozenset[str]) -> bool:
    plain = not piece.measured and len(piece.text) >= SHORTEST_CODE and not is_shop_word(piece.text, stop_words)
    return plain and _CODE.fullmatch(piece.text) is not None


def _pieces(title: str) -> list[_Piece]:
    spoken = language(title)
    measured = [(q.start, q.end) for q in find_quantities(title, spoken)]
    measured += [(count.start, count.end) for count in find_counts(title)]
    pieces: list[_Piece] = []
    parted = False
    for match in _PIECE.finditer(title):
        raw = match.group()
        start = match.start() + len(raw) - len(raw.lstrip(_EDGE))
        end = match.end() - (len(raw) - len(raw.rstrip(_EDGE)))
        if start >= end:  # punctuation alone: "-", "®"
            parted = parted or raw.strip("®™©") != ""
            continue
        opens = parted or raw[0] in "([{–—|"
        within = any(first <= start and end <= stop for first, stop in measured)
        pieces.append(_Piece(start, end, title[start:end], opens, _CLOSING.search(raw) is not None, within))
        parted = False
    return pieces


@lru_cache(maxsize=512)
def _words_of(template: CategoryTemplate) -> frozenset[str]:
    """Return the folded words that tell what a product of the category is: its names and its vocabulary."""
    values = (allowed for spec in template.attributes for allowed in spec.values)
    return shop_words_of([*template.path, *template.also, *(w for v in values for w in (v.value, *v.aliases))])
