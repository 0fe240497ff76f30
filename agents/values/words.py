"""What a word is: folded words with their places in a text, and a text's language."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

Language = Literal["de", "en"]


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text that blanks part."""
    return frozenset(text.split())


_WORD = re.compile(r"[^\W_]+(?:\++(?!\w))?")
# A full stop that ends a sentence, not an abbreviation such as "ca. 5 kg".
STOP = r"(?<!\bca)(?<!\bapprox)(?<!\binkl)(?<!\bincl)(?<!\bmax)(?<!\bmin)(?<!\bNo)(?<!\bNr)(?<!\bzzgl)[.!?]"
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_GERMAN = word_set(
    "der die das den dem des und mit für von aus im zum zur ist sind nicht auch ein eine einen einem einer ohne bei "
    "nach oder über unter bis je pro zoll stück farbe größe gewicht maße inkl marke menge inhalt länge breite höhe"
)
_ENGLISH = word_set(
    "the and with for of from this that is are not also a an without by or your you it its to on at as be has have "
    "can will pack inch inches color colour size weight brand count includes"
)


class Word(NamedTuple):
    """One word: its span [start, end) in code points and its folded form."""

    start: int
    end: int
    folded: str


_LONGEST_KEPT = 200  # code points of a folded text that is remembered: endless words would fill the memory


def fold(text: str) -> str:
    """Return the text without case and accents (ß as ss, ä as a), full-width letters made plain."""
    return _kept_fold(text) if len(text) <= _LONGEST_KEPT else _fold(text)


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


_kept_fold = lru_cache(maxsize=20_000)(_fold)


def words(text: str) -> tuple[Word, ...]:
    """Return the runs of letters and digits of a text; a closing "+" belongs to its word, as in "A++"."""
    return tuple(Word(m.start(), m.end(), fold(m.group())) for m in _WORD.finditer(text))


def words_around(found: Sequence[Word], start: int, end: int) -> tuple[int, int]:
    """Return the index after the last word that ends before `start`, and that of the first word from `end` on."""
    first = bisect_right(found, start, key=lambda word: word.end)
    return first, max(first, bisect_left(found, end, key=lambda word: word.start))


@lru_cache(maxsize=20_000)
def spellings(phrase: str) -> frozenset[tuple[str, ...]]:
    """Return the folded word sequences that write a phrase: as it is, with ae for ä, and (to three words) joined."""
    found = set(_sequences(phrase))
    found |= {("".join(sequence),) for sequence in found if 1 < len(sequence) <= 3}
    return frozenset(found)


def _sequences(phrase: str) -> Iterator[tuple[str, ...]]:
    lowered = unicodedata.normalize("NFC", phrase).casefold()
    for text in (lowered, lowered.translate(_UMLAUTS)):
        sequence = tuple(word.folded for word in words(text))
        if sequence:
            yield sequence


def language(text: str) -> Language | None:
    """Return the language that a text's first words speak, or None where they do not tell."""
    seen = [word.casefold() for word in _WORD.findall(text[:2_000])]
    german = sum(map(_GERMAN.__contains__, seen))
    english = sum(map(_ENGLISH.__contains__, seen))
    if german == english:
        return None
    return "de" if german > english else "en"
