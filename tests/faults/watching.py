"""What this process connects to, runs, and opens for writing while somebody watches, as Python's audit events tell."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_RUNS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "pickle.find_class")
_CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate", "sqlite3.connect")


@dataclass
class Seen:
    """What was seen."""

    connected: list[Any] = field(default_factory=list)  # addresses
    written: list[Path] = field(default_factory=list)
    run: list[str] = field(default_factory=list)

    def outside(self, *folders: Path) -> list[Path]:
        """Return what was written outside the folders."""
        homes = [folder.resolve() for folder in folders]
        written = {path for path in self.written if path != Path(os.devnull)}
        return sorted(path for path in written if not any(path.is_relative_to(home) for home in homes))


_watchers: list[Seen] = []


@contextmanager
def watched() -> Iterator[Seen]:
    """Note what happens until the end of the block."""
    _install()
    seen = Seen()
    _watchers.append(seen)
    try:
        yield seen
    finally:
        _watchers.remove(seen)


@cache
def _install() -> None:
    """Hear events from now on; a hook cannot be taken back, so there is one for good, which mostly does nothing."""
    sys.addaudithook(_heard)


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    for seen in _watchers:
        if event == "socket.connect":
            seen.connected.append(arguments[1])
        elif event in _RUNS:
            seen.run.append(f"{event} {arguments[:2]!r}")
        elif event in _CHANGES or (event == "open" and _is_for_writing(*arguments)):
            seen.written += [_resolved(path) for path in arguments[:2] if isinstance(path, str | bytes | os.PathLike)]


def _is_for_writing(_: object, mode: str | None, flags: int) -> bool:
    # Python's own open() gives both; os.open() gives flags alone.
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) or any(letter in "wax+" for letter in mode or "")


def _resolved(path: Any) -> Path:
    return Path(os.fsdecode(path)).resolve()
