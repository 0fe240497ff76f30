"""A public shop for docs/tutorial.md: Amazon Reviews 2018, "Industrial and Scientific", as files that reaseq reads.

    python scripts/amazon_industrial.py --data FOLDER [--items 300] [--out FOLDER]

FOLDER is one of two:

- `data/Amazon` of https://github.com/AkaliKong/MiniOneRec (commit 81b4ba9811cfb152cf161f1c486fe516510d081e):
  `index/Industrial_and_Scientific*.item.json`, and `Industrial_and_Scientific*.csv` in `train/`, `valid/`, `test/`;
- the same prepared as `items.jsonl.gz` (item_id, title, brand, description) and `interactions.csv.gz` (user_id,
  item_id, pos: the order within the user).

It writes of the items that were bought most often: `catalog.csv` (id, title, description), `gold.jsonl` (the brand of
each item whose text states it; the catalog therefore lacks it), and `behaviours.csv` (user_id, item_id, position).
"""

import argparse
import ast
import csv
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

NAME = "Industrial_and_Scientific"
PARTS = ("train", "valid", "test")  # in the order of time


class Item(NamedTuple):
    """A product as the shop describes it."""

    id: str
    title: str
    brand: str
    description: str

    @property
    def states_its_brand(self) -> bool:
        """Whether a careful reader of the text could name the brand."""
        return bool(self.brand) and self.brand.casefold() in f"{self.title} {self.description}".casefold()


Behaviours = dict[str, list[str]]  # user → items, oldest first


def main() -> None:
    """Read either form, and write the three files."""
    asked = _arguments()
    if (asked.data / "items.jsonl.gz").exists():
        items, behaviours = prepared(asked.data)
    elif found := sorted((asked.data / "index").glob(f"{NAME}*.item.json")):
        items, behaviours = upstream(asked.data, found[0])
    else:
        sys.exit(f"{asked.data} has neither items.jsonl.gz nor index/{NAME}*.item.json.\n{(__doc__ or '').strip()}")
    often = Counter(item for own in behaviours.values() for item in own)
    kept = {item.id: item for item in sorted(items, key=lambda item: (-often[item.id], item.id))[: asked.items]}
    asked.out.mkdir(parents=True, exist_ok=True)
    write_table(asked.out / "catalog.csv", ("id", "title", "description"), _rows_of(kept.values()))
    write_gold(asked.out / "gold.jsonl", kept.values())
    bought = ((user, item, place) for user, own in behaviours.items() for place, item in enumerate(own) if item in kept)
    write_table(asked.out / "behaviours.csv", ("user_id", "item_id", "position"), bought)


def prepared(folder: Path) -> tuple[list[Item], Behaviours]:
    """Read the prepared form."""
    with gzip.open(folder / "items.jsonl.gz", "rt", encoding="utf-8") as file:
        items = [_item(str(row["item_id"]), row) for row in map(json.loads, file)]
    behaviours: Behaviours = {}
    with gzip.open(folder / "interactions.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in sorted(csv.DictReader(file), key=lambda row: int(row["pos"])):
            behaviours.setdefault(row["user_id"], []).append(row["item_id"])
    return items, behaviours


def upstream(folder: Path, catalog: Path) -> tuple[list[Item], Behaviours]:
    """Read the repository's form, where each row is a user's last items and the next one, in the order of time."""
    items = [_item(key, row) for key, row in json.loads(catalog.read_text(encoding="utf-8")).items()]
    behaviours: Behaviours = {}
    for path in (path for part in PARTS for path in sorted((folder / part).glob(f"{NAME}*.csv"))):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                before = (str(item) for item in ast.literal_eval(row["history_item_id"]))
                behaviours.setdefault(row["user_id"], [*before]).append(row["item_id"])
    return items, behaviours


def write_table(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    """Write a CSV file, and say so."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        written = 0
        for row in rows:
            table.writerow(row)
            written += 1
    print(f"wrote {path}: {written:,} rows")


def write_gold(path: Path, items: Iterable[Item]) -> None:
    """Write the brands that the texts state, as golden items whose texts are in the catalog."""
    stated = [item for item in items if item.states_its_brand]
    lines = (json.dumps({"id": item.id, "attributes": {"brand": item.brand}}, ensure_ascii=False) for item in stated)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(f"wrote {path}: {len(stated):,} golden items")


def _item(key: str, row: dict[str, str]) -> Item:
    return Item(key, row["title"] or "", row.get("brand") or "", " ".join(_paragraphs(row["description"] or "")))


def _paragraphs(description: str) -> Iterator[str]:
    """Yield the paragraphs of a description, which is written as a Python list of texts."""
    try:
        yield from ast.literal_eval(description)
    except (SyntaxError, ValueError):
        yield description


def _rows_of(items: Iterable[Item]) -> Iterator[tuple[str, str, str]]:
    yield from ((item.id, item.title, item.description) for item in items)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--items", type=int, default=300, help="how many, those bought most often first")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    return parser.parse_args()


if __name__ == "__main__":
    main()
