"""What training costs beside RecBole's SASRec and FuxiCTR's DIN: the same data, the same batches, one run.

    python benchmarks/ranker_peers.py --sequences FILE --venvs FOLDER [--parts NAME ...] [--rounds N] [--out FILE]

Each model trains in a process of its own, on one thread; ours and the peer's take turns, so that what else the machine
does weighs on both. CPU seconds count, not the clock. Prints a table and writes all figures as JSON.
"""

import argparse
import gzip
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.peer_environments import NoEnvironment, last_line, python_of  # noqa: E402

HERE = Path(__file__).resolve().parent
TORCH = "torch==2.13.0"
REQUIREMENTS = {"recbole": ("recbole==1.2.1", TORCH, "setuptools<81"), "fuxictr": ("fuxictr==2.3.10", TORCH)}
PARTS = ("din", "epoch", "course")
WIDTH, HISTORY, ITEMS, EXAMPLES = 64, 50, 12_101, 256  # of a step of DIN
ATTENTION, HIDDEN = (128,), (64, 64)  # units of our DIN's layers, which FuxiCTR's is given
CANDIDATES = (1, 10)  # that share a history
SKEW = 0.8  # of the synthetic items' popularity: 1 / place ** SKEW
PEER_BATCH = 2048  # examples of a step of SASRec: RecBole's own default
OUR_BATCH = 356  # sequences, with about as many behaviours to be foretold
LIKE = {"layers": 1, "heads": 1}  # our SASRec's size
OWN = {"layers": 2, "heads": 2}  # RecBole's own defaults

Said = dict[str, Any]  # what a script says in its last line


@dataclass(frozen=True)
class Figure:
    """One measured pair; `unit` says of what."""

    what: str
    unit: str
    ours: float
    peer: float
    ours_all: list[float]
    peer_all: list[float]
    remark: str
    load: float

    @property
    def times(self) -> float:
        """How much more CPU the peer takes."""
        return self.peer / self.ours


@dataclass(frozen=True)
class Missing:
    """A part without figures, and why."""

    what: str
    reason: str


class Failed(Exception):
    """A script did not come to its end; the text says why."""


