"""How a title falls into tokens: numbers, runs of letters, single other characters."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|\S")
MOST_TOKENS = 120  # of one title; what follows is not read, so that a hostile one costs no more than a long one


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its place in the title, in code points, end exclusive."""

    text: str
    start: int
    end: int


def tokenize(title: str) -> tuple[Token, ...]:
    """Return the title's tokens in order, at most `MOST_TOKENS`; none for a title of blanks."""
    found: list[Token] = []
    for match in _TOKEN.finditer(title):
        if len(found) == MOST_TOKENS:
            break
        found.append(Token(match.group(), match.start(), match.end()))
    return tuple(found)
