"""Item vectors aligned to behaviour: a small projection that draws together what the same shoppers choose."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from learning.config import TrainingConfig
from learning.training import Epoch, Rows, fit
from memory.errors import ReaseqError
from memory.item_vectors.vectors import ItemVectors
from ranker.co_behavior import CoBehaviors

VALIDATED = 1000  # pairs at most
TOP = 10


class AlignmentConfig(TrainingConfig):
    """How the projection is trained."""

    dimensions: int = Field(default=384, ge=2)
    hidden: int = Field(default=384, ge=2)
    temperature: float = Field(default=0.07, gt=0)
    geometry: float = Field(default=1.0, ge=0)  # weight of the term that keeps the text's cosines
    alike: float = 0.98  # texts of a greater cosine are never negatives of each other
    hard: int = Field(default=2, ge=0)  # negatives of the same leaf category, a pair
    validation: float = Field(default=0.05, gt=0, lt=1)  # share of the pairs
    drawn: int = Field(default=65_536, ge=1)  # pairs an epoch, at most as many as there are


class NothingToAlign(ReaseqError):
    """There are too few pairs to learn from."""


@dataclass(frozen=True)
class AlignmentReport:
    """How well left-out pairs find each other among all items: share with the partner among the nearest ten."""

    pairs: int
    epochs: tuple[Epoch, ...]
    raw: float  # of the vectors as they came
    aligned: float


class Projection(nn.Module):
    """z = normalize(W2 gelu(W1 e)), without biases."""

    def __init__(self, given: int, config: AlignmentConfig) -> None:
        super().__init__()
        self.first = nn.Linear(given, config.hidden, bias=False)
        self.second = nn.Linear(config.hidden, config.dimensions, bias=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return unit vectors of shape (N, dimensions)."""
        return functional.normalize(self.second(functional.gelu(self.first(vectors))), dim=-1)


def contrastive_loss(cosines: Tensor, log_q: Tensor, masked: Tensor, temperature: float) -> Tensor:
    """Return the InfoNCE of a batch, whose pair b has its positive in column b: a scalar.

    Shapes: cosines and masked (pairs, columns), log_q (columns).
    s = cosine / τ − log q, with q the share of a column's item among positives, so that the popular ones, who are
    negatives more often, are not pushed away for it (Yi et al. 2019). Masked columns are no negatives.
    """
    rows = torch.arange(len(cosines))
    others = masked.clone()
    others[rows, rows] = False
    scores = (cosines / temperature - log_q).masked_fill(others, -torch.inf)
    return functional.cross_entropy(scores, rows)


def geometry_loss(aligned: Tensor, given: Tensor) -> Tensor:
    """Return mean_ij (z_i · z_j − e_i · e_j)², over all pairs of rows of unit vectors."""
    return (aligned @ aligned.T - given @ given.T).square().mean()


