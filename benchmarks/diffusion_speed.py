"""What training and imagining cost: examples a second, users a minute, cost against steps, peak memory.

    python benchmarks/diffusion_speed.py [--users 4000] [--items 12000] [--processes 2] [--asked 512] [--out FILE]

Made-up shoppers over a made-up catalog of the size of Amazon Beauty (histories of 5 to 50 behaviours, 128-dimensional
vectors): the cost does not depend on what they mean. Width 64, two layers, one thread a process. Training counts user
histories and behaviours of one epoch. Imagining fills 8 slots (4 of the future, 4 in gaps) in 4 chains with 1, 2,
4 and 8 steps and gives each behaviour its reasons; `--processes` imagine at once, each for its own users, and their
users a minute add up. The goal is 1,000 users a minute on two cores with 4 steps. Seconds of CPU and of the clock are
told: on a machine that others use, CPU seconds are what counts.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.peers.measuring import cpu_seconds, memory_mb  # noqa: E402
from benchmarks.sequence_sets import known_table  # noqa: E402
from diffusion.config import DiffusionConfig  # noqa: E402
from diffusion.fitted import fit_diffusion  # noqa: E402
from diffusion.imagination import Imagination  # noqa: E402
from diffusion.imagining import ImaginingConfig, imagine  # noqa: E402
from diffusion.sampler import SamplerConfig  # noqa: E402
from learning.material import TITLE, Material  # noqa: E402
from memory.behaviors.sequences import Sequences  # noqa: E402

STEPS = (1, 2, 4, 8)
SLOTS, CHAINS = 8, 4
CATEGORIES, DEMANDS = 300, 2000
DAY = 86_400_000  # milliseconds


def made_up(users: int, items: int) -> Material:
    """Return behaviours of made-up shoppers: items at random, days apart, each with a category and three demands."""
    chance = np.random.default_rng(0)
    lengths = chance.integers(5, 51, size=users)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    count = int(offsets[-1])
    names = tuple(f"i{row:06}" for row in range(items))
    behaviors = Sequences(
        users=tuple(f"u{row:06}" for row in range(users)),
        items=names,
        offsets=offsets,
        item=(items * chance.random(count) ** 2).astype(np.int32),
        time=np.concatenate([np.cumsum(chance.integers(1, 20 * DAY, size=own)) for own in lengths]),
        kind=np.zeros(count, dtype=np.int8),
        source=np.zeros(count, dtype=np.int8),
    )
    facts = [
        [("category", f"c{row % CATEGORIES}"), *(("demand", f"d{own}") for own in chance.integers(DEMANDS, size=3))]
        for row in range(items)
    ]
    vectors = chance.normal(size=(items, 128)).astype(np.float32)
    return Material(behaviors, known_table(names, names, facts), {TITLE: vectors})


def trained(material: Material) -> tuple[Imagination, dict[str, float]]:
    """Train two epochs, and return the model and what the second one cost; choosing the epoch is in it."""
    ends: list[tuple[float, float]] = []
    config = DiffusionConfig(epochs=2, patience=2)
    model = fit_diffusion(material, config, told=lambda epoch: ends.append((cpu_seconds(), time.perf_counter())))
    cpu, clock = (after - before for before, after in zip(*ends, strict=True))
    users = len(material.behaviors.users)
    behaviours = int(np.minimum(material.behaviors.lengths, config.longest).sum())
    return model, {
        "histories a CPU-second": users / cpu,
        "behaviours a CPU-second": behaviours / cpu,
        "CPU-s an epoch": cpu,
        "clock s an epoch": clock,
    }


def imagined(model: Imagination, behaviors: Sequences, steps: int, asked: int) -> dict[str, float]:
    """Imagine for some users, and return what it cost."""
    config = ImaginingConfig(count=SLOTS, chains=CHAINS, sampler=SamplerConfig(steps=steps))
    users = np.arange(min(asked, len(behaviors.users)))
    imagine(model, behaviors, users[:64], config)  # what is made once is not counted
    cpu, clock = cpu_seconds(), time.perf_counter()
    made = imagine(model, behaviors, users, config)
    cpu, clock = cpu_seconds() - cpu, time.perf_counter() - clock
    return {
        "steps": steps,
        "users": len(users),
        "CPU-ms a user": 1000 * cpu / len(users),
        "users a CPU-minute": 60 * len(users) / cpu,
        "users a minute of the clock": 60 * len(users) / clock,
        "behaviours a user": len(made.user) / len(users),
    }


def one_process(options: argparse.Namespace) -> dict[str, object]:
    """Train, imagine with each number of steps, and return the figures."""
    material = made_up(options.users, options.items)
    before = memory_mb("VmHWM")
    model, training = trained(material)
    after = memory_mb("VmHWM")
    print(f"trained: {training['CPU-s an epoch']:.0f} CPU-s an epoch", file=sys.stderr, flush=True)
    rows = []
    for steps in STEPS:
        rows.append(imagined(model, material.behaviors, steps, options.asked))
        print(f"{steps} steps: {rows[-1]['CPU-ms a user']:.0f} CPU-ms a user", file=sys.stderr, flush=True)
    parameters = sum(own.numel() for own in model.model.parameters())
    memory = {"before training": before, "after training": after, "after imagining": memory_mb("VmHWM")}
    return {"training": training, "imagining": rows, "peak MB": memory, "parameters": parameters}


def main() -> None:
    """Measure in as many processes as asked, print a table, write what was measured."""
    options = _arguments()
    torch.set_num_threads(1)
    if options.child:
        print(json.dumps(one_process(options)), flush=True)
        return
    command = [sys.executable, __file__, "--child", "--users", str(options.users), "--items", str(options.items)]
    command += ["--asked", str(options.asked)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) for _ in range(options.processes)
    ]
    outputs = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise SystemExit("a process failed")
    runs = [json.loads(output.splitlines()[-1]) for output in outputs]
    _print_all(runs)
    versions = {name: version(name) for name in ("torch", "numpy")}
    report = {"machine": platform.platform(), "command": sys.argv, "versions": versions, "processes": runs}
    options.out.write_text(json.dumps(report, indent=2), encoding="utf-8")


def _print_all(runs: list[dict[str, object]]) -> None:
    for name in runs[0]["training"]:  # type: ignore[attr-defined]
        print(f"training, {name}: {np.mean([run['training'][name] for run in runs]):.1f}")  # type: ignore[index]
    print(f"{'steps':>5} {'CPU-ms a user':>14} {'users a CPU-min':>16} {'users a minute, all processes':>30}")
    for place, steps in enumerate(STEPS):
        rows = [run["imagining"][place] for run in runs]  # type: ignore[index]
        cost, speed = (np.mean([row[name] for row in rows]) for name in ("CPU-ms a user", "users a CPU-minute"))
        together = sum(row["users a minute of the clock"] for row in rows)
        print(f"{steps:>5} {cost:>14.1f} {speed:>16.0f} {together:>30.0f}")
    print(f"peak MB of a process: {runs[0]['peak MB']}; {runs[0]['parameters']} parameters")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=4000)
    parser.add_argument("--items", type=int, default=12_000)
    parser.add_argument("--asked", type=int, default=512, help="users of a process for whom behaviours are imagined")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("diffusion_speed.json"))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
