"""What importing a log of behaviours costs, beside a plain polars scan of the same file in the same run.

    python benchmarks/behaviors_import.py [--rows N] [--items N] [--users N] [--seed N] [--runs N] [--out FILE]

A CSV of made-up clicks (user, item, epoch seconds, kind, session) is written to a temporary folder. Each row of the
table is a process of its own: CPU seconds are those of all its threads, `peak MB` is its `VmHWM`; both include Python's
start and imports. `polars scan` collects the five columns with polars' own types and keeps nothing. `one bad row in a
million` is the same file with broken lines in it, `read back` loads all that was stored as a frame.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

_MEASURED = """
import json, resource, sys
sys.path.insert(0, {root!r})
{code}
usage = resource.getrusage(resource.RUSAGE_SELF)
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({{"cpu": usage.ru_utime + usage.ru_stime, "peak_mb": peak / 1024, "rows": rows}}))
"""

_SCAN = """
import polars as pl
rows = len(pl.scan_csv({log!r}).collect())
"""

_IMPORT = """
from pathlib import Path
from memory.behaviors.files import open_log
from memory.behaviors.imports import packed_log, store_log
from memory.database import open_database
log = open_log(Path({log!r}))
digest = log.content_hash
found = packed_log(log)
with open_database({url!r}) as database, database.writing() as session:
    rows = store_log(session, log, found, digest).rows
"""

_READ = """
from memory.database import open_database
from memory.behaviors.store import behaviors_of
with open_database({url!r}) as database, database.session() as session:
    rows = len(behaviors_of(session))
"""

_SEQUENCES = (
    _READ.replace("rows = len(behaviors_of(session))", "frame = behaviors_of(session)")
    + """
from memory.behaviors.sequences import Sequences
rows = len(Sequences.of(frame).item)
"""
)


def write_log(path: Path, rows: int, users: int, items: int, seed: int) -> None:
    """Write a log whose items are as popular as shops' are: few have most of the clicks."""
    pl.set_random_seed(seed)
    number = pl.int_range(rows, eager=True)
    chance = [number.shuffle(seed + offset) / rows for offset in range(4)]
    pl.DataFrame(
        {
            "user_id": pl.select("u" + (chance[0] * users).cast(pl.Int64).cast(pl.String)).to_series(),
            "item_id": pl.select("B" + ((chance[1] ** 3) * items).cast(pl.Int64).cast(pl.String)).to_series(),
            "timestamp": 1_700_000_000 + number // 20,
            "event": pl.select(
                pl.when(chance[2] < 0.8)
                .then(pl.lit("view"))
                .when(chance[2] < 0.95)
                .then(pl.lit("cart"))
                .otherwise(pl.lit("purchase"))
            ).to_series(),
            "session": pl.select("s" + (chance[3] * rows / 8).cast(pl.Int64).cast(pl.String)).to_series(),
        }
    ).write_csv(path)


def break_lines(log: Path, broken: Path) -> None:
    """Copy a log with one line in each million broken."""
    with log.open("rb") as lines, broken.open("wb") as copy:
        for number, line in enumerate(lines):
            copy.write(b'u1,"B1,1\n' if number % 1_000_000 == 500_000 else line)


def measured(code: str, **names: str) -> dict[str, float]:
    """Run a program in a process of its own; return its CPU seconds, peak memory and rows."""
    script = _MEASURED.format(root=str(ROOT), code=code.format(**names))
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return figures


def one_run(log: Path, broken: Path, folder: Path) -> dict[str, dict[str, float]]:
    """Measure everything once; the knowledge base of the clean log is read back."""
    names = {"log": str(log), "url": f"sqlite:///{folder}/clean.db"}
    bad = {"log": str(broken), "url": f"sqlite:///{folder}/broken.db"}
    found = {
        "polars scan": measured(_SCAN, **names),
        "import": measured(_IMPORT, **names),
        "import, one bad row in a million": measured(_IMPORT, **bad),
        "read back": measured(_READ, **names),
        "read back as sequences": measured(_SEQUENCES, **names),
    }
    found["import"]["stored_mb"] = (folder / "clean.db").stat().st_size / 2**20
    return found


def main() -> None:
    """Measure, print a table, write JSON."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=5_000_000)
    options.add_argument("--users", type=int, default=200_000)
    options.add_argument("--items", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--runs", type=int, default=1)
    options.add_argument("--out", type=Path, default=Path("behaviors_import.json"))
    given = options.parse_args()
    runs = []
    with tempfile.TemporaryDirectory() as made:
        log, broken = Path(made) / "log.csv", Path(made) / "broken.csv"
        write_log(log, given.rows, given.users, given.items, given.seed)
        break_lines(log, broken)
        size = log.stat().st_size / 2**20
        for number in range(given.runs):
            folder = Path(made) / str(number)
            folder.mkdir()
            runs.append(one_run(log, broken, folder))
            _print(runs[-1], size)
    figures = {"rows": given.rows, "csv_mb": size, "runs": runs, "command": " ".join(sys.argv)}
    given.out.write_text(json.dumps(figures, indent=2), encoding="utf-8")


def _print(run: dict[str, dict[str, float]], size: float) -> None:
    print(f"\n{'':36} {'rows':>10} {'CPU s':>7} {'of scan':>8} {'peak MB':>8}")
    for name, row in run.items():
        ratio = row["cpu"] / run["polars scan"]["cpu"]
        print(f"{name:36} {row['rows']:>10,} {row['cpu']:>7.2f} {ratio:>8.2f} {row['peak_mb']:>8.0f}")
    print(f"CSV {size:.0f} MB, stored {run['import']['stored_mb']:.0f} MB")


if __name__ == "__main__":
    main()
