"""`reaseq` with alterations: killed at a chosen commit, with short leases and waits, a jumping clock or a full disk.

Run as `python tests/faults/crashing.py '{"crash_at": 3}' enrich …`. The program itself knows nothing of this.
"""

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DAY = 86_400.0


def crash_at(number: float) -> None:
    """Kill this process at the n-th commit of the knowledge base; odd numbers just before one, even ones after it."""
    moments = count(1)
    _around_commits(lambda: _die() if next(moments) == number else None)


def count_commits(_: float) -> None:
    """Write a dot to `commits` at each moment where `crash_at` could strike."""
    _around_commits(lambda: _append("commits", "."))


def _around_commits(struck: Callable[[], None]) -> None:
    from commands import catalog_run
    from memory.database import Database

    catalog_run.COUNTS_EVERY = DAY  # or there were a commit more on a slow machine

    original = Database.writing

    @contextmanager
    def writing(self: Database, *, beside: bool = False) -> Iterator[Any]:
        with original(self, beside=beside) as session:
            yield session
            session.flush()
            struck()
        struck()

    Database.writing = writing  # type: ignore[method-assign]


def crash_at_rename(_: float) -> None:
    """Kill this process when it is about to put a whole new file in the place of an old one."""
    Path.replace = lambda *_: _die()  # type: ignore[method-assign, assignment]


def crash_at_line(number: float) -> None:
    """Kill this process at the n-th line of an export."""
    from memory import export, store

    original, lines = store.enrichments, count(1)

    def enrichments(*arguments: Any, **named: Any) -> Iterator[Any]:
        for item in original(*arguments, **named):
            if next(lines) == number:
                _die()
            yield item

    vars(export)["enrichments"] = enrichments


def lease_seconds(seconds: float) -> None:
    """Lease items for so long."""
    from graphs.batch import BatchSettings

    _default(BatchSettings, lease_seconds=seconds)


def claim_size(number: float) -> None:
    """Lease so many items in one go."""
    from graphs.batch import BatchSettings

    _default(BatchSettings, claim_size=int(number))


def breaker_cooldown(seconds: float) -> None:
    """Wait so long before the first look whether a broken server is back."""
    from agents.resilience.policy import ResiliencePolicy

    _default(ResiliencePolicy, breaker_cooldown=seconds)


def retry_after_cap(seconds: float) -> None:
    """Obey a server's Retry-After for so long at most."""
    from agents.resilience.policy import ResiliencePolicy

    _default(ResiliencePolicy, retry_after_cap=seconds)


def quick_batches(seconds: float) -> None:
    """Gather questions for so long, and wait so long between two looks at a batch."""
    from agents.providers.batch_api.pace import BatchPace

    waits = {"settle_seconds": seconds, "first_look": seconds, "longest_look": seconds, "longest_pause": seconds}
    _default(BatchPace, lease_seconds=1.0, **waits)


def busy_seconds(seconds: float) -> None:
    """Wait so long for another process that holds the knowledge base."""
    from memory import database_errors

    database_errors.BUSY_SECONDS = seconds  # type: ignore[assignment]


def largest_file(size: float) -> None:
    """Let no file grow beyond so many bytes, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))


def jumping_clock(every: float) -> None:
    """Let the wall clock jump a day ahead or back at every n-th look."""
    original, looks = time.time, count()
    time.time = lambda: original() + (0, DAY, -DAY)[int(next(looks) // every) % 3]


ALTERATIONS: dict[str, Callable[[float], None]] = {
    alter.__name__: alter
    for alter in (
        jumping_clock,  # first: it is to be seen by all that is imported later
        largest_file,
        crash_at,
        count_commits,
        crash_at_rename,
        crash_at_line,
        lease_seconds,
        claim_size,
        breaker_cooldown,
        retry_after_cap,
        quick_batches,
        busy_seconds,
    )
}


def _default(kind: Any, **values: object) -> None:
    """Give an immutable record other defaults."""
    original = kind.__init__

    def made(self: object, *arguments: object, **named: object) -> None:
        original(self, *arguments, **(values | named))

    kind.__init__ = made


def _append(name: str, text: str) -> None:
    with Path(name).open("a", encoding="utf-8") as file:
        file.write(text)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Alter, then be `reaseq`."""
    sys.path.insert(0, str(ROOT))
    wanted = json.loads(sys.argv.pop(1))
    for name, alter in ALTERATIONS.items():
        if name in wanted:
            alter(wanted[name])
    import app

    app.main()


if __name__ == "__main__":
    main()