class AlignmentExamples:
    """Pairs as training examples; an epoch draws them in proportion to their weights."""

    def __init__(
        self,
        vectors: NDArray[np.float32],
        pairs: CoBehaviors,
        config: AlignmentConfig,
        *,
        categories: NDArray[np.int64],
    ) -> None:
        self._vectors = torch.from_numpy(vectors)
        self._pairs, self._neighbors, self._config = pairs, pairs.neighbors(), config
        self._categories = categories
        self._by_category = np.argsort(categories, kind="stable")
        self._starts = np.searchsorted(categories[self._by_category], np.arange(categories.max(initial=0) + 2))
        both = np.concatenate([pairs.left, pairs.right])
        drawn = np.bincount(both, np.tile(pairs.weight, 2), len(vectors))
        share = (drawn + drawn.sum() / len(vectors) * 0.01) / (drawn.sum() * 1.01)  # none has a share of zero
        self._log_q = torch.from_numpy(np.log(share).astype(np.float32))
        self._random = np.random.default_rng(0)

    def batches(self, epoch: int, seed: int, size: int) -> Sequence[Rows]:
        """Return an epoch's batches as row numbers of the pairs; the last, smaller one is left out."""
        self._random = np.random.default_rng((seed, epoch))
        share = self._pairs.weight / self._pairs.weight.sum()
        rows = self._random.choice(len(self._pairs), size=max(size, min(self._config.drawn, len(self._pairs))), p=share)
        return [rows[start : start + size] for start in range(0, len(rows) - size + 1, size)]

    def loss(self, model: nn.Module, rows: Rows, device: torch.device) -> Tensor:
        """Return the mean loss of these pairs: InfoNCE from both sides, and the geometry term."""
        anchors, positives = self._directed(rows)
        hard = self._hard(np.repeat(anchors, self._config.hard))
        items = np.concatenate([anchors, positives, hard])
        e = self._vectors[items].to(device)
        z = model(e)
        size = len(rows)
        forth = self._one_side(z, e, items, slice(0, size), slice(size, None))
        back = self._one_side(z, e, items, slice(size, 2 * size), slice(0, size))
        return (forth + back) / 2 + self._config.geometry * geometry_loss(z[: 2 * size], e[: 2 * size])

    def _directed(self, rows: Rows) -> tuple[Rows, Rows]:
        """Return which item of each pair is the anchor, which the positive: by lot."""
        turned = self._random.random(len(rows)) < 0.5
        left, right = self._pairs.left[rows], self._pairs.right[rows]
        return np.where(turned, right, left), np.where(turned, left, right)

    def _hard(self, anchors: Rows) -> Rows:
        """Return one item of each anchor's category, by lot; those that go with it are masked later."""
        begins, ends = self._starts[self._categories[anchors]], self._starts[self._categories[anchors] + 1]
        return self._by_category[begins + (self._random.random(len(anchors)) * (ends - begins)).astype(np.int64)]

    def _one_side(self, z: Tensor, e: Tensor, items: Rows, anchors: slice, columns: slice) -> Tensor:
        of_text = e[anchors] @ e[columns].T
        together = self._neighbors.together(items[anchors], items[columns])
        same = items[anchors][:, None] == items[columns][None]
        masked = (of_text > self._config.alike) | torch.from_numpy(together | same).to(e.device)
        log_q = self._log_q[items[columns]].to(e.device)
        return contrastive_loss(z[anchors] @ z[columns].T, log_q, masked, self._config.temperature)


def align(
    vectors: ItemVectors,
    pairs: CoBehaviors,
    config: AlignmentConfig,
    *,
    categories: Sequence[str] = (),
    as_of: int | None = None,
    folder: Path | None = None,
    told: Callable[[Epoch], None] = lambda epoch: None,
) -> tuple[ItemVectors, AlignmentReport]:
    """Train the projection on pairs of rows of `vectors`, and return all vectors through it, with what it gained.

    `categories` names the leaf of each item; without them hard negatives come from all items. `as_of` is when the pairs
    and what the vectors were made of end. Equal seeds give equal vectors on one CPU thread. Raises `NothingToAlign`.
    """
    held_out = np.random.default_rng(config.seed).random(len(pairs)) < config.validation
    training, validation = pairs.some(~held_out), pairs.some(held_out)
    if len(training) < 2 or not len(validation):
        raise NothingToAlign(f"there are {len(pairs)} pairs of items that the same users chose; that is too few")
    leaves = np.unique(categories or [""] * len(vectors.ids), return_inverse=True)[1].astype(np.int64)
    sized = config.model_copy(update={"batch_size": min(config.batch_size, len(training))})
    examples = AlignmentExamples(vectors.vectors, training, sized, categories=leaves)
    torch.manual_seed(config.seed)
    model, given = Projection(vectors.vectors.shape[1], config), torch.from_numpy(vectors.vectors)
    epochs = fit(model, examples, lambda now: _found(now(given), validation), sized, folder=folder, told=told)
    with torch.no_grad():
        made = model(given).numpy()
    report = AlignmentReport(len(pairs), tuple(epochs), _found(given, validation), max(e.metric for e in epochs))
    encoder = f"{vectors.encoder}+aligned@{hashlib.sha256(made.tobytes()).hexdigest()[:12]}"
    return replace(vectors, vectors=made, encoder=encoder, as_of=as_of), report


def _found(vectors: Tensor, pairs: CoBehaviors) -> float:
    """Return how often a pair's right item is among the nearest ten of its left one, itself left out."""
    chosen = np.random.default_rng(0).permutation(len(pairs))[:VALIDATED]  # the pairs are sorted by their rows
    left, right = torch.from_numpy(pairs.left[chosen]), torch.from_numpy(pairs.right[chosen])
    cosines = vectors[left] @ vectors.T
    rows = torch.arange(len(left))
    cosines[rows, left] = -torch.inf
    better = (cosines > cosines[rows, right][:, None]).sum(dim=1)
    return float((better < TOP).float().mean())
