"""The two public logs of benchmarks/next_item.py: their splits, their catalogs, and the knowledge made of them."""

import ast
import csv
import gzip
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from memory.encoder import MiniLmEncoder  # noqa: E402

WORD = re.compile(r"[^\W_]+(?:\.\d+)?")
Feature = tuple[str, str]
Ints = NDArray[np.int64]
SHOP = "shop "  # before the names of the catalog's own columns
READ = 10  # behaviours before an event of the industrial log, as the published systems read


@dataclass(frozen=True)
class Sequences:
    """What a ranker is fitted on."""

    offsets: Ints
    item: NDArray[np.int32]

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]]) -> "Sequences":
        """Join lists of item rows."""
        offsets = np.cumsum([0, *map(len, sequences)], dtype=np.int64)
        return cls(offsets, np.array([item for own in sequences for item in own], dtype=np.int32))


@dataclass(frozen=True)
class Events:
    """What is to be found: one true item after each history, and whose event it is."""

    histories: list[NDArray[np.int32]]
    true: Ints
    user: Ints


@dataclass(frozen=True)
class Split:
    """A log in two: what is fitted on, and the events that nothing fitted has seen."""

    train: Sequences
    events: Events


@dataclass(frozen=True)
class Facts:
    """A table of knowledge as the ranker reads it."""

    titles: tuple[str, ...]
    features: tuple[Feature, ...]
    offsets: Ints
    feature: NDArray[np.int32]


@dataclass(frozen=True)
class Knowledge:
    """What the fast path made of a catalog: its accepted features by item, how many items have some, what it cost."""

    facts: list[list[Feature]]
    covered: float
    seconds: float | None  # of CPU an item; None where the export was there before


def beauty_rows(data: Path) -> list[dict[str, str]]:
    """Return the catalog of Beauty; the first of "brand_and_categories" is a brand where few items have it second."""
    raw = _lines(data / "amazon_beauty")
    later = [name for row in raw for name in row["brand_and_categories"][1:]]
    often = {name for name, count in Counter(later).items() if count >= 5}
    rows = []
    for row in raw:
        path = row["brand_and_categories"]
        branded = bool(path) and path[0] not in often
        brand = path[0] if branded and path[0] != "Unknown" else ""
        category = " > ".join(path[1:] if branded else path)
        rows.append({"id": str(row["item_id"]), "title": row["title"] or "", "brand": brand, "shop_category": category})
    return rows


def industrial_rows(data: Path) -> list[dict[str, str]]:
    """Return the catalog of Industrial."""
    raw = _lines(data / "amazon_industrial")
    return [
        {"id": str(row["item_id"]), "title": row["title"], "brand": row["brand"] or "", "description": _joined(row)}
        for row in raw
    ]


def beauty_splits(data: Path, last: int) -> Split:
    """Return leave-one-out on the `last` behaviour from the end (1 the test, 2 validation), fitted on two less.

    `Split.train` ends two before the end for both: the strict protocol; see `refitted`.
    """
    log = _beauty_log(data)
    events = Events(
        [np.array(own[:-last], dtype=np.int32) for own in log],
        np.array([own[-last] for own in log]),
        np.arange(len(log)),
    )
    return Split(Sequences.of([own[:-2] for own in log]), events)


def refitted(data: Path) -> Sequences:
    """Return what the refit protocol counts: all but the last behaviour."""
    return Sequences.of([own[:-1] for own in _beauty_log(data)])


