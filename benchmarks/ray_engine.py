"""What the Ray engine costs and keeps: losses midway, CPU an item, scaling, planning and resuming a large catalog.

    python benchmarks/ray_engine.py --parts chaos overhead scaling planning

It runs a cluster of three nodes and a PostgreSQL server of its own on this machine, prints a line for each figure and
writes them as JSON.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.loopback import loopback  # noqa: E402
from benchmarks.ray_runs import (  # noqa: E402
    Bench,
    catalog_of,
    cpu_of_ended_children,
    cpu_while,
    ends_of,
    number_in,
    steady_rate,
    watched_to_end,
)
from memory.catalog import RejectedRow, read_catalog  # noqa: E402
from memory.database import Database, open_database  # noqa: E402
from memory.outcomes import settle_leased  # noqa: E402
from memory.work import claim  # noqa: E402
from tests.postgres_server import PostgresServer  # noqa: E402
from tests.ray.accounts import accounts_of  # noqa: E402
from tests.ray.three_nodes import ThreeNodes, wait_until  # noqa: E402

Figures = dict[str, object]


def chaos(bench: Bench, nodes: ThreeNodes, server: PostgresServer, scale: float) -> Figures:
    """Lose a worker, a node and the database midway; every row is to end once, and nothing durable is asked again."""
    items, concurrency = int(5000 * scale), 16
    limit = 3_000 * items
    kb = server.url("chaos")
    options = ("--workers", "3", "--concurrency", str(concurrency), "--max-tokens", str(limit))
    with open_database(kb) as database:
        run = bench.started(kb, catalog_of(bench.folder, items), 0.2, *options)
        for share, lose in ((0.2, nodes.kill_worker), (0.45, nodes.kill_node), (0.7, server.restart)):
            _reach(database, run, int(items * share))
            lose()
        watched_to_end(run)
        accounts = accounts_of(database, bench.provider.arrivals())
    report = json.loads((bench.folder / "report.json").read_text())
    return {
        "items": items,
        "exit code": run.returncode,
        "states": accounts.states,
        "results stored": accounts.enrichments,
        "rows in the report": {name: report[name] for name in ("enriched", "skipped", "failed")},
        "calls": accounts.calls,
        "asked again, not durable yet": accounts.twice,
        "repeated durable calls": accounts.repeated,
        "tokens spent": report["tokens"],
        "tokens allowed": limit,
    }


def overhead(bench: Bench, nodes: ThreeNodes, server: PostgresServer, scale: float) -> Figures:
    """Compare the CPU of one worker on Ray, all of Ray's processes counted, with one machine's, start-up apart."""
    items, few = max(100, int(1500 * scale)), 20
    figures: Figures = {"items": items}
    watched_to_end(bench.started(server.url("warm"), catalog_of(bench.folder, items), 0.0, "--limit", "1", ray=False))
    for name, ray in (("one machine", False), ("ray", True)):
        used = {}
        for count in (few, items):
            kb = server.url(f"overhead_{name.replace(' ', '_')}_{count}")
            workers = ("--workers", "1") if ray else ()
            before = cpu_of_ended_children()
            options = ("--concurrency", "16", "--limit", str(count), *workers)
            run = bench.started(kb, catalog_of(bench.folder, items), 0.05, *options, ray=ray)
            used[count] = cpu_while(run, nodes.roots() if ray else [], 3.0 if ray else 0.0)
            watched_to_end(run)
            used[count] += cpu_of_ended_children() - before
        figures[f"{name}: CPU-ms an item, start-up included"] = round(1000 * used[items] / items, 1)
        figures[f"{name}: CPU-ms an item beyond the first {few}"] = round(
            1000 * (used[items] - used[few]) / (items - few), 1
        )
    return figures


def scaling(bench: Bench, nodes: ThreeNodes, server: PostgresServer, scale: float) -> Figures:
    """Measure items a second of 1, 2 and 4 workers, each with eight items at once, at 500 ms an answer."""
    figures: Figures = {}
    base = 0.0
    for workers in (1, 2, 4):
        kb = server.url(f"scaling_{workers}")
        items = max(80, int(240 * scale)) * workers
        options = ("--concurrency", "8", "--workers", str(workers), "--limit", str(items))
        watched_to_end(bench.started(kb, catalog_of(bench.folder, items), 0.5, *options))
        rate = steady_rate(ends_of(kb))
        base = base or rate
        figures[f"{workers} workers: items a second"] = round(rate, 2)
        figures[f"{workers} workers: share of linear"] = round(rate / (base * workers), 3)
    return figures


def planning(bench: Bench, nodes: ThreeNodes, server: PostgresServer, scale: float) -> Figures:
    """Measure the driver's memory over a small and a large catalog, and how soon a resumed one begins anew."""
    large = int(200_000 * scale)
    figures: Figures = {}
    for items in (large // 10, large):
        kb = _done_but(server, bench, f"planning_{items}", items, items - 50)
        peak = watched_to_end(bench.started(kb, catalog_of(bench.folder, items), 0.05, "--workers", "2"))
        figures[f"{items} items: peak memory of the driver, MB"] = round(peak, 1)
    kb = _done_but(server, bench, "resumed", large, large * 3 // 4)
    with open_database(kb) as database:
        calls = number_in(database, "SELECT count(*) FROM work WHERE state = 'leased'")
        began = time.time()
        run = bench.started(kb, catalog_of(bench.folder, large), 0.05, "--workers", "2")
        leased = "SELECT count(*) FROM work WHERE state = 'leased'"
        wait_until(lambda: number_in(database, leased) > calls or run.poll() is not None, 600)
        at = time.time()
        started = "SELECT extract(epoch FROM max(started_at)) * 1000 FROM run"
        figures["seconds from the command to the first new item"] = round(at - began, 1)
        figures["seconds from the run's beginning to the first new item"] = round(
            at - number_in(database, started) / 1000, 1
        )
        os.kill(run.pid, signal.SIGINT)
        watched_to_end(run, 120)
    return figures


def _reach(database: Database, run: "subprocess.Popen[str]", results: int) -> None:
    wait_until(lambda: run.poll() is not None or accounts_of(database).enrichments >= results, 3600)


def _done_but(server: PostgresServer, bench: Bench, name: str, items: int, done: int) -> str:
    """Make a database whose first items are done: leased and settled by the functions that runs do it with."""
    kb, catalog = server.url(name), catalog_of(bench.folder, items)
    watched_to_end(bench.started(kb, catalog, 0.05, "--limit", "1", ray=False))  # its address is of the version
    rows = (row for row in read_catalog(catalog) if not isinstance(row, RejectedRow))
    with open_database(kb) as database:
        version = number_in(database, "SELECT max(id) FROM version")
        for begin in range(0, done, 1000):
            some = [next(rows) for _ in range(min(1000, done - begin))]
            with database.writing() as session:
                claimed = claim(session, version, some, "benchmark", time.time(), 120.0).claimed
                settle_leased(session, [(version, one.item) for one in claimed])
    return kb


PARTS: dict[str, Callable[[Bench, ThreeNodes, PostgresServer, float], Figures]] = {
    "overhead": overhead,
    "scaling": scaling,
    "planning": planning,
    "chaos": chaos,
}


def main() -> None:
    """Run the parts that were asked for; chaos comes last, for it leaves one node fewer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of items")
    parser.add_argument("--out", type=Path, default=None)
    arguments = parser.parse_args()
    figures: dict[str, Figures] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        loopback() as provider,
        PostgresServer({"autovacuum": "on", "autovacuum_naptime": "10"}) as server,
        ThreeNodes() as nodes,
    ):
        bench = Bench(Path(folder), provider, nodes.address)
        for part in (part for part in PARTS if part in arguments.parts):
            figures[part] = PARTS[part](bench, nodes, server, arguments.scale)
            for name, value in figures[part].items():
                print(f"{part}: {name}: {value}", flush=True)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
