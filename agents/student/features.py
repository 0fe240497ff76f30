"""What the student sees of a token and of a span: names of binary features."""

import re
from collections.abc import Sequence

from agents.student.candidates import Candidate

_REPEATED = re.compile(r"(.)\1+")
_DIGITS = re.compile(r"[9.,]+")
_LETTERS = re.compile(r"X+x*|x+")
_LONGEST_SHAPE = 12
_EDGE = 6  # tokens counted from the title's beginning; four from its end
START, END = "^", "$"


def token_features(words: Sequence[str], place: int) -> list[str]:
    """Return the features of one token: itself, its shape, affixes, neighbours and place in the title."""
    word = words[place].lower()
    found = ["bias", f"w={word}", f"s={shape(words[place])}", f"p3={word[:3]}", f"s3={word[-3:]}", f"s2={word[-2:]}"]
    before, after = _word(words, place - 1), _word(words, place + 1)
    found += [f"w-1={before}", f"w+1={after}"]
    if before != START:
        found += [f"s-1={shape(words[place - 1])}", f"b-1={before}|{word}"]
    if after != END:
        found += [f"s+1={shape(words[place + 1])}", f"b+1={word}|{after}"]
    if place > 1:
        found.append(f"w-2={words[place - 2].lower()}")
    if place + 2 < len(words):
        found.append(f"w+2={words[place + 2].lower()}")
    if place < _EDGE:
        found.append(f"pos={place}")
    if len(words) - place <= 4:
        found.append(f"end={len(words) - place}")
    found.append(f"rel={5 * place // len(words)}")
    return found


def span_features(words: Sequence[str], spans: Sequence[Candidate]) -> list[list[str]]:
    """Return the features of each span as a whole: its text, shape, length, edges, and what stands around it."""
    small = [START, *(word.lower() for word in words), END]
    return [_whole(words, small, span) for span in spans]


def _whole(words: Sequence[str], small: Sequence[str], span: Candidate) -> list[str]:
    """`small` are the words in small letters between the title's ends, so that word n stands at n + 1."""
    length, after, ending = span.last - span.first, small[span.last + 1], words[span.last - 1]
    outline = _LETTERS.sub("a", _DIGITS.sub("9", span.text.translate(_KINDS)))[:_LONGEST_SHAPE]
    found = [
        f"q={span.text.lower()}",
        f"len={length}",
        f"sh={outline}",
        f"pn={small[span.first]}|{after}",
        f"st={min(span.first, 3)},en={min(len(words) - span.last, 3)}",
        f"fl={small[span.first + 1]}|{small[span.last]}",
        f"ctx={after}|{length}",
    ]
    if "," in words[span.first : span.last]:
        found.append("comma")
    if not ending[-1].isalnum():
        found.append(f"endp={ending}")
    if span.text.count("(") != span.text.count(")"):
        found.append("unbalanced")
    if span.is_partial:
        found.append("partial")
    return found


def shape(text: str) -> str:
    """Return the text with X for capitals, x for small letters, 9 for digits, at most two of a kind in a row."""
    return _REPEATED.sub(r"\1\1", text.translate(_KINDS))


class _Kinds(dict[int, str]):
    """The kind of each character, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = "X" if character.isupper() else "x" if character.islower() else "9" if character.isdigit() else character
        self[code] = kind
        return kind


_KINDS = _Kinds()


def _word(words: Sequence[str], place: int) -> str:
    if place < 0:
        return START
    return words[place].lower() if place < len(words) else END
