"""The next item over the whole catalog: ours with the log alone, + title, + catalog fields, + knowledge; and floors.

    python benchmarks/next_item.py --data FOLDER [--sets beauty industrial] [--seeds 0 1 2] [--scratch FOLDER]
        [--out FILE] [--events valid|test] [--arms log title …]

Full ranking; a rank counts the items that score at least as high. **Beauty, strict**: counts, weights and lessons from
s[:-2], tested on s[-1] after s[:-1]; **refit**: the counts anew from s[:-1], the network as it was; own history left
out. **Industrial**: fitted on history + valid, tested on 4,533 events after up to ten behaviours; "masked" leaves these
out of the ranking, "allowed" does not. All settings were chosen on validation events (--events valid: s[-2], or the
part "valid" fitted on "history"). Tail items occur 1-4 times in what is fitted on, mid 5-19, head 20 and more, cold
never. The fields are the catalog's raw columns (brand, category path); the knowledge is what the fast path makes of the
same rows, made into --scratch unless it is there. Intervals: 95 %, paired bootstrap over users, mean over seeds.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.next_item_data import (  # noqa: E402
    SHOP,
    Events,
    Sequences,
    beauty_rows,
    beauty_splits,
    facts_table,
    industrial_rows,
    industrial_splits,
    knowledge_of,
    refitted,
    shop_facts,
    title_vectors,
)  # fmt: skip
from learning.counting import Log, histories_of  # noqa: E402
from ranker.floors import floors  # noqa: E402
from ranker.fusion import Candidates, Reranker, Retrievers, candidates, learn, lessons, retrieve  # noqa: E402
from ranker.similarity import Similarity  # noqa: E402

Ranks = NDArray[np.int64]
NOT_FOUND = 1_000_000
ARMS = ("log", "title", "fields", "knowledge", "fields, knowledge")
SLICES = {"cold": (0, 1), "tail": (1, 5), "mid": (5, 20), "head": (20, NOT_FOUND)}
COUNT, FOLDS, EPOCHS = 150, 5, 4
LAST = {"beauty": 2, "industrial": 6}  # lessons a user


@dataclass
class Run:
    """The ranks of one system by seed, and the CPU seconds of fitting it once."""

    name: str
    ranks: list[Ranks]
    seconds: float


@dataclass(frozen=True)
class Task:
    """One table: a protocol of a set."""

    name: str
    train: Sequences  # what is learned from
    counted: Sequences  # what is counted for the test
    events: Events
    repeats: bool


@dataclass(frozen=True)
class Taught:
    """An arm with its networks, one a seed, and the mean CPU seconds that one took."""

    name: str
    similarity: Similarity
    columns: list[int]
    models: list[Reranker]
    seconds: float


def main() -> None:
    """Measure, print tables, write what was measured."""
    arguments = _arguments()
    torch.set_num_threads(1)
    report: dict[str, object] = {"machine": platform.platform(), "seeds": arguments.seeds, "events": arguments.events}
    for name in arguments.sets:
        rows = beauty_rows(arguments.data) if name == "beauty" else industrial_rows(arguments.data)
        made = knowledge_of(rows, name, arguments.scratch)
        cost = "made before" if made.seconds is None else f"{made.seconds:.3f} CPU-s an item"
        print(f"\n{name}: {len(rows)} items, knowledge of {made.covered:.1%} of them, {cost}", flush=True)
        titles = [row["title"] for row in rows]
        facts = [own + more for own, more in zip(made.facts, shop_facts(rows), strict=True)]
        full = Similarity.of(
            titles, facts_table(titles, facts), {"title": title_vectors(titles, name, arguments.scratch)}
        )
        bare = Similarity.of([""] * len(titles), None, {})
        known: dict[bool, list[Taught]] = {}  # by whether items may repeat; refit reads what strict learned
        for task in tasks(name, arguments.data, arguments.events):
            log = Log.of(task.counted, len(titles))
            systems = floors(log, Similarity.of(titles, None, {}), full.vectors["title"])
            runs = [Run(system, [ranks_of(task, scores)], seconds) for system, scores, seconds in systems]
            if task.repeats not in known:
                known[task.repeats] = taught(name, task, full, bare, wanted=arguments.arms, seeds=arguments.seeds)
            runs += ours(task, known[task.repeats])
            report[task.name] = _print_all(task, runs, len(titles)) | _differences(task, runs)
            arguments.out.write_text(json.dumps(report, indent=2), encoding="utf-8")


def tasks(name: str, data: Path, events: str) -> Iterator[Task]:
    """Yield the protocols of a set."""
    if name == "beauty":
        split = beauty_splits(data, 1 if events == "test" else 2)
        yield Task("beauty strict", split.train, split.train, split.events, repeats=False)
        if events == "test":
            yield Task("beauty refit", split.train, refitted(data), split.events, repeats=False)
        return
    split = industrial_splits(data, events)
    for masking, repeats in (("masked", False), ("allowed", True)):
        yield Task(f"industrial {masking}", split.train, split.train, split.events, repeats=repeats)


def taught(
    name: str, task: Task, full: Similarity, bare: Similarity, *, wanted: Sequence[str], seeds: Sequence[int]
) -> list[Taught]:
    """Return what each arm learned; those with titles share candidates, and read a part of the features each."""
    found = []
    for arms, similarity in ((("log",), bare), (ARMS[1:], full)):
        chosen = [arm for arm in arms if arm in wanted]
        if not chosen:
            continue
        started = time.process_time()
        log = Log.of(task.train, len(similarity.term))
        with torch.no_grad():
            given = lessons(log, similarity, folds=FOLDS, last=LAST[name], count=COUNT, seed=0, repeats=task.repeats)
        shared = time.process_time() - started
        for arm in chosen:
            columns = [place for place, feature in enumerate(given.names) if _read_by(arm, feature, similarity)]
            started = time.process_time()
            models = [learn(given.columns(columns), seed=seed, epochs=EPOCHS) for seed in seeds]
            seconds = shared + (time.process_time() - started) / len(seeds)
            found.append(Taught(arm, similarity, columns, models, seconds))
            print(f"  learned from {len(given.true)} lists: {arm}, {seconds:.0f} CPU-s", flush=True)
    return found


def ours(task: Task, arms: Sequence[Taught]) -> Iterator[Run]:
    """Yield the run of each arm, counted on what the task counts."""
    for similarity in {id(arm.similarity): arm.similarity for arm in arms}.values():
        listed = _listed(task, Retrievers.fit(Log.of(task.counted, len(similarity.term)), similarity), similarity)
        for arm in arms:
            if arm.similarity is similarity:
                ranks = [_reranked(task, model, listed, arm.columns) for model in arm.models]
                yield Run(f"ours, {arm.name}", ranks, arm.seconds)


def ranks_of(task: Task, scores: Callable[[torch.Tensor], torch.Tensor]) -> Ranks:
    """Return the rank of each true item, from 0, by scores [histories, items]; what scores alike stands before it."""
    found = []
    history, true = histories_of(task.events.histories), torch.from_numpy(task.events.true)
    with torch.no_grad():
        for rows in torch.split(torch.arange(len(true)), 256):
            table = scores(history[rows]).clone()
            if not task.repeats:
                row, place = (history[rows] >= 0).nonzero(as_tuple=True)
                table[row, history[rows][row, place]] = -torch.inf
            own = table.gather(1, true[rows, None])
            rank = (table >= own).sum(dim=1) - 1
            found.append(torch.where(own[:, 0].isneginf(), NOT_FOUND, rank))
    return torch.cat(found).numpy()


def _listed(task: Task, retrievers: Retrievers, similarity: Similarity) -> list[Candidates]:
    """Return the candidates of all events."""
    parts: list[Candidates] = []
    with torch.no_grad():
        for history in torch.split(histories_of(task.events.histories), 256):
            retrieved = retrieve(history, retrievers, similarity, repeats=task.repeats)
            parts.append(candidates(history, retrieved, retrievers, similarity, count=COUNT))
    return [Candidates(own.item, own.features.half(), own.names) for own in parts]


def _reranked(task: Task, model: Reranker, listed: list[Candidates], columns: list[int]) -> Ranks:
    """Return the ranks by a model; what is no candidate is not found: metrics stop at ten."""
    true, found = torch.split(torch.from_numpy(task.events.true), 256), []
    with torch.no_grad():
        for part, own in zip(listed, true, strict=True):
            scores = model(part.features[:, :, columns].float())
            hit = part.item == own[:, None]
            wanted = scores.gather(1, hit.int().argmax(dim=1, keepdim=True))
            rank = (scores >= wanted).sum(dim=1) - 1
            found.append(torch.where(hit.any(dim=1), rank, NOT_FOUND))
    return torch.cat(found).numpy()


def _read_by(arm: str, feature: str, similarity: Similarity) -> bool:
    """Whether an arm reads a feature; what is not of the catalog's columns or of knowledge, all arms read."""
    group = feature.rpartition(", ")[0]
    if group not in similarity.groups or group.startswith("title"):
        return True
    return ("fields" if group.startswith(SHOP) else "knowledge") in arm


