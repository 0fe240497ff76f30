"""`reaseq enrich --engine ray` on a real cluster of three nodes that loses a worker, a node, and its database once."""

import csv
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.loopback import Loopback, loopback
from memory.catalog import RejectedRow, read_catalog
from memory.catalog_pieces import ROWS
from memory.database import open_database
from tests.commands.command_line import PROGRAM
from tests.postgres_server import PostgresServer
from tests.ray.accounts import accounts_of
from tests.ray.three_nodes import ThreeNodes, wait_until

pytestmark = pytest.mark.ray

ITEMS = 150
CANARY = "sk-canary-5f2d81"
SAMPLE = Path(__file__).parents[2] / "memory" / "sample" / "catalog.csv"


@pytest.fixture
def provider() -> Iterator[Loopback]:
    with loopback() as running:
        yield running


@pytest.fixture(scope="module")
def nodes() -> Iterator[ThreeNodes]:
    with ThreeNodes() as running:
        yield running


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows that all have a title of their own, and one that is none."""
    path = written_to(tmp_path_factory.mktemp("catalog") / "items.csv", ITEMS, texts=ITEMS)
    with path.open("a", encoding="utf-8") as out:
        out.write("I99999,only two cells\n")
    return path


@pytest.fixture(scope="module")
def repeating_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pieces of which each has the same texts in the same order, under new ids."""
    return written_to(tmp_path_factory.mktemp("repeating") / "items.csv", 6 * ROWS, texts=ROWS)


def written_to(path: Path, items: int, *, texts: int) -> Path:
    """Write the sample's rows under new ids, with so many different titles that repeat in their order."""
    with SAMPLE.open(encoding="utf-8", newline="") as sample, path.open("w", encoding="utf-8", newline="") as out:
        header, *rows = csv.reader(sample)
        written = csv.writer(out)
        written.writerow(header)
        for number in range(items):
            _, title, *rest = rows[number % texts % len(rows)]
            written.writerow([f"I{number:05}", f"{title} No. {number % texts}", *rest])
    return path


class Run:
    """One run of the command in a process of its own."""

    def __init__(self, folder: Path, kb: str, catalog: Path, provider: Loopback, *options: str) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("REASEQ_", "OPENAI_"))}
        environment |= {
            "OPENAI_BASE_URL": provider.base_url(0.2),
            "OPENAI_API_KEY": CANARY,
            "REASEQ_MODEL": "openai:bench",
            "REASEQ_KB": kb,
            "REASEQ_CACHE": str(catalog.parent / "cache"),
        }
        command = [*PROGRAM, "enrich", str(catalog), "--json", "--engine", "ray", *options]
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def ended(self, seconds: float = 600) -> tuple[int, dict[str, object], str]:
        """Return the exit code, the report and what was said."""
        said, errors = self.process.communicate(timeout=seconds)
        assert said, errors
        return self.process.returncode, json.loads(said), errors


def test_every_row_ends_once_though_a_worker_a_node_and_the_database_are_lost_midway(
    nodes: ThreeNodes, server: PostgresServer, provider: Loopback, catalog: Path, tmp_path: Path
) -> None:
    kb = server.url("lossy")
    database = open_database(kb)
    options = ("--ray-address", nodes.address, "--workers", "3", "--concurrency", "8", "--max-tokens", "100000000")

    run = Run(tmp_path, kb, catalog, provider, *options)
    for enough, lose in ((20, nodes.kill_worker), (60, nodes.kill_node), (100, server.restart)):
        wait_until(lambda enough=enough: accounts_of(database).enrichments >= enough)
        lose()
    code, report, errors = run.ended()
    accounts = accounts_of(database, provider.arrivals())

    assert (code, report["enriched"], len(report["rejected"])) == (0, ITEMS, 1), errors  # type: ignore[arg-type]
    assert report["failed"] == report["skipped"] == {}
    assert (accounts.states, accounts.enrichments) == ({"enriched": ITEMS}, ITEMS)
    assert accounts.repeated == 0
    assert accounts.twice <= 3 * 8  # what was on its way in what was killed: a worker, and a node with two at the most
    assert report["rejected"] == [row.model_dump() for row in read_catalog(catalog) if isinstance(row, RejectedRow)]


def test_equal_questions_of_several_workers_are_asked_once(
    nodes: ThreeNodes, server: PostgresServer, provider: Loopback, repeating_catalog: Path, tmp_path: Path
) -> None:
    kb = server.url("repeating")
    options = ("--ray-address", nodes.address, "--workers", "3", "--concurrency", "8")

    code, report, errors = Run(tmp_path, kb, repeating_catalog, provider, *options).ended()
    with open_database(kb) as database:
        accounts = accounts_of(database, provider.arrivals())

    assert (code, report["enriched"]) == (0, 6 * ROWS), errors
    assert (accounts.repeated, accounts.twice) == (0, 0)
    assert accounts.calls == provider.counts().calls


def test_a_run_that_was_stopped_goes_on_and_repeats_nothing(
    nodes: ThreeNodes, server: PostgresServer, provider: Loopback, catalog: Path, tmp_path: Path
) -> None:
    kb = server.url("stopped")
    database = open_database(kb)
    options = ("--ray-address", nodes.address, "--workers", "2", "--concurrency", "8")

    first = Run(tmp_path, kb, catalog, provider, *options)
    wait_until(lambda: accounts_of(database).enrichments >= 30)
    first.process.send_signal(2)
    code, report, _ = first.ended()
    before = accounts_of(database)
    second_code, second, errors = Run(tmp_path, kb, catalog, provider, *options).ended()
    accounts = accounts_of(database, provider.arrivals())

    assert code == 130
    assert report["enriched"] == before.enrichments < ITEMS
    assert second_code == 0, errors
    assert int(str(second["enriched"])) + sum(second["skipped"].values()) == ITEMS  # type: ignore[attr-defined]
    assert (accounts.states, accounts.repeated) == ({"enriched": ITEMS}, 0)


def test_all_workers_together_stay_within_the_budget_though_the_treasury_is_lost(
    nodes: ThreeNodes, server: PostgresServer, provider: Loopback, catalog: Path, tmp_path: Path
) -> None:
    kb = server.url("poor")
    limit = 150_000
    database = open_database(kb)
    options = ("--ray-address", nodes.address, "--workers", "3", "--concurrency", "8", "--max-tokens", str(limit))

    run = Run(tmp_path, kb, catalog, provider, *options)
    wait_until(lambda: accounts_of(database).enrichments >= 20)
    nodes.kill_treasury()
    code, report, errors = run.ended()

    assert code == 1, errors
    assert "budget" in errors
    assert limit / 2 < int(str(report["tokens"])) <= limit


def test_no_key_stands_in_the_logs_of_the_cluster(nodes: ThreeNodes) -> None:
    logs = Path(nodes.session_folder)

    written = [path for path in logs.rglob("*") if path.is_file()]

    assert written
    assert [str(path) for path in written if CANARY.encode() in path.read_bytes()] == []
