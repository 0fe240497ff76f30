"""How soon each page of the studio shows its first content, and whether its memory stays flat: asked in a real browser.

    python benchmarks/studio_pages.py [--items 100000] [--rounds 20] [--kb FILE] [--out FILE]

Makes a knowledge base of synthetic items (`benchmarks/graph_neighbourhood.py`, no model), or takes the one at --kb,
opens `reaseq studio` on it, and visits the pages with Chromium. "opened" is a page whose address is entered, from the
navigation to the first thing of the catalog that is shown; "clicked" is the same page reached from another one. Times
are the medians of the rounds: wall milliseconds, beside the machine's load, and the CPU milliseconds that server and
browser took together until then, which is what the wall time would be at most where nothing else runs. Memory is the
server's resident set before the first and after each round. Needs playwright and a Chromium.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple, Self

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.graph_neighbourhood import filled  # noqa: E402
from memory.database import open_database  # noqa: E402

Figures = dict[str, object]


class Took(NamedTuple):
    """Milliseconds."""

    wall: float
    cpu: float


class Began(NamedTuple):
    """A moment, in seconds: on the clock, and of CPU of the server and the browser."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Self:
        """Return this moment."""
        return cls(time.perf_counter(), sum(_cpu_seconds(pid) for pid in _below(os.getpid())))

    def until_now(self) -> Took:
        """Return what has passed since."""
        now = Began.now()
        return Took(1000 * (now.wall - self.wall), 1000 * (now.cpu - self.cpu))


PATIENCE = 60_000  # milliseconds
# Each page by its address, and the first thing of the catalog or its knowledge that it shows.
PAGES = {
    "items": ("/items", ".results a"),
    "item": ("/items?item=I0000500", ".item .source mark"),
    "prompts": ("/prompts?prompt=critic", ".cm-content"),
    "runs": ("/runs", ".main .start"),
    "knowledge": ("/knowledge", ".list a"),
    "review": ("/review", ".claim-value"),
}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--kb", type=Path, help="a knowledge base that is there already")
    parser.add_argument("--out", type=Path, default=Path("studio_pages.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kb = (options.kb or _made(Path(folder), options.items)).resolve()
        with _studio(kb, Path(folder)) as (process, url), _browser() as page:
            rows = measured(page, process.pid, url, options.rounds)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    options.out.write_text(json.dumps({"machine": machine, "items": options.items, "rows": rows}, indent=2) + "\n")
    print(f"{machine}; written: {options.out}")


def measured(page: Page, pid: int, url: str, rounds: int) -> list[Figures]:
    """Return the figures of each page, and last those of the memory."""
    page.goto(url)
    page.wait_for_selector(".results a", timeout=PATIENCE)
    base = url.partition("/?")[0]
    opened: dict[str, list[Took]] = {name: [] for name in PAGES}
    clicked: dict[str, list[Took]] = {name: [] for name in PAGES}
    searched: list[Took] = []
    resident = [_resident_mb(pid)]
    for number in range(rounds):
        for name, (address, first) in PAGES.items():
            opened[name].append(_opened(page, base + address, first))
        for name, (address, first) in PAGES.items():
            clicked[name].append(_clicked(page, address, first))
        searched.append(_searched(page, base, f"color{number % 10} brand{number % 211}"))
        resident.append(_resident_mb(pid))
    visits = rounds * (2 * len(PAGES) + 1)
    rows = [{"page": name} | _medians("opened", opened[name]) | _medians("clicked", clicked[name]) for name in PAGES]
    searching: Figures = {"page": "search"} | _medians("typed", searched)
    return [*rows, searching, {"resident_mb": [round(mb) for mb in resident], "visits": visits}]


def _medians(name: str, took: list[Took]) -> Figures:
    return {
        f"{name}_ms": round(median(one.wall for one in took)),
        f"{name}_cpu_ms": round(median(one.cpu for one in took)),
    }


def _opened(page: Page, address: str, first: str) -> Took:
    began = Began.now()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(first, timeout=PATIENCE)
    return began.until_now()


def _clicked(page: Page, address: str, first: str) -> Took:
    """Go somewhere within the open document, as a click on a link does."""
    began = Began.now()
    page.evaluate("address => emitEvent('sub_pages_navigate', address)", address)
    page.wait_for_function(
        "([path, first]) => location.pathname + location.search === path && document.querySelector(first)",
        arg=[address, first],
        timeout=PATIENCE,
    )
    return began.until_now()


def _searched(page: Page, base: str, words: str) -> Took:
    page.goto(f"{base}/items")
    page.wait_for_selector(".results a", timeout=PATIENCE)
    page.fill(".search input", "")
    page.wait_for_timeout(300)  # for the search of the empty field
    began = Began.now()
    page.fill(".search input", words)
    page.wait_for_function(
        "words => [...document.querySelectorAll('.results a')].every(one => words.split(' ').every(word =>"
        " one.textContent.includes(word))) && document.querySelector('.results a')",
        arg=words,
        timeout=PATIENCE,
    )
    return began.until_now()


def _made(folder: Path, items: int) -> Path:
    path = folder / "studio.db"
    with open_database(f"sqlite:///{path}") as database:
        filled(database, items)
    return path


@contextmanager
def _studio(kb: Path, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, str(ROOT / "app.py"), "studio", "--port", "0", "--kb", f"sqlite:///{kb}"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "http://" in line)
        try:
            yield process, line.split()[-1]
        finally:
            process.terminate()
            process.communicate()


@contextmanager
def _browser() -> Iterator[Page]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        try:
            yield chromium.new_page(viewport={"width": 1440, "height": 900})
        finally:
            chromium.close()


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


def _below(pid: int) -> list[int]:
    """Return the processes that a process has started, and theirs."""
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, children.read_text().split()):
                found += [child, *_below(child)]
    return found


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:  # it has ended
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
