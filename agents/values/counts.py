"""Which counts a text states: packs ("3er-Pack", "Pack of 12", "6 x 330 ml") and things by their name ("7-port")."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from agents.values.numerals import NUMERAL, read_numeral
from agents.values.quantities import find_quantities
from agents.values.words import fold

_PACK_NOUN = (
    r"(?:pack|packs|pk|count|ct|stück|stueck|stk|stck|st\.|pcs|pieces?\b|pc|piece|units?|rolls?|rollen|beutel|tabs?|tablets?|capsules?"
    r"|tabletten|kapseln|bags?|sheets|blatt|bottles|cans|packungen|paar|pairs|pods|pads|dosen|flaschen|wipes|tücher)"
)
_PACK = re.compile(
    rf"(?<![\w.,/-])(?:(?P<a>\d{{1,5}})er[ -]?(?:\w{{1,12}}-)?"
    rf"(?:pack|set|packung|box|karton|beutel|multipack|sparpack|vorteilspack)\w{{0,8}}\b"
    rf"|(?P<b>\d{{1,5}}|\d{{1,2}}[.,]\d{{3}})[ -]{{0,3}}{_PACK_NOUN}\b\.?)"
    r"|\b(?:pack|box|set|case|bag|lot|bundle|roll|packung|beutel|karton)[ -](?:of|mit|à|a|zu)[ -](?P<c>\d{1,5})\b"
    r"|(?<![\w.,/-])(?P<e>\d{1,5}) [^\W\d]{2,12} (?:bags|capsules|pads|pods|tabs|tablets|wipes|rolls|beutel|kapseln)\b"
    r"|^(?P<f>\d{1,3}) ?[x×] (?=[^\W\d])"
    r"|\b(?:VE|Inhalt|pack size|packungsgröße)[: =]{1,3}(?P<d>\d{1,5})\b(?![.,]\d)",
    re.IGNORECASE,
)
_PIECES = re.compile(
    r"(?<![\w.,/-])(?P<n>\d{1,5})[ -]?(?:teilig\w{0,3}|teile|tlg\.?|piece set|pieces? set|pcs? set|pieces?|parts)\b",
    re.IGNORECASE,
)
PACK_CUES = (
    "pack",
    "packung",
    "count",
    "stuck",
    "stueck",
    "units",
    "menge",
    "quantity",
    "inhalt",
    "multipack",
    "anzahl",
)
PIECE_CUES = ("pieces", "teile", "teilig", "parts", "piece")


class Count(NamedTuple):
    """A stated number of things: its span [start, end) with the noun, and whether parts of a set are meant."""

    start: int
    end: int
    number: int
    pieces: bool = False


@lru_cache(maxsize=256)
def find_counts(text: str) -> tuple[Count, ...]:
    """Return the packs and sets that the text counts, from left to right."""
    found = [
        Count(match.start(), match.end(), _whole(next(group for group in match.groups() if group)))
        for match in _PACK.finditer(text)
    ]
    found += [Count(m.start(), m.end(), int(m["n"]), pieces=True) for m in _PIECES.finditer(text) if int(m["n"]) > 1]
    found += [Count(q.chain, q.end, q.times) for q in find_quantities(text) if q.times > 1]
    return tuple(sorted(count for count in found if count.number > 0))


def read_whole(text: str) -> int | None:
    """Return the only whole number that a text states ("12 Stück" is 12), or None where it states none or several."""
    digits = re.findall(rf"(?<![\w.,/])(?:{NUMERAL})(?!\d)", text)
    if counts := find_counts(text):
        return counts[0].number if len({count.number for count in counts}) == 1 else None
    if len(digits) != 1 or not re.fullmatch(r"[^\d]{0,40}", fold(text.replace(digits[0], "", 1))):
        return None
    number = read_numeral(digits[0], grain="fine")
    return int(number) if number is not None and number == number.to_integral_value() else None


def _whole(digits: str) -> int:
    return int(read_numeral(digits, grain="fine") or Decimal(0))  # nobody counts thousandths of a piece
