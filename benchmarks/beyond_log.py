"""Beyond the log on public data: who finds the leaf categories that were hidden of each user.

    python benchmarks/beyond_log.py --data FOLDER [--sets bundlerec industrial simulator] [--seeds 3] [--scratch FOLDER]
        [--config FILE] [--out FILE] [--controls-only] [--ranker]

The protocol is `reaseq benchmark beyond-log`, and its own functions run it (docs/beyond-log.md).

**bundlerec**: electronics of BundleRec (SIGIR 2022): `electronic_items.jsonl.gz` (titles, the shop's category path as
the leaf), `electronic_user_item.csv.gz`, and `electronic_bundles.jsonl.gz`, whose intents, written by people, are what
was wanted: an intent counts for a user where the bundle holds an item that is hidden of him. Such a bundle mostly holds
visible items too, so that an intent is in part about these; that every list is compared with other users' intents as
well takes out what is common to all, not that. **industrial**: the Amazon reviews of MiniOneRec (`items.jsonl.gz`,
`interactions.csv.gz`); leaf categories and knowledge are what the fast path makes of the catalog, into --scratch.
**simulator**: shoppers over that knowledge base, judged by their truth; they act by the knowledge in part, so that a
gain says that it is used and not what it is worth. FOLDER holds `bundlerec/` and `amazon_industrial/`, from
https://github.com/BundleRec/bundle_recommendation and https://github.com/AkaliKong/MiniOneRec (data/Amazon).
"""

import argparse
import csv
import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.next_item_data import industrial_rows, knowledge_of  # noqa: E402
from commands.beyond_log import write_page  # noqa: E402
from commands.beyond_log_run import Plan, benchmarked  # noqa: E402
from commands.beyond_log_scene import Scene, Sources, read_scene  # noqa: E402
from commands.beyond_log_tables import print_beyond_log  # noqa: E402
from commands.model_options import settings_in  # noqa: E402
from commands.settings import Settings  # noqa: E402
from diffusion.config import DiffusionConfig  # noqa: E402
from evaluators.beyond_log.report import BeyondLogReport  # noqa: E402
from learning.devices import use_threads  # noqa: E402

SHOPPERS, EVENTS = 2000, 30


def main() -> None:
    """Run the sets, print each report, and write all of them."""
    asked = _arguments()
    use_threads(1)
    config = settings_in(asked.config, DiffusionConfig, "a diffusion model")
    asked.scratch.mkdir(parents=True, exist_ok=True)
    found: dict[str, BeyondLogReport] = {}
    for name in asked.sets:
        scene = SETS[name](asked.data, asked.scratch)
        plan = Plan(seeds=tuple(range(asked.seeds)), models=not asked.controls_only, ranker=asked.ranker, config=config)
        found[name] = benchmarked(scene, plan)
        print_beyond_log(found[name])
        write_page(found[name], asked.out.with_name(f"{asked.out.stem}_{name}.html"))
        document = {"command": sys.argv, "sets": {name: own.model_dump(mode="json") for name, own in found.items()}}
        asked.out.write_text(json.dumps(document, indent=1), encoding="utf-8")


def bundlerec(data: Path, scratch: Path) -> Scene:
    """Return BundleRec's electronics with the shop's own leaf categories and the intents of the bundles."""
    folder = data / "bundlerec"
    items = ((row["item_id"], _path(row["categories_raw"]), row["title"] or "") for row in _lines(folder, "items"))
    with gzip.open(folder / "electronic_user_item.csv.gz", "rt", encoding="utf-8") as file:
        log = [(row["user ID"], row["item ID"], int(row["timestamp"]) * 1000) for row in csv.DictReader(file)]
    bundles = _lines(folder, "bundles")
    wanted = ((own["user_id"], item, " ".join(own["intent"].split())) for own in bundles for item in own["items"])
    sources = Sources(
        log=_written(scratch / "bundlerec_log.csv", ("user", "item", "time"), log),
        categories=_written(scratch / "bundlerec_items.csv", ("item", "category", "title"), items),
        demands=_written(scratch / "bundlerec_demands.csv", ("user", "item", "demand"), wanted),
        knowledge=False,
    )
    return read_scene(Settings(), sources)


def industrial(data: Path, scratch: Path) -> Scene:
    """Return the industrial log with categories and knowledge of the fast path."""
    with gzip.open(data / "amazon_industrial" / "interactions.csv.gz", "rt", encoding="utf-8") as file:
        log = [(row["user_id"], row["item_id"], int(row["pos"])) for row in csv.DictReader(file)]
    path = _written(scratch / "industrial_log.csv", ("user", "item", "order"), log)
    return read_scene(_known(data, scratch), Sources(log=path, columns={"order": "order"}))


def simulator(data: Path, scratch: Path) -> Scene:
    """Return simulated shoppers over the knowledge of the industrial catalog, with their truth."""
    settings = _known(data, scratch)
    log, truth = scratch / "simulated.csv", scratch / "simulated.jsonl"
    made = ["simulate", "--kb", settings.kb, "--shoppers", str(SHOPPERS), "--events", str(EVENTS)]
    command = [sys.executable, str(ROOT / "app.py"), *made, "--out", str(log), "--truth", str(truth)]
    subprocess.run(command, check=True)
    return read_scene(settings, Sources(log=log, truth=truth))


SETS: dict[str, Callable[[Path, Path], Scene]] = {
    "bundlerec": bundlerec,
    "industrial": industrial,
    "simulator": simulator,
}


def _known(data: Path, scratch: Path) -> Settings:
    knowledge_of(industrial_rows(data), "industrial", scratch)
    return Settings(kb=f"sqlite:///{scratch / 'industrial.db'}")


def _path(raw: str) -> str:
    """Return the first of an item's category paths, which are written as brackets without quotes."""
    first = raw.strip("[]").split("],[")[0]
    return " > ".join(step.strip() for step in first.split(","))


def _written(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def _lines(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(folder / f"electronic_{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--scratch", type=Path, default=Path("beyond-log"))
    parser.add_argument("--out", type=Path, default=Path("beyond_log.json"))
    parser.add_argument("--config", type=Path, help="settings of the models; their defaults where not given")
    parser.add_argument("--controls-only", action="store_true")
    parser.add_argument("--ranker", action="store_true")
    asked = parser.parse_args()
    if not asked.data.is_dir():
        parser.error(f"{asked.data} is no folder; the data are public, see above")
    return asked


if __name__ == "__main__":
    main()
