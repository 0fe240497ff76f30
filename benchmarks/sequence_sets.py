"""Three public logs as benchmarks/diffusion_next_item.py reads them: what is learned from, and what is asked."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.amazon_shops import as_sequences  # noqa: E402
from benchmarks.next_item_data import (  # noqa: E402
    Events,
    Feature,
    Split,
    beauty_rows,
    beauty_splits,
    industrial_rows,
    industrial_splits,
    knowledge_of,
    shop_facts,
    title_vectors,
)  # fmt: skip
from learning.material import TITLE, Material  # noqa: E402
from memory.behaviors.schema import Kind  # noqa: E402
from memory.behaviors.sequences import Sequences  # noqa: E402
from memory.item_vectors.knowledge_table import KnowledgeTable  # noqa: E402

Rows = NDArray[np.int32]
ASKED_FROM = datetime(2011, 11, 9)  # noqa: DTZ001 - the file has local times; its last month is asked
BUY = list(Kind).index(Kind.BUY)
UNCHOSEN = 0.05  # share of the users whose last behaviour chooses a reference model's epoch and is not learned from


@dataclass(frozen=True)
class Task:
    """Histories, and the items that come after each; `among` says which items are ranked."""

    name: str
    histories: list[Rows]
    true: list[Rows]
    among: str  # "new": not those of the history; "old": those alone; "all"
    times: list[NDArray[np.int64]]  # of the behaviours of each history; order numbers where there are no times
    kind: int = 0  # of all behaviours

    def part(self, rows: Sequence[int]) -> Self:
        """Return some of the questions."""
        lists = ([column[row] for row in rows] for column in (self.histories, self.true, self.times))
        histories, true, times = lists
        return replace(self, histories=histories, true=true, times=times)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class LogSet:
    """A log in two: what is learned from, and the tasks that nothing learned has seen."""

    name: str
    material: Material
    tasks: tuple[Task, ...]

    def for_choosing(self, seed: int) -> tuple[Sequences, Task]:
        """Return what a reference model learns from, and the task that chooses its epoch, drawn anew by each seed."""
        log = self.material.behaviors
        longer = np.flatnonzero(log.lengths > 2)
        users = np.random.default_rng(seed).permutation(longer)[: max(1, int(UNCHOSEN * len(log.users)))]
        last = np.zeros(len(log.item), dtype=np.bool_)
        last[log.offsets[users + 1] - 1] = True
        histories, times = (
            [own[log.offsets[user] : log.offsets[user + 1] - 1] for user in users] for own in (log.item, log.time)
        )
        true = [log.item[log.offsets[user + 1] - 1 : log.offsets[user + 1]] for user in users]
        return log._where(~last), Task("choosing", histories, true, self.tasks[0].among, times)  # type: ignore[arg-type]


def read_set(name: str, data: Path, scratch: Path) -> LogSet:
    """Return one of `SETS`; knowledge and vectors of titles are made into `scratch` unless they are there."""
    return SETS[name](data, scratch)


def read_beauty(data: Path, scratch: Path) -> LogSet:
    """Return amazon_beauty, strict: learned from s[:-2], asked for s[-1] after s[:-1]."""
    rows, split = beauty_rows(data), beauty_splits(data, 1)
    return _without_times("beauty", rows, _lists(split), split.events, scratch)


def read_industrial(data: Path, scratch: Path) -> LogSet:
    """Return amazon_industrial: learned from history + valid, asked for the test events after up to ten behaviours."""
    rows, split = industrial_rows(data), industrial_splits(data, "test")
    return _without_times("industrial", rows, _lists(split), split.events, scratch)


def read_retail(data: Path, scratch: Path) -> LogSet:
    """Return online_retail: learned from what is older than the last month, asked for each customer's next basket.

    The clean slice: customer known, quantity above 0, not cancelled, a stock code of five digits and perhaps letters.
    A basket is an invoice; an item is in it once.
    """
    frame = pl.read_parquet(data / "online_retail" / "events.parquet").filter(
        pl.col("CustomerID").is_not_null()
        & (pl.col("Quantity") > 0)
        & ~pl.col("InvoiceNo").str.starts_with("C")
        & pl.col("StockCode").str.contains(r"^\d{5}")
    )
    frame = frame.unique(["CustomerID", "InvoiceNo", "StockCode"], keep="first", maintain_order=True)
    named = frame.group_by("StockCode").agg(pl.col("Description").drop_nulls().mode().sort().first())
    named = named.sort("StockCode")
    rows = [{"id": code, "title": title or "", "brand": ""} for code, title in named.iter_rows()]
    number = {row["id"]: place for place, row in enumerate(rows)}
    frame = frame.sort("CustomerID", "InvoiceDate", "InvoiceNo", maintain_order=True)
    behaviors = _with_times(frame.filter(pl.col("InvoiceDate") < ASKED_FROM), number)
    asked = frame.filter(pl.col("InvoiceDate") >= ASKED_FROM)
    return LogSet("retail", _material(behaviors, rows, "retail", scratch), _basket_tasks(behaviors, asked, number))


SETS = {"beauty": read_beauty, "industrial": read_industrial, "retail": read_retail}


def _basket_tasks(behaviors: Sequences, asked: pl.DataFrame, number: dict[str, int]) -> tuple[Task, ...]:
    """Return each known customer's first basket of the month: all of it, what is bought again, what is new."""
    first = asked.group_by("CustomerID", maintain_order=True).agg(
        pl.col("StockCode").filter(pl.col("InvoiceNo") == pl.col("InvoiceNo").first())
    )
    known = [row for row in first.iter_rows() if str(row[0]) in behaviors.user_rows]
    users = [behaviors.user_rows[str(customer)] for customer, _ in known]
    spans = [slice(behaviors.offsets[user], behaviors.offsets[user + 1]) for user in users]
    histories, times = [behaviors.item[own] for own in spans], [behaviors.time[own] for own in spans]
    baskets = [np.array([number[code] for code in codes], dtype=np.int32) for _, codes in known]
    again = [np.intersect1d(own, basket) for own, basket in zip(histories, baskets, strict=True)]
    new = [np.setdiff1d(basket, own) for own, basket in zip(histories, baskets, strict=True)]
    parts = (("new of the next basket", new, "new"), ("next basket", baskets, "all"), ("bought again", again, "old"))
    tasks = [Task(name, histories, true, among, times, BUY) for name, true, among in parts]
    return tuple(task.part([row for row, true in enumerate(task.true) if len(true)]) for task in tasks)


