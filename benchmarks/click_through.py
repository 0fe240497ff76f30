"""How well clicks are told from what was not clicked: reference models, and the ranker with more and more knowledge.

    python benchmarks/click_through.py --data FOLDER --kb sqlite:///beauty.db [--dataset beauty] [--seeds 3]

An event is one positive (what came next) and nine negatives, drawn by a fixed seed: uniform, by popularity, or of the
same leaf category; a model is trained and judged on the same kind. *beauty* (order without times): statistics count
s[:-3], training is on s[-3], selection on s[-2], the test on s[-1]. *industrial* (a split in time): statistics count
the histories and the first 85 % of the validation rows, training is on all of these, each taken out of the counts while
it is learned from; selection on the other 15 %, the test on the test rows. Arms: *log* (ids, what goes with what),
*title* (+ vectors and clusters of titles), *fields* (+ the same of the catalog's fields as text: a control),
*knowledge* (title + a view of each attribute that 1 % of the items have), *without X*. Differences of AUC are paired,
by a bootstrap over users, on the mean over seeds. The knowledge base is made with `reaseq enrich` of the same items.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.amazon_shops import PARTS, READERS, Shop  # noqa: E402
from evaluators.ranking.click_through import auc, calibration_ratio, gauc, log_losses  # noqa: E402
from evaluators.ranking.intervals import Totals, auc_totals, difference  # noqa: E402
from learning.config import TrainingConfig  # noqa: E402
from learning.training import fit  # noqa: E402
from memory.behaviors.sequences import Sequences  # noqa: E402
from memory.database import open_existing_database  # noqa: E402
from memory.encoder import MiniLmEncoder  # noqa: E402
from memory.item_vectors.knowledge_table import KnowledgeTable  # noqa: E402
from ranker.affinity import Affinity, affinities, clusters, codes_of, features_of  # noqa: E402
from ranker.click_through import Impressions, auc_of, line_of, logits_of, standardise, views_of  # noqa: E402
from ranker.impressions import Negatives, impressions  # noqa: E402
from ranker.model import ClickThroughRanker, ClickThroughShape  # noqa: E402
from ranker.references import Reference, ReferenceRanker  # noqa: E402
from ranker.spectral import spectral_vectors  # noqa: E402

CLUSTERS = (40, 200, 1000)
DRAWN = 11  # seed of the negatives
Floats = NDArray[np.float32]
Row = dict[str, str | float]


class Arm(NamedTuple):
    """What a ranker is told."""

    views: list[Affinity]
    vectors: list[torch.Tensor]


def vectors_of(texts: Sequence[str], kept: Path | None) -> Floats:
    """Return centred unit vectors of the texts; `kept` is a file of raw ones, which is made where it is missing."""
    if kept and kept.exists():
        raw = np.load(kept)
    else:
        raw = MiniLmEncoder().encode([text or " " for text in texts])
        if kept:
            np.save(kept, raw)
    centred = raw - raw.mean(axis=0)
    return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True), dtype=np.float32)


def arms(
    shop: Shop, known: KnowledgeTable, kept: Path | None, dataset: str, chosen: Sequence[str]
) -> Iterator[tuple[str, Arm]]:
    """Yield what the ranker is told in each arm."""
    log = affinities(shop.seen)
    # Directions of what goes with what know the counted labels: only for those that learn from what came after.
    going = [torch.from_numpy(spectral_vectors(log[1]))] if learns_after_counting(shop) else []
    yield "log", Arm(log, going)
    title = vectors_of(shop.titles, kept and kept / f"{dataset}_title.npy")
    by_title = log + text_views("title", title, shop.seen)
    told = [torch.from_numpy(title), *going]
    yield "title", Arm(by_title, told)
    if "fields" in chosen:
        fields = vectors_of(shop.fields, kept and kept / f"{dataset}_fields.npy")
        yield "fields", Arm(by_title + text_views("fields", fields, shop.seen), [*told, torch.from_numpy(fields)])
    views = {group: Affinity.count(group, codes_of(known, group), shop.seen) for group in views_of(known)}
    yield "knowledge", Arm([*by_title, *views.values()], told)
    for attribute in dict.fromkeys(group.split("/")[0] for group in views):
        rest = [view for group, view in views.items() if group.split("/")[0] != attribute]
        yield f"without {attribute}", Arm(by_title + rest, told)


def learns_after_counting(shop: Shop) -> bool:
    """Return whether no behaviour that is learned from is among those that are counted."""
    learned = shop.events["train"]
    return bool(np.all(learned.place >= shop.seen.lengths[learned.user]))


def text_views(name: str, vectors: Floats, seen: Sequences) -> list[Affinity]:
    """Return what goes with what among clusters of texts."""
    return [Affinity.count(f"{name} {count}", clusters(vectors, count), seen) for count in CLUSTERS]


def trained(model: nn.Module, parts: dict[str, Impressions], config: TrainingConfig) -> tuple[Floats, float]:
    """Return the test's logits and the CPU seconds that training took."""
    standardise(model, parts["train"].features)
    began = time.process_time()
    fit(model, parts["train"], auc_of(parts["select"]), config)
    spent = time.process_time() - began
    slope, shift = line_of(logits_of(model, parts["select"]))
    return (slope * logits_of(model, parts["test"]) + shift).astype(np.float32), spent


