"""The names of answer fields that a prompt asks for, held against those that the answer may have."""

import re
from collections.abc import Iterator, Set
from typing import NamedTuple

_BULLET = re.compile(r"^ *[-*] +[`\"*]*([a-z][a-z0-9_]*)[`\"*]*(?: *\([^)\n]*\))? *(?::|—|–| - )")
_KEY = re.compile(r"[\"']([a-z][a-z0-9_]*)[\"'] *:")
# "Return `x`", "with a field `x`": words that say that what follows is a part of the answer.
_ASKED = re.compile(
    r"\b(?:give|return|answer|add|include|state|report|write|fill|set|field|fields|key|keys)\b[^.`\n]{0,30}`([a-z][a-z0-9_]*)`",
    re.IGNORECASE,
)


class AskedName(NamedTuple):
    """A name that the answer has no place for."""

    name: str
    line: int  # of the text, from 1
    sure: bool  # it stands in a list of names of the answer; else it only reads as if it were asked for


def names_without_a_place(text: str, known: Set[str], others: Set[str] = frozenset()) -> list[AskedName]:
    """Return the names that a prompt's text asks for and that are no part of the answer (`known`).

    A list of bullets, or of JSON keys in one paragraph, is taken for a list of the answer's parts if at least half of
    its names are; then the rest of it is asked for as well, and in vain. A single name in backquotes counts where a
    word such as "return" or "field" leads to it. `others`, such as the prompt's slots, are never meant.
    """
    found = [
        AskedName(name, line, sure=True)
        for group in (*_lists(text), *_objects(text))
        if 2 * sum(name in known for name, _ in group) >= len(group)
        for name, line in group
    ]
    found += [
        AskedName(match[1], number, sure=False)
        for number, row in enumerate(text.split("\n"), 1)
        for match in _ASKED.finditer(row)
    ]
    first = {asked.name: asked for asked in reversed(found) if asked.name not in known | others}
    return sorted(first.values(), key=lambda asked: (asked.line, asked.name))


def _lists(text: str) -> Iterator[list[tuple[str, int]]]:
    """Yield the names that head the bullets of each list, with their lines."""
    group: list[tuple[str, int]] = []
    for number, row in enumerate(text.split("\n"), 1):
        if match := _BULLET.match(row):
            group.append((match[1], number))
        elif not row.strip() and group:
            yield group
            group = []
    if group:
        yield group


def _objects(text: str) -> Iterator[list[tuple[str, int]]]:
    """Yield the JSON keys of each paragraph, with their lines."""
    group: list[tuple[str, int]] = []
    for number, row in enumerate([*text.split("\n"), ""], 1):
        group += [(match[1], number) for match in _KEY.finditer(row)]
        if not row.strip() and group:
            yield group
            group = []