def _print_all(task: Task, runs: Sequence[Run], items: int) -> dict[str, object]:
    """Print a table of all runs; return it."""
    counts = np.bincount(task.train.item, minlength=items)[task.events.true]
    parts = {name: (counts >= low) & (counts < high) for name, (low, high) in SLICES.items()}
    sizes = ", ".join(f"{name} {part.sum()}" for name, part in parts.items())
    print(
        f"\n{task.name}: {len(counts)} events ({sizes})\n{'':24}HR@10          NDCG@10        HR@10 by slice",
        flush=True,
    )
    table: dict[str, object] = {}
    for run in runs:
        hits, gains = zip(*map(_at_ten, run.ranks), strict=True)
        of_slice = {name: float(np.mean(hits, axis=0)[part].mean()) for name, part in parts.items() if part.any()}
        means = [float(np.mean([own.mean() for own in values])) for values in (hits, gains)]
        spread = [float(np.std([own.mean() for own in values])) for values in (hits, gains)]
        slices = " ".join(f"{name} {value:.4f}" for name, value in of_slice.items())
        shown = "  ".join(f"{mean:.4f} ± {sd:.4f}" for mean, sd in zip(means, spread, strict=True))
        print(f"{run.name:24}{shown}  {slices}  {run.seconds:.0f} CPU-s", flush=True)
        table[run.name] = {"hr": means[0], "ndcg": means[1], "sd": spread, "slices": of_slice, "seconds": run.seconds}
    return table


