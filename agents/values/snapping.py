"""Which allowed value a word that is none of them comes nearest to: by spelling, and by meaning.

The thresholds were chosen on the starter taxonomy: each word for an allowed value was hidden in turn and looked for
again (`benchmarks/enum_snapping.py`; the figures are in docs/taxonomy.md).
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rapidfuzz.fuzz import ratio

from agents.reading.vocabulary import negation
from agents.values.normalization import Normalized, ValueProblem, normalize
from agents.values.words import Word, words
from memory.category import AttributeSpec, AttributeType

if TYPE_CHECKING:
    from memory.encoder import TextEncoder, Vectors

SPELLING = 0.83  # the least likeness of the least like pair of words: one wrong letter of six
SPELLING_LEAD = 0.1  # before the second best value
MEANING = 0.83  # the least cosine
MEANING_LEAD = 0.2
SHADE = 0.6  # the least cosine of a colour with the one that it ends in: "gunmetal grey"
LONGEST = 60  # code points of a value; longer ones are prose
_SHORTEST = 5  # letters of a word that may be misspelt: "midi" is no "mini"
_COLOR = re.compile(r"colou?r|farbe")
_DIGIT = re.compile(r"\d")
_CODE = re.compile(r"\d|(.)\1\1", re.IGNORECASE)  # "2.4 GHz", "XXXL" mean what they spell
_SHORTEST_MEANT = 4


class Snapped(NamedTuple):
    """An allowed value, and how near a word came to it, in [0, 1]."""

    value: str
    score: float


class _Entry(NamedTuple):
    """One word or phrase of an allowed value."""

    value: str
    folded: tuple[str, ...]
    text: str


def snap(text: str, spec: AttributeSpec, encoder: "TextEncoder | None" = None) -> Snapped | None:
    """Return the allowed value of an enum that a text is taken for, or None where none is near enough.

    Spelling first: typing errors, plurals, inflections. Then, where there is an encoder, meaning; a colour that ends in
    an allowed one is a shade of it. A text that denies something is never snapped, nor by meaning a code ("XXXL").
    """
    if spec.type is not AttributeType.ENUM or len(text) > LONGEST:
        return None
    found = words(text)
    if not found or _denies(text, found):
        return None
    folded = tuple(word.folded for word in found)
    best, lead = _leader(_by_spelling(folded, spec))
    if best and best.score >= SPELLING and lead >= SPELLING_LEAD:
        return best
    if encoder is None or _CODE.search(text) or max(map(len, folded)) < _SHORTEST_MEANT:
        return None
    best, lead = _leader(_by_meaning(text, spec, encoder))
    if best and best.score >= MEANING and lead >= MEANING_LEAD:
        return best
    return best if best and best.score >= SHADE and _is_shade(folded, best.value, spec) else None


def normalize_or_snap(
    value: str, spec: AttributeSpec, encoder: "TextEncoder | None" = None
) -> tuple[Normalized, float | None]:
    """Return a value's normal form, else that of the allowed value it is taken for with the score, else the value."""
    try:
        return normalize(value, spec), None
    except ValueProblem:
        snapped = snap(value, spec, encoder)
    return (Normalized(snapped.value), snapped.score) if snapped else (Normalized(value), None)


def nearest(text: str, spec: AttributeSpec, encoder: "TextEncoder | None" = None, most: int = 3) -> list[Snapped]:
    """Return the allowed values that a text comes nearest to, the best first, however far they are."""
    folded = tuple(word.folded for word in words(text[:LONGEST]))
    if spec.type is not AttributeType.ENUM or not folded:
        return []
    scores = _by_spelling(folded, spec)
    for value, score in _by_meaning(text[:LONGEST], spec, encoder).items() if encoder else ():
        scores[value] = max(score, scores[value])
    ordered = sorted(scores.items(), key=lambda entry: -entry[1])
    return [Snapped(value, round(score, 4)) for value, score in ordered[:most] if score > 0]


def likeness(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """Return how alike two phrases of folded words are spelt, in [0, 1]: as their least like pair of words.

    Only longer words with the same first letter and no digit may differ: "danish" is no "spanish", nor "un…" its
    opposite. Phrases of unequally many words are compared written together.
    """
    if len(one) != len(other):
        one, other = ("".join(one),), ("".join(other),)
    return min((_word_likeness(*pair) for pair in zip(one, other, strict=True)), default=0.0)


def _word_likeness(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if min(len(one), len(other)) < _SHORTEST or one[0] != other[0] or _DIGIT.search(one + other):
        return 0.0
    return ratio(one, other) / 100


def _denies(text: str, found: tuple[Word, ...]) -> bool:
    return any(negation(text, found, position, position) for position in range(len(found)))


@lru_cache(maxsize=1_024)
def _entries(spec: AttributeSpec) -> tuple[_Entry, ...]:
    return tuple(
        _Entry(allowed.value, folded, text)
        for allowed in spec.values
        for text in (allowed.value, *allowed.aliases)
        if (folded := tuple(word.folded for word in words(text)))
    )


def _by_spelling(folded: tuple[str, ...], spec: AttributeSpec) -> dict[str, float]:
    return _best((entry.value, likeness(folded, entry.folded)) for entry in _entries(spec))


def _by_meaning(text: str, spec: AttributeSpec, encoder: "TextEncoder") -> dict[str, float]:
    if not _entries(spec):
        return {}
    cosines = _vectors(spec, encoder) @ _vector(_comparable(text), encoder)
    return _best((entry.value, float(cosine)) for entry, cosine in zip(_entries(spec), cosines, strict=True))


@lru_cache(maxsize=4_096)
def _vector(text: str, encoder: "TextEncoder") -> "Vectors":
    vector: Vectors = encoder.encode([text])[0]
    return vector


@lru_cache(maxsize=512)
def _vectors(spec: AttributeSpec, encoder: "TextEncoder") -> "Vectors":
    return encoder.encode([_comparable(entry.text) for entry in _entries(spec)])


def _comparable(text: str) -> str:
    return " ".join(word.folded for word in words(text))


def _best(scored: Iterable[tuple[str, float]]) -> dict[str, float]:
    best: dict[str, float] = {}
    for value, score in scored:
        best[value] = max(best.get(value, 0.0), min(score, 1.0))
    return best


def _leader(scores: dict[str, float]) -> tuple[Snapped | None, float]:
    """Return the best value, and how far it is before the second best."""
    ordered = sorted(scores.items(), key=lambda entry: -entry[1])[:2]
    if not ordered:
        return None, 0.0
    second = ordered[1][1] if len(ordered) > 1 else 0.0
    return Snapped(ordered[0][0], round(ordered[0][1], 4)), ordered[0][1] - second


def _is_shade(folded: tuple[str, ...], value: str, spec: AttributeSpec) -> bool:
    """Say whether a colour's last words are one of the value's words."""
    if not _COLOR.search(spec.key):
        return False
    ends = (entry.folded for entry in _entries(spec) if entry.value == value)
    return any(len(end) < len(folded) and folded[-len(end) :] == end for end in ends)
