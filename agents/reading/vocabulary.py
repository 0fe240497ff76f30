"""Where a text uses the allowed words of an attribute, and which of its values they mean."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from agents.values.words import Language, Word, fold, spellings, word_set
from memory.category import AttributeSpec, AttributeType

_ENDINGS = ("es", "er", "en", "em", "e")
_SURE_ENDINGS = ("es", "en", "e")  # in a text of unknown language: "sander" is no inflected "sand"
_BEFORE = word_set("without ohne no non not nicht kein keine keinen keiner keinerlei never nie zero")
_ADJACENT = frozenset({"non", "zero"})  # these deny the next word alone: "non-stick induction"
_AFTER = word_set("free frei less")
_OPPOSITE = {"yes": "no", "no": "yes"}
_JOINTS = frozenset(" -–‑/'’.&+")


def stems_of(words: Sequence[Word]) -> frozenset[str]:
    """Return the words with all that is left of them without a German ending: what a vocabulary may know of a text."""
    folded = {word.folded for word in words}
    return frozenset(folded | {word.removesuffix(ending) for word in folded for ending in _ENDINGS})


class Hit(NamedTuple):
    """An allowed value found in a text: the span [start, end) of its words, and the value."""

    start: int
    end: int
    value: str
    negated: bool = False


class _Entry(NamedTuple):
    sequence: tuple[str, ...]
    value: str
    word: str  # as the taxonomy writes it


class Vocabulary(NamedTuple):
    """The words of one attribute, by the first folded word of each, the longest first."""

    entries: dict[str, tuple[_Entry, ...]]
    boolean: bool


@lru_cache(maxsize=4_096)
def vocabulary(spec: AttributeSpec) -> Vocabulary:
    """Return the attribute's words; the names of a boolean that has none say "yes"."""
    pairs = [(allowed.value, word) for allowed in spec.values for word in (allowed.value, *allowed.aliases)]
    if spec.type is AttributeType.BOOLEAN:
        pairs = [pair for pair in pairs if fold(pair[1]) not in _OPPOSITE]
        pairs += [("yes", name) for name in (spec.name, *spec.aliases) if not pairs]
    entries: dict[str, dict[tuple[str, ...], _Entry]] = {}
    for value, word in pairs:
        for sequence in spellings(word):
            entries.setdefault(sequence[0], {}).setdefault(sequence, _Entry(sequence, value, word))
    longest = {k: tuple(sorted(v.values(), key=lambda e: -len(e.sequence))) for k, v in entries.items()}
    return Vocabulary(longest, spec.type is AttributeType.BOOLEAN)


def find_values(text: str, words: Sequence[Word], spec: AttributeSpec, language: Language | None) -> list[Hit]:
    """Return the hits from left to right, longest match first, none inside another; negated ones are marked.

    A boolean's negated "yes" is a "no" and the reverse, its span holding the denial; what a negated enum
    value means is left to the caller.
    """
    table = vocabulary(spec)
    hits: list[Hit] = []
    position = 0
    while position < len(words):
        entry, size = _entry_at(table, text, words, position, language)
        if entry is not None:
            hits.append(_hit(table, entry, text, words, position))
        position += max(size, 1)
    return hits


def negation(text: str, words: Sequence[Word], first: int, last: int) -> Word | None:
    """Return the word that denies the words [first, last]: "without x", "no real x", "x-free", "x frei"; or None."""
    edge = words[first].start
    for word in reversed(words[max(0, first - 2) : first]):
        if text[word.end : edge].strip(" -"):
            break
        if word.folded in _BEFORE and (edge == words[first].start or word.folded not in _ADJACENT):
            return word
        edge = word.start
    after = words[last + 1] if last + 1 < len(words) else None
    return after if after and after.folded in _AFTER and text[words[last].end : after.start] in (" ", "-") else None


def whole_value(text: str, words: Sequence[Word], spec: AttributeSpec) -> str | None:
    """Return the allowed value that the whole text means, German endings forgiven, or None."""
    if not words:
        return None
    entry, size = _entry_at(vocabulary(spec), text, words, 0, "de", alone=True)
    return entry.value if entry is not None and size == len(words) else None


def value_at(text: str, words: Sequence[Word], position: int, spec: AttributeSpec) -> Hit | None:
    """Return the hit that starts at one word, short words and German endings forgiven, or None."""
    if position >= len(words):
        return None
    entry, _ = _entry_at(vocabulary(spec), text, words, position, "de", alone=True)
    return _hit(vocabulary(spec), entry, text, words, position) if entry is not None else None


def _hit(table: Vocabulary, entry: _Entry, text: str, words: Sequence[Word], position: int) -> Hit:
    last = position + len(entry.sequence) - 1
    start, end = words[position].start, words[last].end
    denial = negation(text, words, position, last)
    if denial is None:
        return Hit(start, end, entry.value)
    value = _OPPOSITE.get(entry.value, entry.value) if table.boolean else entry.value
    return Hit(min(start, denial.start), max(end, denial.end), value, negated=True)


def _entry_at(
    table: Vocabulary,
    text: str,
    words: Sequence[Word],
    position: int,
    language: Language | None,
    *,
    alone: bool = False,
) -> tuple[_Entry | None, int]:
    folded = words[position].folded
    for entry in table.entries.get(folded, ()):
        size = len(entry.sequence)
        if _stands_at(entry, text, words, position) and (alone or _is_meant(entry, text, words[position])):
            return entry, size
    endings = {"de": _ENDINGS, None: _SURE_ENDINGS}.get(language, ())
    return _inflected(table, folded, endings), 1


def _inflected(table: Vocabulary, folded: str, endings: Sequence[str]) -> _Entry | None:
    for ending in endings:
        stem = folded.removesuffix(ending)
        if stem != folded and len(stem) >= 3:
            for entry in table.entries.get(stem, ()):
                if entry.sequence == (stem,) and entry.word.islower():
                    return entry
    return None


def _stands_at(entry: _Entry, text: str, words: Sequence[Word], position: int) -> bool:
    there = words[position : position + len(entry.sequence)]
    if tuple(word.folded for word in there) != entry.sequence:
        return False
    return all(_joins(text[left.end : right.start]) for left, right in pairwise(there))


def _joins(gap: str) -> bool:
    return len(gap) <= 3 and set(gap) <= _JOINTS and ". " not in gap


def _is_meant(entry: _Entry, text: str, word: Word) -> bool:
    """Tell short capital words from others: the size "S" from "men's", "US" from "us", "L" from "5 L"."""
    if len(entry.sequence) > 1 or len(entry.word) > 3:
        return True
    written = text[word.start : word.end]
    if len(entry.word) == 1 or (entry.word.isdigit() and len(entry.word) < 4):
        before, after = text[: word.start].rstrip(" ")[-1:], text[word.end :].lstrip(" ")[:1]
        return written == entry.word and before in "([,;/|-–" and after in ")],;/|" and before + after != ""
    return not entry.word.isupper() or not written.islower()