def _differences(task: Task, runs: Sequence[Run]) -> dict[str, object]:
    """Print and return paired differences: ours against the strongest floor, and what each step adds."""
    by_name = {run.name: run for run in runs}
    strongest = max((run for run in runs if not run.name.startswith("ours")), key=lambda run: _mean(run)[1].mean())
    pairs = [(strongest.name, "ours, fields, knowledge"), ("ours, log", "ours, title")]
    pairs += [("ours, title", f"ours, {arm}") for arm in ("fields", "knowledge", "fields, knowledge")]
    pairs += [("ours, fields", "ours, fields, knowledge")]
    found: dict[str, object] = {}
    for before, after in pairs:
        if before not in by_name or after not in by_name:
            continue
        for metric, first, last in zip(
            ("HR@10", "NDCG@10"), _mean(by_name[before]), _mean(by_name[after]), strict=True
        ):
            low, high = _interval(last - first, task.events.user)
            found[f"{before} -> {after}, {metric}"] = {
                "difference": float((last - first).mean()),
                "low": low,
                "high": high,
            }
            print(
                f"  {before} -> {after}, {metric}: {(last - first).mean():+.4f} [{low:+.4f}, {high:+.4f}]", flush=True
            )
    return {"differences": found}


def _interval(gained: NDArray[np.float64], user: NDArray[np.int64], resamples: int = 2000) -> tuple[float, float]:
    """Return the interval of a mean over events, users drawn anew with all their events."""
    _, row = np.unique(user, return_inverse=True)
    part, whole = np.bincount(row, gained), np.bincount(row)
    chance = np.random.default_rng(0)
    draws = (chance.integers(len(part), size=len(part)) for _ in range(resamples))
    means = [part[drawn].sum() / whole[drawn].sum() for drawn in draws]
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def _mean(run: Run) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    hits, gains = zip(*map(_at_ten, run.ranks), strict=True)
    return np.mean(hits, axis=0), np.mean(gains, axis=0)


def _at_ten(ranks: Ranks) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    hit = (ranks < 10).astype(float)
    return hit, hit / np.log2(ranks + 2.0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=sorted(LAST), default=sorted(LAST))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--events", choices=("valid", "test"), default="test")
    parser.add_argument("--scratch", type=Path, default=Path(".next_item"))
    parser.add_argument("--out", type=Path, default=Path("next_item.json"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
