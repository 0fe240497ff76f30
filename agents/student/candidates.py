"""Which spans of a title may be a value: runs of tokens, and known values inside them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agents.student.tokens import Token

LONGEST = 9  # tokens; longer values are under 1 % of those in OA-Mine and AE-110k
_OPENING = frozenset("#\"'&-+(")  # besides letters and digits, what a value may begin with


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span: tokens `first` to `last` (exclusive), and the text of the title from `start` to `end`.

    A known value may begin or end within a token ("Letter" in "Letters"): then the text is shorter than its tokens.
    """

    first: int
    last: int
    start: int
    end: int
    text: str
    is_partial: bool = False


def candidates(title: str, tokens: Sequence[Token], known: Iterable[str] = ()) -> list[Candidate]:
    """Return all runs of at most `LONGEST` tokens, then each known value that stands elsewhere in the title."""
    spans = [_run(title, tokens, i, j) for i in range(len(tokens)) for j in _ends(tokens, i)]
    texts = {span.text for span in spans}
    for value in known:
        if value not in texts and value in title:
            spans.extend(_within(title, tokens, value))
    return spans


def _ends(tokens: Sequence[Token], first: int) -> range:
    opening = tokens[first].text[0]
    if not (opening.isalnum() or opening in _OPENING):
        return range(0)
    return range(first + 1, min(len(tokens), first + LONGEST) + 1)


def _run(title: str, tokens: Sequence[Token], first: int, last: int) -> Candidate:
    start, end = tokens[first].start, tokens[last - 1].end
    return Candidate(first, last, start, end, title[start:end])


def _within(title: str, tokens: Sequence[Token], value: str) -> Iterable[Candidate]:
    start = title.index(value)
    end = start + len(value)
    covered = [i for i, token in enumerate(tokens) if token.end > start and token.start < end]
    if covered and len(covered) <= LONGEST:
        yield Candidate(covered[0], covered[-1] + 1, start, end, value, is_partial=True)
