"""The two public data sets that click-through is measured on, read as behaviours with the events of each part."""

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from memory.behaviors.sequences import Sequences
from ranker.impressions import Events, events

PARTS = ("train", "select", "test")
SELECTED_FROM = 0.85  # of the validation rows of a split in time


class Shop(NamedTuple):
    """A data set: behaviours, the training window, the events of each part, the items' texts."""

    log: Sequences
    seen: Sequences
    events: dict[str, Events]
    titles: list[str]
    fields: list[str]


def read_beauty(folder: Path) -> Shop:
    """Return amazon_beauty with its items in the order of the file."""
    items = [json.loads(line) for line in lines_of(folder / "items.jsonl.gz")]
    row = {str(item["item_id"]): place for place, item in enumerate(items)}
    lines = [line.split() for line in lines_of(folder / "sequences.txt.gz")]
    log = as_sequences([[row[item] for item in line[1:]] for line in lines], [*row])
    held_out = {part: events(log, last=0, held_out=3 - place) for place, part in enumerate(PARTS)}
    titles = [item["title"] or "" for item in items]
    fields = [f"{item['title']}. {'. '.join(item['brand_and_categories'])}" for item in items]
    return Shop(log, log.without_last(3), held_out, titles, fields)


def read_industrial(folder: Path) -> Shop:
    """Return amazon_industrial; every part ends before the next one begins."""
    items = [json.loads(line) for line in lines_of(folder / "items.jsonl.gz")]
    row = {str(item["item_id"]): place for place, item in enumerate(items)}
    users: dict[str, list[tuple[int, int]]] = {}
    rows = list(csv.DictReader(lines_of(folder / "interactions.csv.gz")))
    valid = sum(each["split"] == "valid" for each in rows)
    for each in sorted(rows, key=lambda each: int(each["pos"])):
        part = 2 if each["split"] == "test" else int(int(each["time_rank"]) >= SELECTED_FROM * valid)
        users.setdefault(each["user_id"], []).append((row[each["item_id"]], part))
    log = as_sequences([[item for item, _ in own] for own in users.values()], [*row])
    of = np.array([part for own in users.values() for _, part in own])
    user = np.repeat(np.arange(len(users)), np.diff(log.offsets))
    place = np.arange(len(of)) - log.offsets[user]
    chosen = {name: (of == part) & (place > 0) for part, name in enumerate(PARTS)}
    texts = [f"{item['title']}. {item['brand']}. {item['description'][:600]}" for item in items]
    parts = {name: Events(user[rows], place[rows]) for name, rows in chosen.items()}
    return Shop(log, log._where(of == 0), parts, [item["title"] for item in items], texts)


def lines_of(path: Path) -> list[str]:
    """Return the lines of a compressed file."""
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def as_sequences(rows: Sequence[Sequence[int]], items: Sequence[str]) -> Sequences:
    """Return behaviours that are in order but have no times."""
    item = np.array([behaviour for row in rows for behaviour in row], dtype=np.int32)
    users, offsets = tuple(str(user) for user in range(len(rows))), np.cumsum([0, *map(len, rows)], dtype=np.int64)
    nothing = np.zeros(len(item), dtype=np.int8)
    return Sequences(users, tuple(items), offsets, item, np.arange(len(item)), nothing, nothing)


READERS = {"beauty": ("amazon_beauty", read_beauty), "industrial": ("amazon_industrial", read_industrial)}
