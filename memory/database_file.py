"""Whether the file of an open knowledge base is still the one that was opened.

SQLite itself goes on writing to a file that was deleted, and what it writes is gone when the process ends.
"""

from pathlib import Path


class DatabaseFile:
    """A file as it was when it was opened; it only grows."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        found = self._path.stat()
        self._identity = found.st_dev, found.st_ino
        self._size = found.st_size

    def loss(self) -> str | None:
        """Return what has happened to the file meanwhile, or None."""
        try:
            found = self._path.stat()
        except OSError:
            return "was deleted"
        if (found.st_dev, found.st_ino) != self._identity:
            return "was replaced by another file"
        if found.st_size < self._size:
            return "was cut short"
        self._size = found.st_size
        return None
