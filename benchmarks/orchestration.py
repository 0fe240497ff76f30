"""What orchestration costs: four dependent model calls an item, reaseq beside other clients.

    python benchmarks/orchestration.py [--quick] [--rows NAME ...] [--items N] [--venvs FOLDER] [--out FILE]

A provider on this machine answers after a fixed time, so that only the client differs. Each cell of the table is one
run of one client in a process of its own; its CPU seconds and its memory are the client's alone. Prints tables and
writes all figures as JSON.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.client_run import CLIENTS, Cell, Figures, Missing, measured  # noqa: E402
from benchmarks.loopback import Loopback, loopback  # noqa: E402

LATENCIES = (0.05, 2.0)  # seconds
CONCURRENCIES = (64, 256)
WAVES = {0.05: 16, 2.0: 8}  # items of a run, in multiples of the concurrency
QUICK_WAVES = {0.05: 2, 2.0: 1}
MEMORY_LATENCY, MEMORY_CONCURRENCY = 0.005, 64
MEMORY_ITEMS, QUICK_MEMORY_ITEMS = (1_000, 20_000), (200, 1_000)
FRAMEWORKS = ("langgraph", "curator", "docetl", "lotus")

COLUMNS = ("client", "latency s", "at once", "items", "items/s", "of ideal", "CPU-ms/item", "peak MB", "at end")
SIGNS = ("seen at once", "provider CPU", "load", "remark")  # of what else may have shaped a figure

Result = Figures | Missing


@dataclass(frozen=True)
class Ratio:
    """CPU an item of the cheapest framework, in multiples of reaseq's."""

    latency: float
    concurrency: int
    framework: str
    times: float


def cells(options: argparse.Namespace) -> Iterator[Cell]:
    """Yield the runs: each client at each latency and concurrency, then reaseq over more and more items."""
    waves = QUICK_WAVES if options.quick else WAVES
    for latency in options.latencies:
        for concurrency in options.concurrencies:
            items = options.items or waves.get(latency, 4) * concurrency
            yield from (Cell(name, latency, concurrency, items) for name in options.rows)
    if "reaseq" in options.rows and not options.no_memory:
        for items in options.memory_items or (QUICK_MEMORY_ITEMS if options.quick else MEMORY_ITEMS):
            yield Cell("reaseq", MEMORY_LATENCY, MEMORY_CONCURRENCY, items, memory=True)


def run_all(options: argparse.Namespace, provider: Loopback) -> Iterator[Result]:
    """Run every cell, one after the other, and yield each result as it comes."""
    with tempfile.TemporaryDirectory(prefix="reaseq-benchmark-") as folder:
        for number, cell in enumerate(cells(options)):
            own = Path(folder) / str(number)
            own.mkdir()
            result = measured(cell, provider, options.venvs, own, options.seconds)
            print(_said(result), file=sys.stderr, flush=True)
            yield result


def ratios(results: Sequence[Result]) -> list[Ratio]:
    """Return, for each latency and concurrency with both, how much more CPU the cheapest framework takes."""
    found = [r for r in results if isinstance(r, Figures) and not r.cell.memory]
    compared = []
    for ours in (r for r in found if r.cell.client == "reaseq"):
        place = (ours.cell.latency, ours.cell.concurrency)
        peers = [r for r in found if r.cell.client in FRAMEWORKS and (r.cell.latency, r.cell.concurrency) == place]
        if peers:
            best = min(peers, key=lambda r: r.cpu_ms_an_item)
            compared.append(Ratio(*place, best.cell.client, round(best.cpu_ms_an_item / ours.cpu_ms_an_item, 2)))
    return compared


