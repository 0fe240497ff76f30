"""How a file is written whole or not at all: under another name beside it, then renamed."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from memory.errors import ReaseqError


class FileUnwritable(ReaseqError):
    """A file cannot be written where it was asked for."""


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a name to write to; at the end the file takes the place of `path`, after an error it is removed.

    Raises `FileUnwritable` where the folder is missing, the disk is full, or `path` is no ordinary file.
    """
    target = path.resolve()  # a link stays a link: what it leads to is replaced
    if target.exists() and not target.is_file():
        raise FileUnwritable(f"{str(path)!r} is no ordinary file; name another one")
    unfinished = target.with_name(f".reaseq-{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        yield unfinished
        _to_disk(unfinished)
        unfinished.replace(target)
    except OSError as error:
        raise FileUnwritable(f"{str(path)!r} cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
