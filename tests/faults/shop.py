"""A small shop under test: its catalog, its knowledge base, and `reaseq` as a process of its own that may be killed."""

import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from tests.faults.nursery import end_of, nursery
from tests.faulty_provider import FaultyProvider

ROOT = Path(__file__).parents[2]
CANARY = "sk-canary-5f1e0b7c"  # the key, which no file and no output may hold
PRICES = '["openai:small"]\ninput = 1\noutput = 4\n'  # what the faulty provider bills
DEPARTMENTS = ("attributes", "clothing", "kitchen")
LONGEST = 120.0  # seconds that any command may take, on a machine that is busy with others


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int  # negative: the signal that killed it
    output: str
    errors: str
    seconds: float
    peak: int  # bytes of memory
    cpu: float  # seconds

    @property
    def report(self) -> Any:
        """The JSON on standard output."""
        return json.loads(self.output)

    @property
    def all(self) -> str:
        """Everything that was said."""
        return self.output + self.errors


class Running:
    """A started process; its output goes to files, so that it never waits for us."""

    def __init__(
        self, command: Sequence[str], folder: Path, env: Mapping[str, str], altered: Mapping[str, float]
    ) -> None:
        self.started = monotonic()
        self._command, self._folder, self._name = command, folder, str(len(list(folder.glob("*.out"))))
        (folder / f"{self._name}.out").touch()  # at once, so that the next one is called otherwise
        self.pid = nursery().start(command, folder, env, self._name, altered=altered)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def ended(self, seconds: float = LONGEST) -> Ended:
        """Return how it ended; after so many seconds it is killed and `TimeoutError` raised."""
        end = end_of(self._folder, self._name, seconds)
        if end is None:
            said = self.kill().errors[-2000:]
            raise TimeoutError(f"{self._command!r} had not ended after {seconds} s: {said}")
        code, peak, cpu = end
        return Ended(code, *self.said(), monotonic() - self.started, peak, cpu)

    def kill(self) -> Ended:
        """Kill it as a loss of power does, and return what it had said."""
        self.send(signal.SIGKILL)
        return self.ended()

    def said(self) -> tuple[str, str]:
        """Return what it has said so far on standard output and standard error."""
        output, errors = (
            (self._folder / f"{self._name}.{kind}").read_text(encoding="utf-8", errors="replace")
            for kind in ("out", "err")
        )
        return output, errors


@dataclass
class Shop:
    """A folder with a catalog, a taxonomy and a knowledge base; commands run in it against one provider."""

    folder: Path
    cache: Path  # of the taxonomy's embeddings
    provider: FaultyProvider
    rows: list[tuple[str, str, str, str]] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)  # REASEQ_…, without the prefix
    ended: list[Ended] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.elsewhere.mkdir()
        (self.folder / "departments").mkdir()
        for name in DEPARTMENTS:
            shutil.copy(ROOT / "memory" / "departments" / f"{name}.yaml", self.folder / "departments")
        (self.folder / "prices.toml").write_text(PRICES, encoding="utf-8")

    def stock(self, number: int) -> None:
        """Put so many kettles into the catalog, and one row that is no item."""
        colors = ("red", "blue", "black", "white", "green")
        self.rows = [
            (f"K{n}", f"Acme{n} steel kettle 1.{n % 9 + 1} l {colors[n % 5]}", f"Boils fast, no. {n}.", f"Acme{n}")
            for n in range(number)
        ]
        self.write()

    def write(self) -> None:
        """Write the rows to the catalog, and the one without a title in their middle."""
        lines = [",".join(f'"{cell}"' for cell in row) for row in self.rows]
        lines.insert(len(lines) // 2, "NOTITLE,,nothing,none")
        (self.folder / "shop.csv").write_text(
            "sku,name,description,brand\n" + "\n".join(lines) + "\n", encoding="utf-8"
        )

    @property
    def elsewhere(self) -> Path:
        """The folders of the user and of temporary files, where nothing is to be written."""
        return self.folder / "elsewhere"

    @property
    def file(self) -> Path:
        """The knowledge base's file."""
        return self.folder / "kb.db"

    @property
    def environment(self) -> dict[str, str]:
        """What a process is told."""
        given = {
            "OPENAI_API_KEY": CANARY,
            "OPENAI_BASE_URL": self.provider.base_url,
            "REASEQ_KB": f"sqlite:///{self.file}",
            "REASEQ_MODEL": "openai:small",
            "REASEQ_CACHE": str(self.cache),
            "REASEQ_TAXONOMY": str(self.folder / "departments"),
            "REASEQ_PRICES": str(self.folder / "prices.toml"),
        }
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        elsewhere = {"HOME": str(self.elsewhere), "TMPDIR": str(self.elsewhere)}
        return kept | elsewhere | given | {f"REASEQ_{name.upper()}": value for name, value in self.settings.items()}

    def start(self, *arguments: object, **altered: float) -> Running:
        """Start `reaseq …` with alterations (tests/faults/crashing.py); with `cold`, as a new interpreter."""
        return Running(list(map(str, arguments)), self.folder, self.environment, altered)

    def begin(self, *options: object, **altered: float) -> Running:
        """Start to enrich the catalog."""
        return self.start("enrich", "shop.csv", "--json", *options, **altered)

    def enrich(self, *options: object, **altered: float) -> Ended:
        """Enrich the catalog, to the end."""
        ended = self.begin(*options, **altered).ended()
        self.ended.append(ended)
        return ended

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query to the knowledge base."""
        with closing(sqlite3.connect(self.file, timeout=30)) as connection:
            return connection.execute(query, values).fetchall()

    def states(self) -> dict[str, str]:
        """Return how far the newest version is with each item."""
        newest = "(SELECT max(id) FROM version)"
        return dict(self.ask(f"SELECT item_id, state FROM work WHERE version_id = {newest} ORDER BY item_id"))

    def reasons(self) -> dict[str, str]:
        """Return why items failed."""
        return dict(self.ask("SELECT item_id, reason FROM work WHERE state = 'failed'"))
