"""Training a click-through ranker and scoring with it: impressions in batches, their loss, one request at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from memory.item_vectors.knowledge_table import KnowledgeTable
from ranker.affinity import Affinity, Behind, features_of
from ranker.imagined import imagined_features
from ranker.model import ClickThroughRanker, Requests

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]
CHUNK = 512  # examples that are scored at a time
LEAST_SHARE = 0.01  # of the items that must have an attribute for it to be a view
MOST_GROUPS = 16


def views_of(known: KnowledgeTable) -> tuple[str, ...]:
    """Return the attributes that enough items have to count what goes with what; demands follow from the category."""
    row = np.repeat(np.arange(len(known.ids)), np.diff(known.offsets))
    names = np.array([name for name, _ in known.features])
    having = {name: len(np.unique(row[names[known.feature] == name])) for name in known.groups()}
    enough = [name for name, items in having.items() if items >= LEAST_SHARE * len(known.ids) and name != "demand"]
    return tuple(enough[:MOST_GROUPS])


@dataclass(frozen=True, eq=False)
class Impressions:
    """Examples for `learning.training.fit`: the first candidate was clicked, the others were not."""

    behind: Behind
    features: NDArray[np.float16]  # [examples, candidates, F]
    listwise: float = 0.0  # share of the loss that compares the candidates of one request; the rest is of each alone
    generated: NDArray[np.int32] | None = None  # [examples, G], -1 for none
    confidence: Floats | None = None
    imagined: NDArray[np.float16] | None = None  # [examples, candidates, I]: what the generated ones say of each pair
    labels: Floats | None = None  # [examples, candidates] where the first is not the clicked one
    lengths: Rows = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lengths", (self.behind.history >= 0).sum(axis=1))

    @classmethod
    def of(cls, behind: Behind, views: Sequence[Affinity], listwise: float = 0.0) -> "Impressions":
        """Return impressions with what the training window says of each pair."""
        return cls(behind, features_of(behind, views), listwise)

    def batches(self, epoch: int, seed: int, size: int) -> list[Rows]:
        """Return batches of histories about equally long, in another order each epoch."""
        chance = np.random.default_rng([seed, epoch])
        order = np.argsort(self.lengths + chance.random(len(self.lengths)), kind="stable")
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        return [batches[place] for place in chance.permutation(len(batches))]

    def requests(self, rows: Rows) -> Requests:
        """Return rows as one batch, as long as its longest history."""
        longest = max(1, int(self.lengths[rows].max(initial=1)))
        return Requests(
            torch.from_numpy(self.behind.history[rows, :longest].astype(np.int64)),
            torch.from_numpy(self.behind.candidates[rows].astype(np.int64)),
            torch.from_numpy(self.features[rows].astype(np.float32)),
            None if self.generated is None else torch.from_numpy(self.generated[rows].astype(np.int64)),
            None if self.confidence is None else torch.from_numpy(self.confidence[rows]),
            None if self.imagined is None else torch.from_numpy(self.imagined[rows].astype(np.float32)),
        )

    def loss(self, model: nn.Module, rows: Rows, device: torch.device) -> Tensor:
        """Return the mean loss of an impression (cross-entropy of a click), mixed with that of a whole request."""
        logits: Tensor = model(self.requests(rows).to(device))
        clicked = torch.zeros_like(logits)
        clicked[:, 0] = 1
        if self.labels is not None:
            clicked = torch.from_numpy(self.labels[rows]).to(device)
        alone = nn.functional.binary_cross_entropy_with_logits(logits, clicked)
        if not self.listwise:
            return alone
        together = -(torch.log_softmax(logits, dim=1) * clicked).sum(dim=1).mean() / logits.shape[1]
        return (1 - self.listwise) * alone + self.listwise * together

    def part_loss(self, model: nn.Module, rows: Rows, own: Rows, device: torch.device) -> Tensor:
        """Return what the places `own` of a batch add to its loss; every impression counts alike."""
        return self.loss(model, rows[own], device) * (len(own) / len(rows))


def standardise(
    model: nn.Module, features: NDArray[np.float16], of: str = "features", least_deviation: float = 1e-3
) -> None:
    """Let a model see features with mean 0 and deviation 1, as they are in training; rare ones are not blown up."""
    if features.size:
        flat = features.reshape(-1, features.shape[-1]).astype(np.float64)
        model.get_buffer(f"{of}_mean").copy_(torch.from_numpy(flat.mean(axis=0)))
        model.get_buffer(f"{of}_scale").copy_(torch.from_numpy(np.maximum(flat.std(axis=0), least_deviation)))


@torch.no_grad()
def logits_of(model: nn.Module, impressions: Impressions, device: torch.device | None = None) -> Floats:
    """Return [examples, candidates]; the model is left in evaluation."""
    model.eval()
    here = device or next(model.parameters()).device
    found = np.empty(impressions.behind.candidates.shape, dtype=np.float32)
    for rows in np.array_split(np.argsort(impressions.lengths, kind="stable"), -(-len(found) // CHUNK)):
        found[rows] = model(impressions.requests(rows).to(here)).cpu().numpy()
    return found


def line_of(logits: Floats, rounds: int = 50) -> tuple[float, float]:
    """Return a, b so that sigmoid(a * logit + b) is calibrated on logits [examples, candidates] (Platt 1999; Newton).

    Fitted on the selection: what drifts between training and then moves how sure a model may be.
    """
    told = np.stack([logits.ravel().astype(np.float64), np.ones(logits.size)], axis=1)
    clicked = np.zeros_like(logits)
    clicked[:, 0] = 1
    line = np.array([1.0, 0.0])
    for _ in range(rounds):
        chance = 1 / (1 + np.exp(-np.clip(told @ line, -30, 30)))
        curvature = (told * (chance * (1 - chance))[:, None]).T @ told
        step = np.linalg.solve(curvature + 1e-6 * np.eye(2), told.T @ (chance - clicked.ravel()))
        line = line - step / max(1.0, float(np.linalg.norm(step)))  # Newton's steps overshoot from afar
    return (float(line[0]), float(line[1])) if line[0] > 0 else (1.0, 0.0)


def auc_of(impressions: Impressions) -> Callable[[nn.Module], float]:
    """Return a metric for `learning.training.fit`: the share of (clicked, not clicked) pairs in the right order."""

    def metric(model: nn.Module) -> float:
        logits = logits_of(model, impressions)
        others = np.sort(logits[:, 1:].ravel())
        below = np.searchsorted(others, logits[:, 0], "left") + np.searchsorted(others, logits[:, 0], "right")
        return float(below.mean() / (2 * len(others)))

    return metric


@dataclass(frozen=True, eq=False)
class Ranker:
    """A trained model with what was counted in its training window: scores one request."""

    model: ClickThroughRanker
    views: Sequence[Affinity]
    line: tuple[float, float] = (1.0, 0.0)  # of calibration, see `line_of`
    recent: int = 50  # behaviours whose company counts

    @torch.no_grad()
    def score(
        self,
        history: NDArray[np.int32],
        candidates: NDArray[np.int32],
        generated: NDArray[np.int32] | None = None,
        confidence: Floats | None = None,
    ) -> Floats:
        """Return the probability of a click for each candidate; `history` is oldest first, of any length, or empty.

        What the history needs is computed once for all candidates. `generated` are item rows that were imagined of the
        user, each with its `confidence`; a ranker that has not learned to read such leaves them aside.
        """
        newest = np.asarray(history if len(history) else [-1], dtype=np.int32)[::-1][None]
        offered = np.asarray(candidates, dtype=np.int32)[None]
        behind = Behind(newest[:, : self.recent], offered, np.zeros(1, dtype=np.bool_))
        requests = Requests(
            torch.from_numpy(newest.astype(np.int64)),
            torch.from_numpy(offered.astype(np.int64)),
            torch.from_numpy(features_of(behind, self.views).astype(np.float32)),
            *self._imagined(offered, generated, confidence),
        )
        self.model.eval()
        slope, shift = self.line
        return np.asarray(torch.sigmoid(slope * self.model(requests) + shift)[0].numpy())

    def _imagined(
        self, offered: NDArray[np.int32], generated: NDArray[np.int32] | None, confidence: Floats | None
    ) -> tuple[Tensor, ...]:
        if generated is None or not len(generated) or not self.model.config.imagined:
            return ()
        items = np.asarray(generated, dtype=np.int32)[None]
        sure = np.ones(items.shape, np.float32) if confidence is None else np.asarray(confidence, np.float32)[None]
        told = imagined_features(self.views, items, sure, offered).astype(np.float32)
        return torch.from_numpy(items.astype(np.int64)), torch.from_numpy(sure), torch.from_numpy(told)