def industrial_splits(data: Path, part: str) -> Split:
    """Return the events of "valid" or "test", each after up to ten behaviours; fitted on the parts before."""
    with gzip.open(data / "amazon_industrial" / "interactions.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    fitted = {"history"} if part == "valid" else {"history", "valid"}
    users: dict[str, list[tuple[int, str]]] = {}
    for row in sorted(rows, key=lambda own: int(own["pos"])):
        users.setdefault(row["user_id"], []).append((int(row["item_id"]), row["split"]))
    train = [[item for item, split in own if split in fitted] for own in users.values()]
    found: list[tuple[list[int], int, int]] = []
    for number, own in enumerate(users.values()):
        items = [item for item, _ in own]
        found += [(items[:place][-READ:], item, number) for place, (item, split) in enumerate(own) if split == part]
    histories, true, user = zip(*found, strict=True)
    events = Events([np.array(own, dtype=np.int32) for own in histories], np.array(true), np.array(user))
    return Split(Sequences.of([own for own in train if own]), events)


def shop_facts(rows: Sequence[dict[str, str]]) -> list[list[Feature]]:
    """Return the catalog's own columns as features: brand, category path with its steps, words of the description."""
    facts = []
    for row in rows:
        path = [step for step in row.get("shop_category", "").split(" > ") if step]
        own = [(f"{SHOP}category", " > ".join(path))] if path else []
        own += [(f"{SHOP}category/{depth}", " > ".join(path[:depth])) for depth in (1, 2) if len(path) > depth]
        own += [(f"{SHOP}text", word) for word in WORD.findall(row.get("description", "").lower())]
        facts.append(own + ([(f"{SHOP}brand", row["brand"].lower())] if row["brand"] else []))
    return facts


def knowledge_of(rows: Sequence[dict[str, str]], name: str, scratch: Path) -> Knowledge:
    """Return what the fast path accepts of a catalog, made into `scratch` unless its export is there."""
    export, seconds = scratch / f"{name}.jsonl", None
    if not export.exists():
        seconds = _enriched(rows, export) / len(rows)
    accepted = dict(_accepted(export))
    facts = [accepted.get(row["id"], []) for row in rows]
    return Knowledge(facts, sum(map(bool, facts)) / len(facts), seconds)


def title_vectors(titles: list[str], name: str, scratch: Path) -> NDArray[np.float32]:
    """Return the titles' vectors, made once."""
    file = scratch / f"{name}_title.npy"
    if not file.exists():
        scratch.mkdir(parents=True, exist_ok=True)
        np.save(file, MiniLmEncoder().encode(titles))
    vectors: NDArray[np.float32] = np.load(file)
    return vectors


def facts_table(titles: Sequence[str], facts: Sequence[Sequence[Feature]]) -> Facts:
    """Return features as a table."""
    features = tuple(sorted({feature for own in facts for feature in own}))
    number = {feature: place for place, feature in enumerate(features)}
    flat = np.array([number[feature] for own in facts for feature in own], dtype=np.int32)
    return Facts(tuple(titles), features, np.cumsum([0, *map(len, facts)], dtype=np.int64), flat)


def _enriched(rows: Sequence[dict[str, str]], export: Path) -> float:
    """Run the product's fast path over the catalog; return the CPU seconds of its process."""
    export.parent.mkdir(parents=True, exist_ok=True)
    catalog = export.with_suffix(".csv")
    with catalog.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    base = ["--kb", f"sqlite:///{export.with_suffix('.db')}"]
    before = time.process_time() + sum(os.times()[2:4])
    _reaseq(["enrich", str(catalog), *base])
    spent = time.process_time() + sum(os.times()[2:4]) - before
    _reaseq(["export", "--format", "jsonl", "--out", str(export), *base])
    return spent


def _reaseq(arguments: list[str]) -> None:
    fast = os.environ | {"REASEQ_WITHOUT": '["attribute_extractor"]', "GOMP_SPINCOUNT": "0"}
    subprocess.run([sys.executable, str(ROOT / "app.py"), *arguments], check=True, env=fast, stdout=subprocess.DEVNULL)


def _accepted(export: Path) -> Iterator[tuple[str, list[Feature]]]:
    """Yield each item's accepted features, those of `memory.item_vectors.knowledge_table`."""
    with export.open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            path = row["category"]["path"] if row["category"] else []
            facts = {("category", " > ".join(path)): 1} if path else {}
            facts |= {(f"category/{depth}", " > ".join(path[:depth])): 1 for depth in range(1, len(path))}
            for name, claims in row["attributes"].items():
                facts |= {(name, " ".join(filter(None, (own["normalized"], own["unit"])))): 1 for own in claims}
            facts |= {("demand", f"{own['relation']}: {own['text']}"): 1 for own in row["demands"]}
            yield row["id"], list(facts)


def _beauty_log(data: Path) -> list[list[int]]:
    with gzip.open(data / "amazon_beauty" / "sequences.txt.gz", "rt") as file:
        return [[int(item) - 1 for item in line.split()[1:]] for line in file]


def _lines(folder: Path) -> list[dict[str, Any]]:
    with gzip.open(folder / "items.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


def _joined(row: dict[str, str]) -> str:
    """Return a description; some are written as a Python list."""
    text = row["description"] or ""
    if not re.match(r"\s*\[", text):
        return text
    try:
        return " ".join(ast.literal_eval(text))
    except (ValueError, SyntaxError):
        return text
