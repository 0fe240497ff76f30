"""Who a process is, and whether the process of such a name has ended: a killed run's leases need not be waited out."""

import os
import socket
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Self
from uuid import uuid4

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")  # containers of one machine number their processes each for itself
_ENDED = ("Z", "X")  # states of a process that has ended and whose parent has not looked yet


class Owner(NamedTuple):
    """One run of one process."""

    machine: str  # as it was booted; process numbers mean something on it alone
    pid: int
    started: str  # "" where the system does not say
    unique: str

    @classmethod
    def present(cls) -> Self:
        """Return a new owner in this process."""
        pid = os.getpid()
        return cls(_machine(), pid, _Process.of(pid).started, uuid4().hex[:8])

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the owner that `str` made the text of, or None."""
        parts = text.rsplit(":", 3)
        if len(parts) != 4 or not parts[1].isdecimal():
            return None
        return cls(parts[0], int(parts[1]), parts[2], parts[3])

    def __str__(self) -> str:
        return ":".join(map(str, self))


def has_ended(owner: str) -> bool:
    """Return whether the process of that name has ended for certain; False where nobody here can tell."""
    parsed = Owner.parse(owner)
    if parsed is None or parsed.machine != _machine():
        return False
    if not _exists(parsed.pid):
        return True
    now = _Process.of(parsed.pid)
    another = bool(parsed.started and now.started and parsed.started != now.started)
    return now.state in _ENDED or another


class _Process(NamedTuple):
    """What the system says of a process: "" where it says nothing."""

    state: str = ""
    started: str = ""  # in ticks since the machine was booted: setting the clock does not change it

    @classmethod
    def of(cls, pid: int) -> Self:
        try:
            said = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return cls()
        fields = said.rpartition(")")[2].split()  # the name before may hold anything; see proc(5)
        return cls(fields[0], fields[19]) if len(fields) > 19 else cls()


def _exists(pid: int) -> bool:
    if os.name != "posix":
        return True  # there, signal 0 would end it
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


@lru_cache(maxsize=1)
def _machine() -> str:
    boot, namespace = "", ""
    if _BOOT.exists():
        boot = _BOOT.read_text(encoding="ascii").strip()[:8]
    if _NAMESPACE.exists():
        namespace = str(_NAMESPACE.stat().st_ino)
    return f"{socket.gethostname()}/{boot}/{namespace}"