def report(results: Sequence[Result], console: Console) -> None:
    """Print the tables."""
    done = [r for r in results if isinstance(r, Figures)]
    _print(console, "Four dependent calls an item", [r for r in done if not r.cell.memory])
    _print(console, "reaseq over more items", [r for r in done if r.cell.memory])
    grown = [r for r in done if r.cell.memory]
    if len(grown) > 1:
        peak, resident = (grown[-1].peak_mb / grown[0].peak_mb, grown[-1].resident_mb / grown[0].resident_mb)
        console.print(f"memory, most items / fewest: peak {peak:.3f}, at the end {resident:.3f}")
    for ratio in ratios(results):
        where = f"at {ratio.latency:g} s and {ratio.concurrency} at once"
        console.print(f"CPU an item {where}: {ratio.framework}, the cheapest framework, takes {ratio.times} x reaseq's")
    for missing in (r for r in results if isinstance(r, Missing)):
        console.print(_said(missing), markup=False)


def _print(console: Console, title: str, results: Sequence[Figures]) -> None:
    if not results:
        return
    table = Table(title=title)
    for column in (*COLUMNS, *SIGNS):
        table.add_column(column, justify="left" if column in ("client", "remark") else "right")
    for r in results:
        table.add_row(
            r.cell.client,
            f"{r.cell.latency:g}",
            str(r.cell.concurrency),
            str(r.cell.items),
            f"{r.items_a_second:.1f}",
            f"{r.share_of_ideal:.3f}",
            f"{r.cpu_ms_an_item:.2f}",
            f"{r.peak_mb:.0f}",
            f"{r.resident_mb:.0f}",
            str(r.most_at_once),
            f"{r.provider_cpu_share:.2f}",
            f"{r.load:.1f}",
            r.remark,
        )
    console.print(table)


def _said(result: Result) -> str:
    cell = result.cell
    where = f"{cell.client}: {cell.items} items, {cell.concurrency} at once, {cell.latency:g} s:"
    if isinstance(result, Missing):
        return f"{where} NOT MEASURED: {result.reason}"
    return f"{where} {result.items_a_second:.1f} items/s, {result.cpu_ms_an_item:.2f} CPU-ms an item"


def as_json(results: Sequence[Result], command: str, load: float) -> str:
    """Return everything measured, with the machine and the commands."""
    machine = {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": load,
        "load_after": os.getloadavg()[0],
    }
    figures = {
        "command": command,
        "machine": machine,
        "columns": [field.name for field in fields(Figures)],
        "measured": [asdict(r) for r in results if isinstance(r, Figures)],
        "missing": [asdict(r) for r in results if isinstance(r, Missing)],
        "cheapest_framework": [asdict(ratio) for ratio in ratios(results)],
    }
    return json.dumps(figures, indent=2) + "\n"


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few items: to see that everything runs")
    parser.add_argument("--rows", nargs="+", choices=list(CLIENTS), default=list(CLIENTS), help="only these clients")
    parser.add_argument("--items", type=int, help="items of each run, instead of several times the concurrency")
    parser.add_argument("--latencies", type=float, nargs="+", default=LATENCIES, help="seconds")
    parser.add_argument("--concurrencies", type=int, nargs="+", default=CONCURRENCIES)
    parser.add_argument("--memory-items", type=int, nargs="+", help="items of the runs that show memory, fewest first")
    parser.add_argument("--no-memory", action="store_true", help="leave out the runs over more and more items")
    parser.add_argument("--venvs", type=Path, help="where the peers' environments are kept or may be made")
    parser.add_argument("--seconds", type=float, default=900, help="the longest that one run may take")
    parser.add_argument("--out", type=Path, default=Path("orchestration.json"))
    return parser.parse_args(arguments)


def main() -> None:
    """Measure, print, write."""
    options, load = options_of(sys.argv[1:]), os.getloadavg()[0]
    command = " ".join(["python", "benchmarks/orchestration.py", *sys.argv[1:]])
    results: list[Result] = []
    with loopback() as provider:
        for result in run_all(options, provider):
            results.append(result)
            options.out.write_text(as_json(results, command, load), encoding="utf-8")  # an hour's work is not lost
    report(results, Console(width=None if sys.stdout.isatty() else 160))


if __name__ == "__main__":
    main()