def said_by(python: str, script: str, arguments: Sequence[object], seconds: float) -> Said:
    """Run a script on one thread, and return what its last line says."""
    command = [python, str(HERE / script), *map(str, arguments)]
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        ended = subprocess.run(command, env=alone, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{script}: not done after {seconds:g} s") from error
    if ended.returncode:
        raise Failed(f"{script}: {last_line(ended.stderr)}")
    said: Said = json.loads(ended.stdout.splitlines()[-1])
    print(f"{script} {' '.join(map(str, arguments))}: done", file=sys.stderr, flush=True)
    return said


def din(options: argparse.Namespace, folder: Path, told: list[Said]) -> Iterator[Figure]:
    """Yield CPU microseconds an example of a training step, for each number of candidates that share a history."""
    python = python_of("fuxictr", options.venvs, REQUIREMENTS["fuxictr"])
    for candidates in CANDIDATES:
        batches = folder / f"din-{candidates}.npz"
        _write_batches(batches, candidates, options.steps)
        sizes = ["--dim", WIDTH, "--hidden", *HIDDEN, "--attention", *ATTENTION, "--activation", "ReLU", "--softmax"]
        asked = ["--batches", batches, "--rounds", 2]
        load = os.getloadavg()[0]
        ours: list[float] = []
        peer: list[float] = []
        for _ in range(options.rounds):
            for python_, script, arguments, found in (
                (sys.executable, "ranker_training.py", ["din", *asked, "--dim", WIDTH], ours),
                (python, "peers/fuxictr_din.py", [*asked, "--folder", folder, *sizes], peer),
            ):
                said = said_by(python_, script, arguments, options.seconds)
                found += [1e6 * spent / said["examples"] for spent in said["cpu_seconds"]]
                told.append({"script": script, "candidates": candidates, **said})
        remark = "each its own history" if candidates == 1 else f"{candidates} candidates a history"
        yield _figure("DIN step: FuxiCTR", "CPU-us an example", ours, peer, remark=remark, load=load)


def epoch(options: argparse.Namespace, folder: Path, told: list[Said]) -> Iterator[Figure]:
    """Yield CPU seconds an epoch, like for like: one block, one head, width 64, a softmax over all items."""
    python = python_of("recbole", options.venvs, REQUIREMENTS["recbole"])
    load, targets = os.getloadavg()[0], _targets(options.sequences)
    ours: list[float] = []
    peer: list[float] = []
    for number in range(options.rounds):
        own = folder / f"epoch-{number}"
        own.mkdir()
        few = ["--steps", options.steps, "--epochs", 1, "--cpu-limit", 1e9]
        said = said_by(python, "peers/recbole_sasrec.py", _recbole(options, own, LIKE) + few, options.seconds)
        peer += [one["cpu_seconds"] / one["examples"] * targets for one in said["epochs"]]
        told.append({"script": "recbole", **said})
        arguments = ["sasrec", "--sequences", options.sequences, "--loss", "full", "--batch", OUR_BATCH]
        said = said_by(sys.executable, "ranker_training.py", arguments, options.seconds)
        ours += [one["cpu_seconds"] / one["examples"] * targets for one in said["epochs"]]
        told.append({"script": "ours, full softmax", **said})
    remark = f"{targets} behaviours foretold; RecBole timed over {options.steps} steps of {PEER_BATCH}"
    yield _figure("SASRec, like for like: RecBole", "CPU-s an epoch", ours, peer, remark=remark, load=load)


def course(options: argparse.Namespace, folder: Path, told: list[Said]) -> Iterator[Figure]:
    """Yield CPU seconds of training until RecBole's best NDCG@10 on validation; each model as it comes."""
    python = python_of("recbole", options.venvs, REQUIREMENTS["recbole"])
    load = os.getloadavg()[0]
    arguments = ["sasrec", "--sequences", options.sequences, "--epochs", 60]
    ours = said_by(sys.executable, "ranker_training.py", arguments, options.seconds)
    told.append({"script": "ours", **ours})
    limits = ["--epochs", 300, "--cpu-limit", options.peer_cpu]
    peer = said_by(python, "peers/recbole_sasrec.py", _recbole(options, folder, OWN) + limits, options.seconds)
    told.append({"script": "recbole", **peer})
    best = max(peer["epochs"], key=lambda one: one["ndcg"])
    reached = [one for one in ours["epochs"] if one["ndcg"] >= best["ndcg"]]
    if not reached:
        raise Failed(f"ours never came to RecBole's NDCG@10 of {best['ndcg']:.4f}")
    spent = _until(ours["epochs"], reached[0]), _until(peer["epochs"], best)
    last = "still rising" if best is peer["epochs"][-1] else "its best"
    remark = f"NDCG@10 {best['ndcg']:.4f} ({last}); ours ends at {max(one['ndcg'] for one in ours['epochs']):.4f}"
    yield _figure("SASRec to NDCG@10: RecBole", "CPU-s", [spent[0]], [spent[1]], remark=remark, load=load)


def _recbole(options: argparse.Namespace, folder: Path, size: dict[str, int]) -> list[object]:
    sizes = {**size, "dim": WIDTH, "length": HISTORY, "batch": PEER_BATCH, "seed": 1}
    named = [part for name, value in sizes.items() for part in (f"--{name}", value)]
    return ["--sequences", options.sequences, "--folder", folder, *named]


def _until(epochs: Sequence[Said], one: Said) -> float:
    return sum(float(other["cpu_seconds"]) for other in epochs[: epochs.index(one) + 1])


def _targets(sequences: Path) -> int:
    """Return how many behaviours of the training sequences have one before them: RecBole's examples."""
    with gzip.open(sequences, "rt", encoding="ascii") as lines:
        return sum(max(0, len(line.split()) - 4) for line in lines)  # the user, two held out, the first


def _write_batches(path: Path, candidates: int, steps: int) -> None:
    """Write synthetic batches of about `EXAMPLES` pairs; items are numbered from 1, the most popular first."""
    chance = np.random.default_rng(1)
    popularity = 1 / np.arange(1, ITEMS + 1) ** SKEW
    popularity /= popularity.sum()
    requests = EXAMPLES // candidates
    np.savez(
        path,
        items=ITEMS,
        target=chance.choice(ITEMS, (steps, requests, candidates), p=popularity) + 1,
        history=chance.choice(ITEMS, (steps, requests, HISTORY), p=popularity) + 1,
        label=(chance.random((steps, requests, candidates)) < 1 / 2).astype(np.float32),
    )


def _figure(what: str, unit: str, ours: list[float], peer: list[float], *, remark: str, load: float) -> Figure:
    return Figure(what, unit, statistics.median(ours), statistics.median(peer), ours, peer, remark, load)


def report(found: Sequence[Figure | Missing], console: Console) -> None:
    """Print the table."""
    table = Table(title="CPU of training; times: how much more the peer takes")
    for name in ("peer", "unit", "ours", "peer's", "times", "load", "remark"):
        table.add_column(name, justify="right" if name in ("ours", "peer's", "times", "load") else "left")
    for one in found:
        if isinstance(one, Figure):
            numbers = (f"{one.ours:.2f}", f"{one.peer:.2f}", f"{one.times:.2f}", f"{one.load:.1f}")
            table.add_row(one.what, one.unit, *numbers, one.remark)
    console.print(table)
    for one in found:
        if isinstance(one, Missing):
            console.print(f"{one.what}: NOT MEASURED: {one.reason}", markup=False)


def as_json(found: Sequence[Figure | Missing], told: Sequence[Said], command: str) -> str:
    """Return everything measured, with the machine and the command."""
    machine = {"processor": platform.machine(), "cores": os.cpu_count(), "system": platform.platform()}
    measured = [{**asdict(one), "times": one.times} for one in found if isinstance(one, Figure)]
    missing = [asdict(one) for one in found if isinstance(one, Missing)]
    figures = {"command": command, "machine": machine, "measured": measured, "missing": missing, "said": list(told)}
    return json.dumps(figures, indent=2) + "\n"


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=Path, required=True, help="a line a user: user item item ..., gzipped")
    parser.add_argument("--venvs", type=Path, help="where the peers' environments are kept or may be made")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rounds", type=int, default=3, help="how often ours and the peer's take turns")
    parser.add_argument("--steps", type=int, default=20, help="of DIN in a round, and of RecBole's epoch that is timed")
    parser.add_argument("--peer-cpu", type=float, default=600, help="CPU seconds after which RecBole's course ends")
    parser.add_argument("--seconds", type=float, default=7200, help="the longest that one process may take")
    parser.add_argument("--out", type=Path, default=Path("ranker_peers.json"))
    options = parser.parse_args(arguments)
    options.sequences = options.sequences.resolve()
    return options


def main() -> None:
    """Measure, print, write."""
    options = options_of(sys.argv[1:])
    command = " ".join(["python", "benchmarks/ranker_peers.py", *sys.argv[1:]])
    parts = {"din": din, "epoch": epoch, "course": course}
    found: list[Figure | Missing] = []
    told: list[Said] = []
    with tempfile.TemporaryDirectory(prefix="reaseq-benchmark-") as folder:
        for name in options.parts:
            try:
                found += parts[name](options, Path(folder), told)
            except (NoEnvironment, Failed) as error:
                found.append(Missing(name, str(error)))
            options.out.write_text(as_json(found, told, command), encoding="utf-8")  # what is measured is not lost
    report(found, Console(width=None if sys.stdout.isatty() else 160))


if __name__ == "__main__":
    main()
