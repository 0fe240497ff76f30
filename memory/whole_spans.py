"""Where a text says something as words of its own: "red" is not said by "hundred", nor "5 l" by "1.5 l"."""

import re

_DIGIT_JOINTS = ".,"


def whole_span(text: str, quote: str) -> tuple[int, int] | None:
    """Return the first place where the text says the quote in whole words, as [start, end) in code points, or None.

    A verbatim place goes before one that differs in case.
    """
    if not quote:
        return None
    for flags in (0, re.IGNORECASE):
        for match in re.finditer(re.escape(quote), text, flags):
            if is_whole(text, match.start(), match.end()):
                return match.span()
    return None


def is_whole(text: str, start: int, end: int) -> bool:
    """Return whether the span cuts through no word and no number.

    In scripts without upper and lower case, words are not told apart by their letters: there every border will do.
    """
    return not (_joined(text[start - 2 : start], text[start:end]) or _joined(text[start:end], text[end : end + 2]))


def _joined(before: str, after: str) -> bool:
    """Return whether what ends and what begins here are parts of one word or number."""
    if not before or not after:
        return False
    last, first = before[-1], after[0]
    if _is_of_words(last) and _is_of_words(first):
        return True
    if last in _DIGIT_JOINTS:
        return first.isdigit() and before[-2:-1].isdigit()
    return first in _DIGIT_JOINTS and last.isdigit() and after[1:2].isdigit()


def _is_of_words(character: str) -> bool:
    return character.isdigit() or character.lower() != character.upper()
