"""Where a text labels a value: "Farbe: rot", "Material - Cotton", "Weight = 5 kg"."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from agents.values.words import STOP, Word, spellings, word_set
from memory.category import AttributeSpec

_MARK = re.compile(r"(?: ?\([^()]{1,20}\))?(?: ?[:：=] ?| [-–—] )")
_STOP = re.compile(rf"[;|\n•·✓►]|{STOP}(?= |$)|(?<= )[-–—](?= )|$")
_NEXT_LABEL = re.compile(r"(?:(?<=^)|(?<=[\s,]))[^\W\d_][\w-]{1,24}(?: \(?[\w-]{1,15}\)?){0,2} ?[:：=](?!\d)")
_COLON = re.compile(r"[:：=]")
_OPENING = re.compile(r"[,;|•·(\n.!?–—✓►]| - |^$")
_LONGEST = 120
_PREPOSITIONS = word_set("in of by from with for aus von mit fur in")
_CAPITALISED = re.compile(r"[^\W\d_a-z][\w'’+-]*(?: (?:[^\W_a-zß-ÿ][\w'’+-]*|\d{1,4})){0,3}")
_CODE = re.compile(r"(?=[A-Za-z-]{0,12}\d)(?=[\d-]{0,12}[A-Za-z])[\w-]{3,24}")
# "Shipping weight: 3 kg" does not label the weight, nor "lid material" the material
_QUALIFIERS = word_set(
    "shipping gross package packaged packaging packed carton box versand brutto verpackung paket max maximum maximal "
    "min minimum lid base inner outer lining sole heel strap handle battery cable cord head seat frame leg filling "
    "load user parcel item's target recommended zulassiges zulassige display ship assembled folded futter innen"
)


class Label(NamedTuple):
    """A label found in a text and the span [start, end) of what it labels, outer blanks left out."""

    start: int
    value_start: int
    value_end: int


@lru_cache(maxsize=4_096)
def names_of(spec: AttributeSpec) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return the folded word sequences that name an attribute, by their first word, the longest first."""
    sequences = {s for name in (spec.name, spec.key.replace("_", " "), *spec.aliases) for s in spellings(name)}
    by_first: dict[str, list[tuple[str, ...]]] = {}
    for sequence in sorted(sequences, key=len, reverse=True):
        by_first.setdefault(sequence[0], []).append(sequence)
    return {first: tuple(found) for first, found in by_first.items()}


def find_labels(text: str, words: Sequence[Word], spec: AttributeSpec) -> list[Label]:
    """Return what the text labels with one of the attribute's names, from left to right."""
    names = names_of(spec)
    found = []
    beyond = 0  # "Net weight" is one label, not "Net weight" and "weight"
    for position, word in enumerate(words):
        if position < beyond:
            continue
        size = next((len(n) for n in names.get(word.folded, ()) if _matches(n, words, position)), 0)
        mark = _MARK.match(text, words[position + size - 1].end) if size else None
        before = words[position - 1] if position else None
        opens = before is None or bool(_OPENING.search(text[before.end : word.start]))
        if mark and (opens or (_COLON.search(mark.group()) and before and before.folded not in _QUALIFIERS)):
            found.append(_label(text, word.start, mark.end()))
            beyond = position + size
    return [label for label in found if label.value_start < label.value_end]


def find_introduced(text: str, words: Sequence[Word], spec: AttributeSpec) -> list[Label]:
    """Return what follows a name that needs no colon: "Made in Italy", "kompatibel mit Galaxy S10", "Model BT-220".

    That is a run of capitalised words after a name that ends with a preposition, and a code of letters and digits
    after any name.
    """
    names = names_of(spec)
    found = []
    for position, word in enumerate(words):
        name = next((n for n in names.get(word.folded, ()) if _matches(n, words, position)), None)
        after = position + len(name or ())
        if name and after < len(words) and text[words[after - 1].end : words[after].start] == " ":
            pattern = _CAPITALISED if name[-1] in _PREPOSITIONS else _CODE
            if run := pattern.match(text, words[after].start):
                found.append(Label(word.start, run.start(), run.end()))
    return found


def _matches(name: tuple[str, ...], words: Sequence[Word], position: int) -> bool:
    return tuple(word.folded for word in words[position : position + len(name)]) == name


def _label(text: str, start: int, value_start: int) -> Label:
    """Return the label whose value ends at the next separator, the next label or after `_LONGEST` code points."""
    window = text[value_start : value_start + _LONGEST]
    stop = _STOP.search(window)
    value = window[: stop.start()] if stop else window
    if following := _NEXT_LABEL.search(value, 1):
        value = value[: following.start()]
    value = value.rstrip(" ,(-–")
    lead = len(value) - len(value.lstrip())
    return Label(start, value_start + lead, value_start + max(lead, len(value)))
