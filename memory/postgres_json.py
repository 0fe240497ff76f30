"""JSON as PostgreSQL can hold it: JSONB refuses NUL and lone surrogates, which a model's answer may contain."""

import json
from typing import Any

import orjson

from memory.column_types import ESCAPE, escaped, unescaped

_TO_ESCAPE = (b"\\u0000", ESCAPE.encode())


def json_text(value: Any) -> str:
    """Return a value as JSON; in its texts, what `escaped` escapes is escaped."""
    try:
        encoded = orjson.dumps(value)
    except (TypeError, ValueError):  # a lone surrogate, a number of more than 64 bits
        return json.dumps(_changed(value, escape=True), ensure_ascii=False)
    if any(part in encoded for part in _TO_ESCAPE):
        return json.dumps(_changed(value, escape=True), ensure_ascii=False)
    return encoded.decode()


def json_value(encoded: str | bytes) -> Any:
    """Return the value that `json_text` was given."""
    text = encoded.decode() if isinstance(encoded, bytes) else encoded
    try:
        value = orjson.loads(text)
    except ValueError:  # a number of more than 64 bits
        value = json.loads(text)
    return _changed(value, escape=False) if ESCAPE in text else value


def _changed(value: Any, *, escape: bool) -> Any:
    change = escaped if escape else unescaped
    match value:
        case str():
            return change(value)
        case list() | tuple():
            return [_changed(part, escape=escape) for part in value]
        case dict():
            return {change(str(name)): _changed(part, escape=escape) for name, part in value.items()}
    return value
