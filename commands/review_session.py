"""One value after the other, decided with single keys: on a terminal as they are typed, else line by line."""

import sys
from dataclasses import dataclass, field
from typing import Protocol

import typer
from rich.text import Text

from agents.ruling_drafts import acceptance, correction, rejection
from commands.output import console, say
from commands.review_desk import Decided, Draft, decide, undo
from commands.review_pages import phrase_ruling, show_entry
from memory.database import Database
from memory.errors import ReaseqError
from memory.review_queue import Key, QueueEntry, QueueFilter, queue
from memory.reviewed_results import template_behind
from memory.text import printable

SHOWN_VALUES = 40
KEYS = "a accept   c correct   r reject   s skip   u undo   q quit"


class Keys(Protocol):
    """Where a person's keys come from."""

    def key(self) -> str:
        """Return the next key; empty at the end."""

    def value(self) -> str:
        """Return a line; empty where nothing is said."""


class Terminal:
    """A terminal: keys without Enter, values with it."""

    def key(self) -> str:
        """Return the next key; empty at the end (Ctrl-D)."""
        try:
            return str(typer.getchar())
        except EOFError:
            return ""

    def value(self) -> str:
        """Return the line that is typed."""
        return _line().strip()


class Lines:
    """A pipe or a file: a key a line; a value on the key's line, or on the next."""

    def __init__(self) -> None:
        self._rest = ""

    def key(self) -> str:
        """Return the first character of the next line that has one; empty at the end."""
        for line in iter(_line, ""):
            if line.strip():
                self._rest = line.strip()[1:].strip()
                return line.strip()[0]
        return ""

    def value(self) -> str:
        """Return what stands behind the key, else the next line."""
        return self._rest or _line().strip()


@dataclass
class ReviewSession:
    """A person at the queue; each decision is stored before the next value is shown."""

    database: Database
    wanted: QueueFilter
    keys: Keys
    reviewer: str = ""
    decided: list[tuple[QueueEntry, Decided]] = field(default_factory=list)
    passed: set[Key] = field(default_factory=set)  # skipped or decided
    skipped: int = 0

    def run(self) -> None:
        """Go through the queue until it is empty, or the person has had enough."""
        while True:
            entry = self._next()
            if not (self._settled(entry) if entry else self._reconsidered()):
                return

    def _next(self) -> QueueEntry | None:
        # One at a time: a decision settles others, and another person may be at the queue too.
        with self.database.session() as session:
            return next(iter(queue(session, self.wanted, 1, self.passed)), None)

    def _settled(self, entry: QueueEntry) -> bool:
        """Show an entry until it is decided or skipped; False to quit."""
        show_entry(entry)
        while True:
            console.print(Text(KEYS, style="dim"))
            key = self.keys.key()
            if key in ("", "q"):
                return False
            if key == "s":
                self.skipped += 1
                self.passed.add(entry.key)
                return True
            if key == "u":
                return self._undone()
            if key in ("a", "c", "r") and self._decided(entry, key):
                return True

    def _reconsidered(self) -> bool:
        """Say that the queue is empty, and give the last decision a second thought."""
        say("nothing is left in the queue")
        if not self.decided:
            return False
        console.print(Text("u undo   q quit", style="dim"))
        return self.keys.key() == "u" and self._undone()

    def _decided(self, entry: QueueEntry, key: str) -> bool:
        draft = self._draft(entry, key)
        if draft is None:
            return False
        item = entry.known.item
        try:
            decided = decide(self.database, item.id, draft, seen=item.content_hash)
        except ReaseqError as error:
            say(str(error))
            return False
        self.decided.append((entry, decided))
        self.passed.add(entry.key)
        say(phrase_ruling(decided.ruling))
        return True

    def _draft(self, entry: QueueEntry, key: str) -> Draft | None:
        """Return how the key's decision is made; None where a correction says nothing."""
        about = (entry.attribute, entry.value)
        if key == "a":
            return lambda case: acceptance(case, *about, reviewer=self.reviewer)
        if key == "r":
            return lambda case: rejection(case, *about, reviewer=self.reviewer)
        self._print_allowed(entry)
        console.print(Text("the right value: "), end="")
        text = self.keys.value()
        return (lambda case: correction(case, *about, text, reviewer=self.reviewer)) if text else None

    def _print_allowed(self, entry: QueueEntry) -> None:
        with self.database.session() as session:
            spec = template_behind(session, entry.known.enrichment).spec(entry.attribute)
        if spec is not None and spec.values:
            named = ", ".join(printable(allowed.value, 40) for allowed in spec.values[:SHOWN_VALUES])
            console.print(Text(f"allowed: {named}{', …' if len(spec.values) > SHOWN_VALUES else ''}", style="dim"))

    def _undone(self) -> bool:
        if not self.decided:
            say("there is nothing to undo")
            return True
        entry, decided = self.decided.pop()
        undo(self.database, decided, self.reviewer)
        self.passed.discard(entry.key)
        say(f"taken back: {phrase_ruling(decided.ruling)}")
        return True


def _line() -> str:
    return str(sys.stdin.readline())
