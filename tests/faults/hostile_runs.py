"""A run of `reaseq enrich` over hostile rows in this process, watched, and what it left behind."""

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from commands import output
from tests.commands.command_line import Ran, reaseq
from tests.faults.obedient_model import obedient
from tests.faults.shop import CANARY
from tests.faults.watching import Seen, watched
from tests.faulty_provider import FaultyProvider

KB = "sqlite:///kb.db"
SETTING_PREFIXES = ("REASEQ_", "OPENAI_", "OLLAMA_")


@dataclass(frozen=True)
class HostileRun:
    """How a run ended, what was seen meanwhile, and the lines it exports."""

    folder: Path
    ran: Ran
    seen: Seen
    lines: tuple[str, ...]
    port: int | None  # of the provider

    @property
    def report(self) -> Any:
        """The run's own report."""
        return self.ran.document

    @property
    def documents(self) -> dict[str, Any]:
        """What is exported of each item, by id."""
        return {document["id"]: document for document in map(json.loads, self.lines)}

    @property
    def failures(self) -> dict[str, str]:
        """Why items failed, by id."""
        return dict(self.ask("SELECT item_id, reason FROM work WHERE state = 'failed'"))

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query to the knowledge base."""
        with closing(sqlite3.connect(self.folder / "kb.db")) as connection:
            return connection.execute(query).fetchall()


def settle(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a folder, with no settings but the defaults: the starter taxonomy, all departments of it."""
    for name in [name for name in os.environ if name.startswith(SETTING_PREFIXES)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("REASEQ_CACHE", str(cache))
    monkeypatch.chdir(folder)
    for terminal in (output.console, output.errors):
        monkeypatch.setattr(terminal, "_width", 400)


def obeyed_run(catalog: Path, cache: Path, concurrency: int = 8) -> HostileRun:
    """Run a catalog of the present folder through a model that obeys every order in it."""
    with pytest.MonkeyPatch.context() as monkeypatch, FaultyProvider(answer=obedient) as provider:
        settle(catalog.parent, cache, monkeypatch)
        monkeypatch.setenv("OPENAI_API_KEY", CANARY)
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        options = ("--model", "openai:small", "--concurrency", concurrency)
        return _run(catalog, options, urlsplit(provider.base_url).port)


def embedded_run(catalog: Path, cache: Path, concurrency: int = 8) -> HostileRun:
    """Run a catalog through the embedded model."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        settle(catalog.parent, cache, monkeypatch)
        return _run(catalog, ("--concurrency", concurrency), None)


def _run(catalog: Path, options: tuple[object, ...], port: int | None) -> HostileRun:
    with watched() as seen:
        ran = reaseq("enrich", catalog.name, "--kb", KB, "--json", *options)
        exported = reaseq("export", "--kb", KB, "--format", "jsonl", "--out", "knowledge.jsonl")
    assert exported.code == 0, ran.errors + exported.errors
    # Not splitlines(): a text may hold other line ends than the one between objects.
    text = (catalog.parent / "knowledge.jsonl").read_text(encoding="utf-8")
    lines = text.replace(f"127.0.0.1:{port}/", "server/").removesuffix("\n").split("\n")  # each run has its own
    return HostileRun(catalog.parent, ran, seen, tuple(lines), port)
