"""One run of `reaseq enrich` for the benchmark of the Ray engine: started, looked at, and its CPU counted."""

import csv
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle, islice
from pathlib import Path

from sqlalchemy import text

from benchmarks.loopback import Loopback
from memory.database import Database, open_database

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "memory" / "sample" / "catalog.csv"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Bench:
    """Where runs work: a folder, a database each, a provider, and the cluster."""

    folder: Path
    provider: Loopback
    address: str

    def started(
        self, kb: str, catalog: Path, latency: float, *options: str, ray: bool = True
    ) -> "subprocess.Popen[str]":
        """Start a run in a process of its own; what it says goes to files in the folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("REASEQ_", "OPENAI_"))}
        environment = kept | {
            "OPENAI_BASE_URL": self.provider.base_url(latency),
            "OPENAI_API_KEY": "sk-none",
            "REASEQ_MODEL": "openai:bench",
            "REASEQ_KB": kb,
            "REASEQ_CACHE": str(self.folder / "cache"),
        }
        engine = ("--engine", "ray", "--ray-address", self.address) if ray else ()
        command = [sys.executable, str(ROOT / "app.py"), "enrich", str(catalog), "--json", *engine, *options]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            text=True,
            stdout=(self.folder / "report.json").open("w"),
            stderr=(self.folder / "said.txt").open("w"),
        )

    def said(self) -> str:
        """Return what the last run said on standard error."""
        return (self.folder / "said.txt").read_text()


def catalog_of(folder: Path, items: int) -> Path:
    """Write a catalog of the sample's rows, each under an id and a title of its own, and return where it is."""
    path = folder / f"items-{items}.csv"
    if path.exists():
        return path
    with SAMPLE.open(encoding="utf-8", newline="") as sample, path.open("w", encoding="utf-8", newline="") as out:
        header, *rows = csv.reader(sample)
        written = csv.writer(out)
        written.writerow(header)
        for number, row in enumerate(islice(cycle(rows), items)):
            written.writerow([f"I{number:07}", f"{row[1]} No. {number}", *row[2:]])
    return path


def cpu_of_ended_children() -> float:
    """Return the CPU seconds of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cpu_of_processes(roots: list[int]) -> dict[int, float]:
    """Return the CPU seconds of processes and of all that run below them."""
    found, left = {}, list(roots)
    while left:
        process = left.pop()
        try:
            fields = (
                Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            )
            for task in Path(f"/proc/{process}/task").iterdir():
                left.extend(map(int, (task / "children").read_text(encoding="ascii").split()))
        except OSError:
            continue
        found[process] = sum(map(int, fields[11:13])) / TICKS
    return found


def cpu_while(run: "subprocess.Popen[str]", roots: list[int], after: float) -> float:
    """Return the CPU seconds that processes and all below them take until a run has ended, and for a while after.

    Looked at five times a second, for Ray leaves its workers to the system, which keeps no sum of who has ended.
    """
    before = cpu_of_processes(roots)
    last, until = dict(before), float("inf")
    while time.monotonic() < until:
        last |= cpu_of_processes(roots)
        if run.poll() is not None:
            until = min(until, time.monotonic() + after)
        time.sleep(0.2)
    return sum(last.values()) - sum(before.values())


def peak_mb(process: int) -> float:
    """Return the most memory that a running process has held, 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM")), 0.0)


def watched_to_end(process: "subprocess.Popen[str]", seconds: float = 3600) -> float:
    """Wait for a run's end and return the most memory that its process held, in MB."""
    peak, deadline = 0.0, time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        peak = max(peak, peak_mb(process.pid))
        time.sleep(0.2)
    process.wait(timeout=60)
    return peak


def number_in(database: Database, query: str) -> int:
    """Return the one number that a query finds."""
    with database.session() as session:
        return int(session.connection().execute(text(query)).scalar_one() or 0)


def ends_of(kb: str) -> list[datetime]:
    """Return when each result was stored, in order."""
    with open_database(kb) as database, database.session() as session:
        found = session.connection().execute(text("SELECT created_at FROM enrichment ORDER BY created_at")).scalars()
        return [at if isinstance(at, datetime) else datetime.fromisoformat(str(at)) for at in found]


def steady_rate(ends: list[datetime]) -> float:
    """Return items a second between the tenth and the ninth tenth of a run: neither its beginning nor its tail."""
    first, last = len(ends) // 10, len(ends) * 9 // 10
    return (last - first) / (ends[last] - ends[first]).total_seconds()
