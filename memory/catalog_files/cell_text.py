"""How a cell of any format becomes text: numbers, dates, lists, mappings, and Python lists written as text."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from math import isfinite

_EXACT_FLOAT = 2**53  # up to here a float holds every whole number

# What Python's repr() writes for a list of strings, as several public data sets have it: "['a', \"it's\"]".
_ESCAPE = r"\\(?:[\\'\"nrt]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U000[0-9a-fA-F]{5}|U0010[0-9a-fA-F]{4})"
_STRING = rf"""(?:'(?:[^'\\\n]++|{_ESCAPE})*+'|"(?:[^"\\\n]++|{_ESCAPE})*+")"""
_WRITTEN_STRING = re.compile(_STRING)
_WRITTEN_LIST = re.compile(rf"\s*\[(?:{_STRING}(?:, ?{_STRING})*+)?\]\s*")
_WRITTEN_ESCAPE = re.compile(_ESCAPE)
_SHORT_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def cell_text(value: object, joiner: str = "; ") -> str:
    """Return a cell as text, the parts of a list joined by `joiner`.

    Nothing is "", a truth value "yes" or "no", a whole number has no decimals, a date is in ISO form, a mapping is
    "key: value; key: value". A text that is a Python list of strings and nothing else is read as that list.
    """
    if isinstance(value, str):
        parts = written_list(value)
        return value if parts is None else joiner.join(filter(None, parts))
    if isinstance(value, Mapping):
        entries = ((cell_text(key), cell_text(entry, ", ")) for key, entry in value.items())
        return joiner.join(f"{key}: {entry}" for key, entry in entries if entry)
    if isinstance(value, list | tuple | set | frozenset):
        return joiner.join(filter(None, (cell_text(part, ", ") for part in value)))
    return _scalar(value)


def written_list(text: str) -> list[str] | None:
    """Return the strings of a Python list of strings written as text; None for any other text."""
    if "[" not in text[:100] or _WRITTEN_LIST.fullmatch(text) is None:
        return None
    return [_WRITTEN_ESCAPE.sub(_unescaped, string[0][1:-1]) for string in _WRITTEN_STRING.finditer(text)]


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[0][1:]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return _SHORT_ESCAPES.get(code, code)


def _scalar(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _number(value: float) -> str:
    if not isfinite(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) <= _EXACT_FLOAT else repr(value)