def judged(logits: Floats, users: NDArray[np.int64]) -> dict[str, float]:
    """Return the metrics of the test."""
    clicked, scores, user = flat(logits, users)
    chance = 1 / (1 + np.exp(-scores.astype(np.float64)))
    found = {
        "auc": auc(clicked, scores),
        "gauc": gauc(user, clicked, scores),
        "logloss": float(log_losses(clicked, chance).mean()),
        "calibration": calibration_ratio(clicked, chance),
    }
    return {name: round(float(value or 0), 5) for name, value in found.items()}


def totals_of(logits: Floats, users: NDArray[np.int64]) -> Totals:
    """Return what each user adds to the AUC."""
    clicked, scores, user = flat(logits, users)
    return auc_totals(user, clicked, scores)


def flat(logits: Floats, users: NDArray[np.int64]) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return labels, scores and users of all impressions."""
    clicked = np.zeros_like(logits)
    clicked[:, 0] = 1
    return clicked.ravel(), logits.ravel(), np.repeat(users, logits.shape[1])


class Bench:
    """One data set with negatives of one kind: trains models, keeps what they scored."""

    def __init__(self, shop: Shop, negatives: Negatives, leaf: NDArray[np.int64], settings: argparse.Namespace) -> None:
        self.shop, self.negatives, self.settings = shop, negatives, settings
        self.behind = {
            part: impressions(shop.log, shop.seen, of, negatives, DRAWN + place, leaf=leaf)
            for place, (part, of) in enumerate(shop.events.items())
        }
        self.totals: dict[str, Totals] = {}
        self.rows: list[Row] = []
        self.counted: dict[str, dict[str, NDArray[np.float16]]] = {}

    def parts(self, views: Sequence[Affinity]) -> dict[str, Impressions]:
        """Return each part's impressions; what one view says is counted once for all arms."""
        for view in views:
            if view.name not in self.counted:
                self.counted[view.name] = {part: features_of(of, [view]) for part, of in self.behind.items()}
        empty = {part: np.zeros((*of.candidates.shape, 0), np.float16) for part, of in self.behind.items()}
        told = {part: [empty[part], *(self.counted[view.name][part] for view in views)] for part in PARTS}
        share = self.settings.listwise
        return {part: Impressions(self.behind[part], np.concatenate(told[part], axis=2), share) for part in PARTS}

    def ranker(self, name: str, arm: Arm) -> None:
        """Train and judge the ranker in one arm."""
        sizes = tuple(table.shape[1] for table in arm.vectors)
        parts = self.parts(arm.views)
        config = ClickThroughShape(
            items=len(self.shop.log.items), features=parts["train"].features.shape[2], dimensions=sizes
        )
        self._seeds(name, parts, lambda: ClickThroughRanker(config, arm.vectors))

    def reference(self, kind: Reference, views: Sequence[Affinity]) -> None:
        """Train and judge a reference model; `views` is what it is told beside ids."""
        parts = self.parts(views)
        features = parts["train"].features.shape[2]
        name = f"{kind.value}{' + counts' if views else ''}"
        self._seeds(name, parts, lambda: ReferenceRanker(kind, len(self.shop.log.items), features))

    def _seeds(self, name: str, parts: dict[str, Impressions], build: Callable[[], nn.Module]) -> None:
        users, all_totals, metrics, seconds = self.shop.events["test"].user, [], [], 0.0
        for seed in range(self.settings.seeds):
            torch.manual_seed(seed)
            logits, spent = trained(build(), parts, self._config(seed))
            all_totals.append(totals_of(logits, users))
            metrics.append(judged(logits, users))
            seconds += spent
        self.totals[name] = Totals(np.mean([each.part for each in all_totals], axis=0), all_totals[0].whole)
        row: Row = {"negatives": self.negatives.value, "model": name, "cpu_seconds": round(seconds / len(metrics), 1)}
        for metric in metrics[0]:
            values = [each[metric] for each in metrics]
            row |= {metric: round(float(np.mean(values)), 4), f"{metric}_sd": round(float(np.std(values)), 4)}
        self.rows.append(row)
        print(json.dumps(row), flush=True)

    def _config(self, seed: int) -> TrainingConfig:
        return TrainingConfig(
            epochs=self.settings.epochs, batch_size=256, learning_rate=2e-3, weight_decay=1e-4, patience=2, seed=seed
        )

    def compare(self, before: str, after: str) -> None:
        """Print how much one model's AUC is above another's."""
        if before in self.totals and after in self.totals:
            found = difference(self.totals[before], self.totals[after])
            row: Row = {
                "negatives": self.negatives.value,
                "from": before,
                "to": after,
                "auc": round(found.difference, 4),
            }
            row |= {"low": round(found.low, 4), "high": round(found.high, 4), "p": found.p_value}
            self.rows.append(row)
            print(json.dumps(row), flush=True)


