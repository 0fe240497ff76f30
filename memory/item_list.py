"""A file of item ids, one a line, in the order in which they are to be worked on."""

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from memory.atomic_file import written_whole
from memory.errors import ReaseqError

LONGEST_LINE = 1000  # bytes; an id has 200 characters at most


class ItemListUnreadable(ReaseqError):
    """A file holds no list of items."""


def read_item_list(path: Path) -> tuple[str, ...]:
    """Return the ids of a file, each once, in their order; empty lines are passed over. Raises `ItemListUnreadable`."""
    try:
        lines = path.read_bytes().split(b"\n")
        if any(len(line) > LONGEST_LINE for line in lines):
            raise ItemListUnreadable(f"{str(path)!r} holds no list of items: one id a line is wanted")
        ids = (unicodedata.normalize("NFC", line.decode("utf-8-sig")).strip() for line in lines)
        return tuple(dict.fromkeys(item_id for item_id in ids if item_id))
    except OSError as error:
        raise ItemListUnreadable(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ItemListUnreadable(f"{str(path)!r} is no text in UTF-8; one id a line is wanted") from error


def write_item_list(path: Path, ids: Iterable[str]) -> None:
    """Write ids, one a line; raises `memory.atomic_file.FileUnwritable`."""
    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{item_id}\n" for item_id in ids)
