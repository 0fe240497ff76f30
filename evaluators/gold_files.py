"""Golden files: JSON Lines, gzipped where the name says so, read line by line."""

import gzip
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from memory.errors import ReaseqError


class GoldError(ReaseqError):
    """A golden file cannot be read, or has a line that is none."""


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that hold something, with their numbers; `GoldError` where the file cannot be read to its end."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as lines:
            yield from ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    except (OSError, EOFError) as error:  # a gzip file that is none, or cut off, is one of these
        reason = getattr(error, "strerror", None) or error
        raise GoldError(f"{path} cannot be read: {reason}") from error


def first_fault(error: ValidationError) -> str:
    """Return what is wrong with a line, and where in it."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the line'}: {first['msg']}"
