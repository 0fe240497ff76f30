"""How numbers are written in product texts, in English and German.

The rule for a point or comma, in this order:

1. Both are there: the last one is the decimal sign ("1.234,5", "1,234.5").
2. One of them several times: thousands ("1.000.000").
3. Not followed by exactly three digits, or after a leading zero or more than three digits: the decimal sign.
4. What is left ("1.500") is decided by unit and language:
   a comma is the decimal sign only in a German text, and only before a coarse unit ("1,500 kg"), else thousands;
   a point means thousands before a fine unit (grams, millilitres: nobody writes thousandths of them) unless the text
   is English, and in a German text before anything but a coarse unit ("1.500 kg"); else it is the decimal sign.

An apostrophe before three digits groups thousands, as in Switzerland ("1'500").
"""

import re
import unicodedata
from decimal import Decimal
from typing import Literal

from agents.values.words import Language

Grain = Literal["fine", "coarse"]

VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
NUMERAL = (
    rf"(?:(?:\d{{1,4}}(?:[ -]|\ ?-\ ?))?\d{{1,4}}[/⁄]\d{{1,4}}(?![\d/])|(?:\d{{1,4}}[ -]?)?[{VULGAR}]"
    r"|\d{1,3}(?:['’]\d{3})+(?:[.,]\d{1,6})?|\d{1,9}(?:[.,]\d{1,9}){0,3}|\.\d{1,6})(?![\d½¼¾])"
)
_SWISS = re.compile(r"['’](?=\d{3})")
_MIXED = re.compile(r"(?:(\d{1,4})[ -]{1,3})?(\d{1,4})[/⁄](\d{1,4})")


def read_numeral(text: str, language: Language | None = None, grain: Grain | None = None) -> Decimal | None:
    """Return the number that a text written as `NUMERAL` means, or None where it means none ("1/0", "1,2.3,4")."""
    text = text.strip()
    if text and text[-1] in VULGAR:
        whole = text[:-1].strip(" -")
        fraction = unicodedata.normalize("NFKC", text[-1])
        text = f"{whole} {fraction}" if whole else fraction
    if _SWISS.search(text):
        return Decimal(_SWISS.sub("", text).replace(",", "."))
    if mixed := _MIXED.fullmatch(text):
        ones, top, bottom = (Decimal(group or 0) for group in mixed.groups())
        return ones + top / bottom if bottom else None
    return _decimal(unicodedata.normalize("NFKC", text), language, grain)


def plain(number: Decimal) -> str:
    """Write a number with at most nine significant digits, without exponent or trailing zeros."""
    if number == number.to_integral_value():
        return format(number.to_integral_value(), "f")
    text = format(Decimal(f"{number:.9g}"), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _decimal(text: str, language: Language | None, grain: Grain | None) -> Decimal | None:
    points, commas = text.count("."), text.count(",")
    if not points and not commas:
        return Decimal(text) if text.isdecimal() else None
    if points and commas:
        sign = max(".,", key=text.rfind)
    elif points + commas > 1:
        sign = ""
    else:
        sign = _single_sign(text, "." if points else ",", language, grain)
    whole, _, part = text.rpartition(sign) if sign else (text, "", "0")
    groups = re.split(r"[.,]", whole)
    if len(groups) > 1 and (len(groups[0]) > 3 or any(len(group) != 3 for group in groups[1:])):
        return None
    return Decimal(f"{''.join(groups) or '0'}.{part}") if part.isdecimal() else None


def _single_sign(text: str, sign: str, language: Language | None, grain: Grain | None) -> str:
    """Return `sign` where it is the decimal sign, "" where it groups thousands."""
    whole, _, part = text.partition(sign)
    if len(part) != 3 or not 1 <= len(whole) <= 3 or whole.startswith("0"):
        return sign
    if sign == ",":
        return sign if language == "de" and grain == "coarse" else ""
    thousands = (grain == "fine" and language != "en") or (language == "de" and grain != "coarse")
    return "" if thousands else sign
