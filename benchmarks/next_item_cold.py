"""Items without behaviours: how well knowledge alone finds what behaviours would find.

    python benchmarks/next_item_cold.py --data FOLDER [--sets industrial] [--hidden 0.2] [--seeds 0 1 2]
        [--scratch FOLDER]

A share of the items is drawn, and all their behaviours are hidden from what is fitted on and from the histories. The
test events whose true item is one of them are ranked over the whole catalog twice: with the items hidden (cold) and not
(warm). The events are the same, so is their difficulty.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.next_item_data import (  # noqa: E402
    Events,
    Facts,
    Sequences,
    beauty_rows,
    beauty_splits,
    facts_table,
    industrial_rows,
    industrial_splits,
    knowledge_of,
    shop_facts,
    title_vectors,
)
from ranker.next_item import NextItemConfig, NextItemRanker  # noqa: E402

BATCH = 256
LAST = {"beauty": 2, "industrial": 6}


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    torch.set_num_threads(1)
    for name in arguments.sets:
        rows = beauty_rows(arguments.data) if name == "beauty" else industrial_rows(arguments.data)
        split = beauty_splits(arguments.data, 1) if name == "beauty" else industrial_splits(arguments.data, "test")
        titles = [row["title"] for row in rows]
        made = knowledge_of(rows, name, arguments.scratch).facts
        table = facts_table(titles, [own + more for own, more in zip(made, shop_facts(rows), strict=True)])
        vectors = title_vectors(titles, name, arguments.scratch)
        for seed in arguments.seeds:
            hidden = np.random.default_rng(seed).random(len(rows)) < arguments.hidden
            events = np.flatnonzero(hidden[split.events.true])
            config = NextItemConfig(seed=seed, last=LAST[name])
            cold = _hits(_without(split.train, hidden), _chosen(split.events, events, hidden), table, vectors, config)
            warm = _hits(split.train, _chosen(split.events, events, hidden & False), table, vectors, config)
            print(
                f"{name}, seed {seed}: {len(events)} events of {hidden.sum()} items; "
                f"HR@10 cold {cold:.4f}, warm {warm:.4f}, cold / warm {cold / max(warm, 1e-9):.2f}",
                flush=True,
            )


def _hits(
    train: Sequences, events: Events, table: Facts, vectors: NDArray[np.float32], config: NextItemConfig
) -> float:
    """Return HR@10 of a ranker fitted on `train`."""
    ranker = NextItemRanker.fit(train, table.titles, knowledge=table, vectors={"title": vectors}, config=config)
    found: list[NDArray[np.bool_]] = []
    for start in range(0, len(events.true), BATCH):
        scores = ranker.score(events.histories[start : start + BATCH])
        own = np.take_along_axis(scores, events.true[start : start + BATCH, None], axis=1)
        found.append(((scores >= own).sum(axis=1) <= 10) & np.isfinite(own[:, 0]))
    return float(np.concatenate(found).mean())


def _chosen(events: Events, rows: NDArray[np.int64], hidden: NDArray[np.bool_]) -> Events:
    """Return some events, without the hidden items in their histories."""
    histories = [events.histories[row][~hidden[events.histories[row]]] for row in rows]
    return Events(histories, events.true[rows], events.user[rows])


def _without(train: Sequences, hidden: NDArray[np.bool_]) -> Sequences:
    kept: list[Sequence[int]] = []
    for start, end in zip(train.offsets[:-1], train.offsets[1:], strict=True):
        own = train.item[start:end]
        kept.append(own[~hidden[own]].tolist())
    return Sequences.of(kept)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=sorted(LAST), default=["industrial"])
    parser.add_argument("--hidden", type=float, default=0.2)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--scratch", type=Path, default=Path(".next_item"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
