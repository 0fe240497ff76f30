"""The one normal form of product text, and text that is safe to show in a terminal."""

import re
import unicodedata

from memory.markup import broken_markup, without_markup

_LINE_ENDS = "\r\x0b\x0c\x85\u2028\u2029"
_BLANKS = "\t\xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000\u3164"
# Control characters, soft hyphen, zero-width space, bidi controls, word joiner and other invisible operators, BOM,
# annotation marks, non-characters, tag characters. Kept: ZWJ, ZWNJ (emoji, Persian) and variation selectors.
_REMOVED = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f"
)
_UNTIDY = re.compile(f"[{_LINE_ENDS}{_BLANKS}{_REMOVED}]|  |\n |\n\n\n| \n")
_A_LINE_END = re.compile(f"\r\n|[{_LINE_ENDS}]")
_A_REMOVED = re.compile(f"[{_REMOVED}]")
_SOME_BLANKS = re.compile(f"[ {_BLANKS}]{{2,}}|[{_BLANKS}]")
_MANY_LINE_ENDS = re.compile("\n{3,}")

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
        stripped = without_markup(text)
        if stripped == text:
            return text
        text = _tidy(stripped)
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
    is_untidy = _UNTIDY.search(text) is not None  # most texts are not: one search is cheaper than all replacements
    if is_untidy:
        text = _A_REMOVED.sub("", _A_LINE_END.sub("\n", text))
    if not text.isascii():
        text = _without_piles(unicodedata.normalize("NFC", _without_piles(text)))
    return _with_single_blanks(text) if is_untidy else text.strip(" \n")


def _with_single_blanks(text: str) -> str:
    text = _SOME_BLANKS.sub(" ", text).replace(" \n", "\n").replace("\n ", "\n")
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