def main() -> None:
    """Train and judge everything that is asked for."""
    settings = arguments()
    folder, read = READERS[settings.dataset]
    if not (settings.data / folder).is_dir():
        sys.exit(f"{settings.data / folder} is missing; see benchmarks/README.md for where the data is to be had")
    torch.set_num_threads(1)
    shop = read(settings.data / folder)
    with open_existing_database(settings.kb) as database, database.session() as session:
        known = KnowledgeTable.of(session).rows(shop.log.items)
    rows: list[Row] = []
    for negatives in settings.negatives:
        bench = Bench(shop, Negatives(negatives), codes_of(known, "category"), settings)
        measure(bench, known, settings)
        rows += bench.rows
    if settings.out:
        settings.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def measure(bench: Bench, known: KnowledgeTable, settings: argparse.Namespace) -> None:
    """Train the reference models and the arms, and say what each step adds."""
    log = affinities(bench.shop.seen)
    for kind in settings.references:
        bench.reference(Reference(kind), log if kind == Reference.LR else [])
    for name, arm in arms(bench.shop, known, settings.vectors, settings.dataset, settings.arms):
        if name in settings.arms or (name.startswith("without ") and "without" in settings.arms):
            bench.ranker(name, arm)
    for before, after in (("din", "log"), ("log", "title"), ("title", "fields"), ("fields", "knowledge")):
        bench.compare(before, after)
    bench.compare("title", "knowledge")
    for name in list(bench.totals):
        if name.startswith("without "):
            bench.compare(name, "knowledge")


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--kb", required=True)
    parser.add_argument("--dataset", choices=[*READERS], default="beauty")
    parser.add_argument("--vectors", type=Path, help="a folder that keeps the titles' vectors")
    parser.add_argument("--negatives", nargs="+", default=["uniform", "popularity"], choices=[*Negatives])
    parser.add_argument("--arms", nargs="*", default=["log", "title", "fields", "knowledge", "without"])
    parser.add_argument("--references", nargs="*", default=[*Reference])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--listwise", type=float, default=0.0)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
