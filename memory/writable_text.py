"""Text as files for other programs can hold it."""

import re

_UNWRITABLE = re.compile("[\0\ud800-\udfff]")


def writable(text: str) -> str:
    """Return the text with U+FFFD in place of what JSON readers and UTF-8 refuse: NUL and lone surrogates."""
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
