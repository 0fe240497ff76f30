"""What the student sees of a token and of a span: names of binary features."""

import re
from collections.abc import Sequence

from agents.student.candidates import Candidate

_REPEATED = re.compile(r"(.)\1+")
_DIGITS = re.compile(r"[\d.,]+")
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


def span_features(words: Sequence[str], span: Candidate) -> list[str]:
    """Return the features of one span as a whole: its text, shape, length, edges, and what stands around it."""
    inside, length = words[span.first : span.last], span.last - span.first
    before, after = _word(words, span.first - 1), _word(words, span.last)
    outline = _LETTERS.sub("a", _DIGITS.sub("9", shape(span.text)))[:_LONGEST_SHAPE]
    found = [f"q={span.text.lower()}", f"len={length}", f"sh={outline}", f"pn={before}|{after}"]
    found.append(f"st={min(span.first, 3)},en={min(len(words) - span.last, 3)}")
    found += [f"fl={inside[0].lower()}|{inside[-1].lower()}", f"ctx={after}|{length}"]
    if "," in inside:
        found.append("comma")
    if not inside[-1][-1].isalnum():
        found.append(f"endp={inside[-1]}")
    if inside.count("(") != inside.count(")"):
        found.append("unbalanced")
    if span.is_partial:
        found.append("partial")
    return found


def shape(text: str) -> str:
    """Return the text with X for capitals, x for small letters, 9 for digits, at most two of a kind in a row."""
    kinds = "".join("X" if c.isupper() else "x" if c.islower() else "9" if c.isdigit() else c for c in text)
    return _REPEATED.sub(r"\1\1", kinds)


def _word(words: Sequence[str], place: int) -> str:
    if place < 0:
        return START
    return words[place].lower() if place < len(words) else END
