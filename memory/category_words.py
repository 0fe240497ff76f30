"""How plainly a product's text says the words of each category: whole words and the heads of German compounds."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Self

import numpy as np
from numpy.typing import NDArray

READ_CHARACTERS = 400  # of a text; a category is said early or not at all
LONGEST_WORD = 40
SHORTEST_HEAD = 4  # letters; shorter ends of words are chance
COMPOUND = 0.8  # the text has "Damenlaufschuhe", the category "Laufschuhe"
HEAD_ALONE = 0.5  # the text has "Schlauch", the category "Gartenschlauch"
AFTER_A_PREPOSITION = 0.4  # in "case for iPhone" or "tent with bag" the product comes first
FULL_MARK = 2.0  # so much rarity, two words that no other category has, is as plain as it gets
DESCRIPTION_WEIGHT = 0.5  # of a word that the description says and the title does not

_WORD = re.compile(r"[^\W_]+")
_ENGLISH = {"for", "with", "w", "without", "by", "no", "compatible", "incl", "includes", "fits"}
_GERMAN = {"fur", "mit", "ohne", "inkl", "inklusive", "passend", "geeignet", "kompatibel"}
_PREPOSITIONS = frozenset(_ENGLISH | _GERMAN)
_ENDINGS = ("en", "er", "es", "e", "n", "s")

Said = dict[str, float]  # word -> how plainly the text says it, in [0, 1]


@dataclass(frozen=True)
class CategoryWords:
    """The phrases of all categories, found by their words; build it with `CategoryWords.build`."""

    categories: int
    phrases: tuple[tuple[int, tuple[str, ...]], ...]  # (category's row, words of the phrase)
    containing: dict[str, list[int]]  # word -> rows in `phrases`
    ending: dict[str, list[str]]  # end of a word -> the longer words that end so
    rarity: dict[str, float]  # word -> 1 where one category alone has it, towards 0 where all have it

    @classmethod
    def build(cls, phrases: Sequence[Sequence[str]]) -> Self:
        """Return the index of the phrases, one sequence a category."""
        split = [tuple(dict.fromkeys(tuple(_words(phrase)) for phrase in own)) for own in phrases]
        flat = tuple((category, words) for category, own in enumerate(split) for words in own if words)
        containing: dict[str, list[int]] = defaultdict(list)
        owners: dict[str, set[int]] = defaultdict(set)
        for row, (category, words) in enumerate(flat):
            for word in dict.fromkeys(words):
                containing[word].append(row)
                owners[word].add(category)
        everyone = len(phrases) + 1
        rarity = {word: log(everyone / len(having)) / log(everyone) for word, having in owners.items()}
        return cls(len(phrases), flat, dict(containing), _endings(containing), rarity)

    def plainness(self, text: str, description: str = "") -> NDArray[np.float32]:
        """Return how plainly the texts say each category, in [0, 1]: shape (categories,).

        A phrase counts where all its words are said, with the sum of their rarity; a category has its best phrase's.
        """
        said = self._known(_said(text))
        for word, plain in self._known(_said(description)).items():
            said[word] = max(said.get(word, 0.0), DESCRIPTION_WEIGHT * plain)
        best = np.zeros(self.categories, dtype=np.float32)
        for row in sorted({row for word in said for row in self.containing[word]}):
            category, words = self.phrases[row]
            if all(word in said for word in words):
                mark = sum(self.rarity[word] * said[word] for word in words)
                best[category] = max(best[category], min(mark / FULL_MARK, 1.0))
        return best

    def _known(self, said: Said) -> Said:
        """Return the words of the categories that a text says, in whole or by the head of a compound."""
        known: Said = {}

        def note(word: str, plain: float) -> None:
            known[word] = max(known.get(word, 0.0), plain)

        for word, plain in said.items():
            if word in self.containing:
                note(word, plain)
            for start in range(2, len(word) - SHORTEST_HEAD + 1):
                if word[start:] in self.containing:
                    note(word[start:], COMPOUND * plain)
            for longer in self.ending.get(word, ()):
                note(longer, HEAD_ALONE * plain)
        return known


def _said(text: str) -> Said:
    """Return the words of a text, and each two neighbours written together ("power bank" as "powerbank")."""
    raw = [word[:LONGEST_WORD] for word in _WORD.findall(_folded(text[:READ_CHARACTERS]))]
    said: Said = {}
    plain, previous = 1.0, ""
    for word in raw:
        if word in _PREPOSITIONS and previous:
            plain = AFTER_A_PREPOSITION
        stem = _stem(word)
        for form in (stem, previous + stem):
            said[form] = max(said.get(form, 0.0), plain)
        previous = word
    return said


def _endings(words: Sequence[str] | dict[str, list[int]]) -> dict[str, list[str]]:
    ending: dict[str, list[str]] = defaultdict(list)
    for word in words:
        for start in range(2, len(word) - SHORTEST_HEAD):
            ending[word[start:]].append(word)
    return dict(ending)


def _words(phrase: str) -> list[str]:
    return [_stem(word) for word in _WORD.findall(_folded(phrase))]


def _folded(text: str) -> str:
    """Return the text in small letters without accents: "Töpfe" and "TOPFE" become one."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _stem(word: str) -> str:
    """Return the word without a plural or case ending of English or German, roughly: both sides are cut alike."""
    if word.endswith("ies") and len(word) > 5:
        return word[:-3] + "y"
    if word.endswith("s") and len(word) == 4 and not word.endswith("ss"):
        return word[:-1]
    ending = next((e for e in _ENDINGS if word.endswith(e) and len(word) - len(e) >= 4), "")
    return word.removesuffix(ending)
