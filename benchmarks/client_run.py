"""One run of one client of the orchestration benchmark: started, timed by itself, seen by the provider."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.loopback import Counts, Loopback
from benchmarks.peer_environments import NoEnvironment, last_line, python_of

HERE = Path(__file__).resolve().parent
CALLS_AN_ITEM = 4


@dataclass(frozen=True)
class Client:
    """How a client is started: its script, and the package that an environment of its own needs."""

    script: str
    package: str | None = None  # None: it runs in reaseq's own environment
    arguments: tuple[str, ...] = ()


CLIENTS = {
    "reaseq": Client("reaseq_client.py"),
    "reaseq_langchain": Client("reaseq_client.py", arguments=("--client", "langchain")),
    "reaseq_minilm": Client("reaseq_client.py", arguments=("--search", "minilm")),
    "langgraph": Client("peers/langgraph_stock.py"),
    "asyncio": Client("peers/plain_asyncio.py"),
    "curator": Client("peers/curator_maps.py", "bespokelabs-curator"),
    "docetl": Client("peers/docetl_maps.py", "docetl"),
    "lotus": Client("peers/lotus_maps.py", "lotus-ai"),
}


@dataclass(frozen=True)
class Cell:
    """What is to be measured."""

    client: str
    latency: float  # seconds of one answer
    concurrency: int
    items: int
    memory: bool = False  # a run that is there for its memory

    @property
    def ideal(self) -> float:
        """Items a second of a client that costs nothing."""
        return self.concurrency / (CALLS_AN_ITEM * self.latency)


@dataclass(frozen=True)
class Figures:
    """What one run showed; start-up and a first item, which warms up, are left out of seconds and CPU."""

    cell: Cell
    items_a_second: float
    share_of_ideal: float
    cpu_ms_an_item: float
    peak_mb: float  # the most that the client's process held, start-up included
    resident_mb: float  # what it held when the last item was done
    seconds: float
    calls: int  # that the provider answered, those of the warming up included
    most_at_once: int  # that the provider saw
    provider_cpu_share: float  # of one core: near 1 the provider, not the client, is the limit
    whole_cpu_seconds: float  # of the client, start-up included
    load: float  # of the machine, before
    versions: dict[str, str]
    remark: str
    command: str


@dataclass(frozen=True)
class Said:
    """What a client says of itself."""

    done: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    resident_mb: float
    versions: dict[str, str]
    remark: str


@dataclass(frozen=True)
class Served:
    """What was seen from outside."""

    before: Counts
    after: Counts
    load: float
    whole_cpu_seconds: float

    @property
    def calls(self) -> int:
        """The calls that the provider took."""
        return self.after.calls - self.before.calls


@dataclass(frozen=True)
class Missing:
    """A run without figures, and why."""

    cell: Cell
    reason: str


def measured(cell: Cell, provider: Loopback, venvs: Path | None, folder: Path, seconds: float) -> Figures | Missing:
    """Run a cell's client once; `folder` is empty, and for files of the run's own."""
    client = CLIENTS[cell.client]
    try:
        python = python_of(client.package, venvs) if client.package else sys.executable
    except NoEnvironment as error:
        return Missing(cell, str(error))
    asked = {"--url": provider.base_url(cell.latency), "--items": cell.items, "--concurrency": cell.concurrency}
    options = [*(str(part) for pair in asked.items() for part in pair), *client.arguments]
    command = [python, str(HERE / client.script), *options, "--folder", str(folder)]
    load, before, used = os.getloadavg()[0], provider.counts(), _children_cpu()
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return Missing(cell, f"not done after {seconds:g} s")
    if ended.returncode:
        return Missing(cell, last_line(ended.stderr))
    said = Said(**json.loads(ended.stdout.splitlines()[-1]))
    if said.done != cell.items:
        return Missing(cell, f"only {said.done} of {cell.items} items were done")
    served = Served(before, provider.counts(), load, _children_cpu() - used)
    if served.calls < CALLS_AN_ITEM * cell.items:
        return Missing(cell, f"only {served.calls} calls were made, for {cell.items} items of {CALLS_AN_ITEM}")
    return _figures(cell, said, served, " ".join(["python", client.script, *options]))


def _figures(cell: Cell, said: Said, served: Served, command: str) -> Figures:
    rate = cell.items / said.seconds
    return Figures(
        cell=cell,
        items_a_second=rate,
        share_of_ideal=rate / cell.ideal,
        cpu_ms_an_item=1000 * said.cpu_seconds / cell.items,
        peak_mb=said.peak_mb,
        resident_mb=said.resident_mb,
        seconds=said.seconds,
        calls=served.calls,
        most_at_once=served.after.most_at_once,
        provider_cpu_share=(served.after.cpu_seconds - served.before.cpu_seconds) / said.seconds,
        whole_cpu_seconds=served.whole_cpu_seconds,
        load=served.load,
        versions=said.versions,
        remark=said.remark,
        command=command,
    )


def _children_cpu() -> float:
    times = os.times()
    return times.children_user + times.children_system