def _without_times(
    name: str, rows: list[dict[str, str]], log: list[list[int]], events: Events, scratch: Path
) -> LogSet:
    behaviors = as_sequences(log, [row["id"] for row in rows])
    histories, true = events.histories, events.true
    times = [np.arange(len(own)) for own in histories]
    task = Task("next item", histories, [np.array([own], dtype=np.int32) for own in true], "new", times)
    return LogSet(name, _material(behaviors, rows, name, scratch), (task,))


def _material(behaviors: Sequences, rows: list[dict[str, str]], name: str, scratch: Path) -> Material:
    titles = [row["title"] for row in rows]
    made = knowledge_of(rows, name, scratch)
    facts = [own + more for own, more in zip(made.facts, shop_facts(rows), strict=True)]
    vectors = {TITLE: title_vectors(titles, name, scratch)}
    return Material(behaviors, known_table([row["id"] for row in rows], titles, facts), vectors)


def known_table(ids: Sequence[str], titles: Sequence[str], facts: Sequence[Sequence[Feature]]) -> KnowledgeTable:
    """Return features as the table that models read; each is as sure as any other."""
    features = tuple(sorted({feature for own in facts for feature in own}))
    number = {feature: place for place, feature in enumerate(features)}
    lists = [sorted({number[feature] for feature in own}) for own in facts]
    flat = np.array([place for own in lists for place in own], dtype=np.int32)
    return KnowledgeTable(
        ids=tuple(ids),
        titles=tuple(titles),
        features=features,
        offsets=np.cumsum([0, *map(len, lists)], dtype=np.int64),
        feature=flat,
        confidence=np.ones(len(flat), dtype=np.float32),
        numeric=(),
        numbers=np.zeros((len(ids), 0), dtype=np.float32),
        version=1,
    )


def _with_times(frame: pl.DataFrame, number: dict[str, int]) -> Sequences:
    """Return the purchases of a frame that is sorted by customer and time."""
    customers = frame.group_by("CustomerID", maintain_order=True).len()
    length = len(frame)
    return Sequences(
        users=tuple(str(own) for own in customers["CustomerID"]),
        items=tuple(number),
        offsets=np.concatenate([[0], np.cumsum(customers["len"].to_numpy())]).astype(np.int64),
        item=np.array([number[code] for code in frame["StockCode"]], dtype=np.int32),
        time=frame["InvoiceDate"].dt.epoch("ms").to_numpy(),
        kind=np.full(length, BUY, dtype=np.int8),
        source=np.zeros(length, dtype=np.int8),
    )


def _lists(split: Split) -> list[list[int]]:
    offsets, item = split.train.offsets, split.train.item
    return [item[start:end].tolist() for start, end in pairwise(offsets.tolist())]
