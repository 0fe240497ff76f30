"""The one normal form of product text, and text that is safe to show in a terminal."""

import re
import unicodedata

from memory.markup import broken_markup, without_markup

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANK = "\t\xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000\u3164"
_BLANKS = re.compile(f"[ {_BLANK}]{{2,}}|[{_BLANK}]")
_AROUND_LINE_ENDS = re.compile(r" ?\n ?")
_MANY_LINE_ENDS = re.compile(r"\n{3,}")

# Control characters, soft hyphen, zero-width space, bidi controls, word joiner and other invisible operators, BOM,
# annotation marks, non-characters, tag characters. Kept: ZWJ, ZWNJ (emoji, Persian) and variation selectors.
_REMOVED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)

# No combining mark is a word character, so only such a run can hold a pile of them.
_POSSIBLE_PILE = re.compile(r"[^\w\s\x00-\x7f]{31,}")
_MARKS_ON_ONE_LETTER = 30  # as in Unicode's stream-safe text (UAX #15); longer piles also make NFC quadratic

_MARKUP_LEVELS = 4  # escaped HTML inside escaped HTML; what is nested deeper is broken apart, so that work stays linear
_JOINERS = "\u200c\u200d"


def plain_text(raw: str) -> str:
    """Return `raw` in the form that every item text is stored in and that evidence offsets count in.

    NFC; recognised HTML as text (`memory.markup`); no control, bidi or other invisible characters but line ends,
    ZWJ, ZWNJ and variation selectors; lone surrogates as U+FFFD; each run of blanks one space; at most one blank line;
    trimmed; at most 30 combining marks on a letter. Idempotent, and linear in the length of `raw`.
    """
    text = _tidy(raw)
    for _ in range(_MARKUP_LEVELS):
        stripped = _tidy(without_markup(text))
        if stripped == text:
            return text
        text = stripped
    return _tidy(broken_markup(text))


def printable(text: str, limit: int = 200) -> str:
    """Return `text` on one line of at most `limit` characters, control characters as escapes, cut with an ellipsis."""
    pieces: list[str] = []
    length = 0
    for character in text[: limit + 1]:
        piece = _visible(character)
        pieces.append(piece)
        length += len(piece)
        if length > limit:
            return _shortened(pieces, length, limit)
    return "".join(pieces)


def _tidy(text: str) -> str:
    """Return `text` in the normal form, markup aside."""
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = _REMOVED.sub("", _LINE_ENDS.sub("\n", text))
    if not text.isascii():
        text = _without_piles(unicodedata.normalize("NFC", _without_piles(text)))
    text = _AROUND_LINE_ENDS.sub("\n", _BLANKS.sub(" ", text))
    return _MANY_LINE_ENDS.sub("\n\n", text).strip(" \n")


def _without_piles(text: str) -> str:
    return _POSSIBLE_PILE.sub(lambda run: _cut_piles(run[0]), text)


def _cut_piles(run: str) -> str:
    kept: list[str] = []
    pile = 0
    for character in run:
        pile = pile + 1 if unicodedata.combining(character) else 0
        if pile <= _MARKS_ON_ONE_LETTER:
            kept.append(character)
    return "".join(kept)


def _visible(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return character.encode("unicode_escape").decode("ascii")


def _shortened(pieces: list[str], length: int, limit: int) -> str:
    while pieces and length > limit - 1:
        length -= len(pieces.pop())
    return "".join(pieces) + "…" if limit > 0 else ""
