"""Our side of the training benchmark, in a process of its own: what an epoch or a step costs, as the peers say it.

The last line of its output is one line of JSON, like that of the peers' scripts.
"""

import argparse
import gzip
import json
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.peers.measuring import cpu_seconds, memory_mb  # noqa: E402
from learning.config import TrainingConfig  # noqa: E402
from learning.counting import REACH, Log, histories_of  # noqa: E402
from learning.training import Rows, fit  # noqa: E402
from ranker.model import Requests  # noqa: E402
from ranker.references import Reference, ReferenceRanker  # noqa: E402
from ranker.sasrec import NextItems, SasRec  # noqa: E402

Ids = NDArray[np.int32]
CHUNK = 1024  # histories that are scored at a time
HELD_OUT = 2  # behaviours at the end of each sequence: the newest is for testing, the one before for validation


@dataclass(frozen=True)
class Sequences:
    """What is learned from."""

    offsets: NDArray[np.int64]
    item: Ids


def sequences_of(path: Path) -> tuple[list[Ids], int]:
    """Return each user's item rows, oldest first, and how many items there are; item n of the file is row n - 1."""
    with gzip.open(path, "rt", encoding="ascii") as lines:
        rows = [np.array(line.split()[1:], dtype=np.int32) - 1 for line in lines]
    return rows, int(max(row.max() for row in rows)) + 1


class OverAllItems(NextItems):
    """The same examples with the loss that RecBole has: a softmax over the whole catalog."""

    def loss(self, model: nn.Module, rows: Rows, device: torch.device) -> Tensor:
        """Return the mean cross-entropy of the next item."""
        if not isinstance(model, SasRec):
            raise TypeError(f"{type(model).__name__} has no item table")
        chosen = torch.from_numpy(rows)
        sequence = self.sequence[chosen, : int(self.length[chosen].max())].to(device)
        past, target = sequence[:, :-1], sequence[:, 1:]
        states = model.states(past)[target >= 0]
        return nn.functional.cross_entropy(states @ model.item.weight.T, target[target >= 0])


@torch.no_grad()
def quality(model: SasRec, sequences: list[Ids]) -> tuple[float, float]:
    """Return HR@10 and NDCG@10 of the validation items over the whole catalog, a user's own items left out."""
    ranks = []
    for start in range(0, len(sequences), CHUNK):
        part = sequences[start : start + CHUNK]
        histories = histories_of([row[:-HELD_OUT] for row in part])
        scores = model.scores(histories)
        reached = scores.gather(1, torch.tensor([[int(row[-HELD_OUT])] for row in part]))
        own = torch.where(histories < 0, histories[:, :1], histories)
        scores.scatter_(1, own, -torch.inf)
        ranks.append((scores > reached).sum(dim=1))
    rank = torch.cat(ranks).numpy()
    hits = rank < 10
    return float(hits.mean()), float((hits / np.log2(rank + 2)).mean())


def sasrec_epochs(options: argparse.Namespace) -> list[dict[str, float]]:
    """Train as `learning.training.fit` does, and return what stood after each epoch; scoring is not in its seconds."""
    sequences, items = sequences_of(options.sequences)
    train = [row[:-HELD_OUT] for row in sequences]
    offsets = np.cumsum([0, *map(len, train)], dtype=np.int64)
    log = Log.of(Sequences(offsets, np.concatenate(train)), items)
    config = TrainingConfig(epochs=options.epochs, batch_size=options.batch, seed=options.seed)
    torch.manual_seed(config.seed)
    model = SasRec(items)
    examples = OverAllItems(log) if options.loss == "full" else NextItems(log)
    targets = int((examples.length - 1).clamp(max=REACH).sum())
    epochs: list[dict[str, float]] = []
    begun = cpu_seconds()

    def validated(_: nn.Module) -> float:
        nonlocal begun
        spent = cpu_seconds() - begun
        hit, ndcg = quality(model, sequences)
        epochs.append({"cpu_seconds": spent, "hit": hit, "ndcg": ndcg, "examples": targets})
        print(f"epoch {len(epochs) - 1}: {spent:.1f} CPU-s, HR@10 {hit:.4f}, NDCG@10 {ndcg:.4f}", file=sys.stderr)
        begun = cpu_seconds()
        return ndcg

    for epoch, kept in zip(epochs, fit(model, examples, validated, config), strict=True):
        epoch["loss"] = kept.loss
    return epochs


def din_rounds(options: argparse.Namespace) -> dict[str, object]:
    """Train DIN on the batches of a file, once to warm up and then `rounds` times."""
    with np.load(options.batches) as file:
        items = int(file["items"])
        history, target = torch.from_numpy(file["history"]) - 1, torch.from_numpy(file["target"]) - 1
        labels = torch.from_numpy(file["label"])
    torch.manual_seed(1)
    model = ReferenceRanker(Reference.DIN, items, width=options.dim)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.0, fused=True)  # as `fit` has it
    nothing = torch.zeros(*target.shape[1:], 0)  # no features of a pair
    spent, losses = [], []
    for _ in range(options.rounds + 1):
        begun, total = cpu_seconds(), 0.0
        for past, offered, label in zip(history, target, labels, strict=True):
            optimizer.zero_grad(set_to_none=True)
            logits = model(Requests(past, offered, nothing))
            loss = nn.functional.binary_cross_entropy_with_logits(logits, label)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 10.0)
            optimizer.step()
            total += float(loss.detach())
        spent.append(cpu_seconds() - begun)
        losses.append(total / len(labels))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {"cpu_seconds": spent[1:], "examples": labels.numel(), "losses": losses, "parameters": parameters}


def main() -> None:
    """Run once, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=["sasrec", "din"])
    parser.add_argument("--sequences", type=Path, help="a line a user: user item item ..., gzipped")
    parser.add_argument("--loss", choices=["full", "sampled"], default="sampled")
    parser.add_argument("--batch", type=int, default=256, help="sequences of a batch")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batches", type=Path, help="a file of numpy's: target, history, label, items")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--dim", type=int, default=64)
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures = {"epochs": sasrec_epochs(options)} if options.model == "sasrec" else din_rounds(options)
    versions = {name: version(name) for name in ("torch", "numpy")}
    print(json.dumps({**figures, "peak_mb": memory_mb("VmHWM"), "versions": versions}), flush=True)


if __name__ == "__main__":
    main()
