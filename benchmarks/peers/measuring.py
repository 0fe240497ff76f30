"""What one client of the orchestration benchmark is asked to do, and what it costs: standard library alone.

Every client runs in a process of its own: `python CLIENT.py --url URL --items N --concurrency C`. It prints its figures
as one line of JSON, the last of its output.
"""

import argparse
import json
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

STATUS = Path("/proc/self/status")
KIB = 1024
STAGES = ("category", "extraction", "critic", "summary")  # the four dependent questions


@dataclass(frozen=True)
class Task:
    """How many items to send where, and how many at once."""

    url: str
    items: int
    concurrency: int
    folder: Path  # for files of the run's own

    @property
    def product_numbers(self) -> range:
        """The numbers of the products to send; 0 is kept for warming up."""
        return range(1, self.items + 1)


class Meter:
    """Wall and CPU seconds of this process and its children between `start` and `stop`, and its memory."""

    def start(self) -> None:
        """Begin: what came before (imports, warming up) is not counted."""
        self._cpu, self._wall = cpu_seconds(), time.perf_counter()

    def stop(self) -> None:
        """End."""
        self.seconds, self.cpu = time.perf_counter() - self._wall, cpu_seconds() - self._cpu
        self.resident_mb = memory_mb("VmRSS")

    def report(self, done: int, packages: Sequence[str], remark: str = "") -> None:
        """Print the figures; `done` is the number of items whose result is really there."""
        figures = {
            "done": done,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu,
            "peak_mb": memory_mb("VmHWM"),
            "resident_mb": self.resident_mb,
            "versions": {name: version(name) for name in packages},
            "remark": remark,
        }
        print(json.dumps(figures), flush=True)


def task_of(parser: argparse.ArgumentParser) -> Task:
    """Return what the command line asks for."""
    options = parser.parse_args()
    return Task(options.url, options.items, options.concurrency, options.folder)


def task_parser(description: str) -> argparse.ArgumentParser:
    """Return the parser of the options that every client takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--url", required=True, help="base URL of the provider")
    parser.add_argument("--items", type=int, required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="an empty folder for files of the run's own")
    return parser


def offline_litellm() -> dict[str, str]:
    """Return the environment in which litellm and tiktoken use the files that litellm brings along, not the network."""
    found = find_spec("litellm")
    folder = Path(found.origin).parent if found and found.origin else Path()
    return {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "TIKTOKEN_CACHE_DIR": str(folder / "litellm_core_utils" / "tokenizers"),
    }


def cpu_seconds() -> float:
    """Return the user and system seconds of this process, its threads, and its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def memory_mb(which: str) -> float:
    """Return the memory that this process holds (`VmRSS`) or has held at most (`VmHWM`), in MB.

    `ru_maxrss`, which is the peak where there is no /proc, would on Linux begin at what the parent held.
    """
    if STATUS.exists():
        line = next(line for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith(which))
        return int(line.split()[1]) * KIB / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
