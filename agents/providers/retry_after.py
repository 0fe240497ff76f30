"""How long a server asks to be left alone: the Retry-After header in all its forms."""

import math
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

LONGEST_HEADER = 64  # characters; no time is longer


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds to wait; None where the server names no time that can be meant.

    Reads `retry-after-ms` (milliseconds) before `retry-after` (seconds or an HTTP date). `now` has a time zone; a date
    that has passed means 0. A negative number is no time, and infinity is none.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    return seconds if seconds is not None else _until(text, now)


def _number(text: str | None) -> float | None:
    if text is None or len(text) > LONGEST_HEADER:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _until(text: str | None, now: datetime) -> float | None:
    if text is None or len(text) > LONGEST_HEADER:
        return None
    try:
        date = parsedate_to_datetime(text)
        return max(0.0, (date.replace(tzinfo=date.tzinfo or now.tzinfo) - now).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):  # what the parser raises for texts that are no date
        return None
