"""The commands over a knowledge base in PostgreSQL: each says what it says of a copy of it in SQLite."""

import json
from pathlib import Path

import pytest

from tests.commands.command_line import Ran, reaseq
from tests.databases import SERVERS
from tests.postgres_server import PostgresServer

pytestmark = pytest.mark.postgres

READS = (
    ("show", "K1", "--json"),
    ("failures", "--json"),
    ("unmapped", "--json"),
    ("kb", "versions", "--json"),
    ("kb", "diff", "1", "1", "--json"),
    ("graph", "K1", "--json"),
    ("graph", "--check", "--json"),
    ("review", "list", "--json"),
    ("traces", "--json"),
    ("taxonomy", "show", "kitchen.kettles", "--json"),
)
CHANGES = (
    ("kb", "use", "1"),
    ("trace", "kettles.csv", "--item", "K1"),
    ("traces", "prune", "--keep", "1"),
    ("behaviors", "import", "clicks.csv"),
    ("behaviors", "show"),
    ("behaviors", "delete", "--user", "ann"),
    ("vectors", "build"),
    ("vectors", "list"),
    ("kb", "prune"),
)


@pytest.fixture
def url(postgres: PostgresServer, enriched: tuple[str, Ran], monkeypatch: pytest.MonkeyPatch) -> str:
    """A copy of the enriched kettles in PostgreSQL."""
    made = SERVERS.url()
    ran = reaseq("kb", "copy", enriched[0], made)
    assert ran.code == 0, ran.errors
    monkeypatch.setenv("REASEQ_KB", made)
    return made


def test_what_is_read_is_what_is_read_of_sqlite(url: str, enriched: tuple[str, Ran]) -> None:
    for command in READS:
        here, there = reaseq(*command), reaseq(*command, "--kb", enriched[0])

        assert here.code == there.code, (command, here.errors)
        assert here.output == there.output, command


def test_exports_are_the_same_files(url: str, enriched: tuple[str, Ran]) -> None:
    for form in ("jsonl", "csv", "graphml"):
        reaseq("export", "--format", form, "--out", f"here.{form}")
        reaseq("export", "--format", form, "--out", f"there.{form}", "--kb", enriched[0])

        assert Path(f"here.{form}").read_bytes() == Path(f"there.{form}").read_bytes(), form


def test_what_changes_something_does(url: str, folder: Path) -> None:
    Path("clicks.csv").write_text("user,item,time\nann,K1,2026-03-01\nbob,K2,2026-03-02\n", encoding="utf-8")
    for command in CHANGES:
        ran = reaseq(*command)

        assert ran.code == 0, (command, ran.errors)


def test_a_run_resumes_and_shows_no_password(url: str, postgres: PostgresServer) -> None:
    ran = reaseq("enrich", "kettles.csv", "--json")
    told = json.dumps(reaseq("runs", "--json").document) + ran.all

    assert ran.code == 0
    assert ran.document["skipped"] == {"done": 3}
    assert postgres.password not in told
