"""SASRec (Kang & McAuley, arXiv 1808.09781): the next item by self-attention over the last ones; a reference model."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from learning.config import TrainingConfig
from learning.counting import REACH, Behaviors, Log, histories_of
from learning.training import Epoch, Rows, fit

NEGATIVES = 256  # drawn for a batch, shared by all its places
FLATTENED = 0.75  # the power of an item's count at which it is drawn


class SasRec(nn.Module):
    """One block of causal attention over item and place embeddings; the item table gives the scores as well."""

    def __init__(self, items: int, dimensions: int = 64, dropout: float = 0.3) -> None:
        super().__init__()
        self.item = nn.Embedding(items, dimensions)
        self.place = nn.Embedding(REACH, dimensions)
        nn.init.normal_(self.item.weight, std=dimensions**-0.5)
        nn.init.normal_(self.place.weight, std=0.02)
        self.block = nn.TransformerEncoderLayer(
            dimensions, 1, 4 * dimensions, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.norm, self.dropout = nn.LayerNorm(dimensions), nn.Dropout(dropout)

    def forward(self, sequence: Tensor, target: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores of the true next items [known] and of the drawn ones [known, drawn].

        `sequence` and `target` [sequences, L] run oldest first and end in -1, which no place before them can see.
        """
        state = self.states(sequence)[target >= 0]
        own = (state * self.item(target[target >= 0])).sum(dim=1)
        return own, state @ self.item(drawn).T

    def states(self, sequence: Tensor) -> Tensor:
        """Return what is expected after each place, [sequences, L, dimensions]."""
        length = sequence.shape[1]
        later = torch.triu(torch.ones(length, length, dtype=torch.bool, device=sequence.device), diagonal=1)
        read = self.item(sequence.clamp(min=0)) + self.place.weight[:length]
        states: Tensor = self.norm(self.block(self.dropout(read), src_mask=later))
        return states

    def scores(self, history: Tensor) -> Tensor:
        """Return scores [histories, items] for histories as `learning.counting.histories_of` makes them."""
        length = (history >= 0).sum(dim=1).clamp(min=1)
        sequence = _oldest_first(history)[:, : int(length.max())]
        last = self.states(sequence)[torch.arange(len(history)), length - 1]
        return last @ self.item.weight.T


class NextItems:
    """Sequences to learn from; a batch holds sequences of nearly one length, so that little of it is padding."""

    def __init__(self, log: Log) -> None:
        users = (log.lengths > 1).nonzero()[:, 0]
        self.sequence = _oldest_first(log.histories(users, log.lengths[users]))
        self.length = (self.sequence >= 0).sum(dim=1)
        weight = log.counts**FLATTENED
        self.chance = weight / weight.sum()

    def batches(self, epoch: int, seed: int, size: int) -> Sequence[Rows]:
        """Return an epoch's batches in random order; each holds sequences of nearly one length."""
        chance = np.random.default_rng((seed, epoch))
        order = np.argsort(self.length.numpy() + chance.random(len(self.length)), kind="stable")
        parts = [order[start : start + size] for start in range(0, len(order), size)]
        return [parts[place] for place in chance.permutation(len(parts))]

    def loss(self, model: nn.Module, rows: Rows, device: torch.device) -> Tensor:
        """Return the softmax over the true item and drawn ones, each corrected by the chance of being drawn."""
        sequence = self.sequence[torch.from_numpy(rows), : int(self.length[torch.from_numpy(rows)].max())]
        target = sequence[:, 1:]
        drawn = torch.multinomial(self.chance, NEGATIVES, replacement=True)
        own, others = model(sequence[:, :-1].to(device), target.to(device), drawn.to(device))
        true = target[target >= 0]
        others = others - torch.log(NEGATIVES * self.chance[drawn]).to(device)
        others = others.masked_fill((true[:, None] == drawn).to(device), -torch.inf)
        own = own - torch.log(NEGATIVES * self.chance[true]).to(device)
        table = torch.cat([own[:, None], others], dim=1)
        return nn.functional.cross_entropy(table, torch.zeros(len(table), dtype=torch.long, device=device))


def train_sasrec(
    behaviors: Behaviors,
    items: int,
    validate: Callable[[SasRec], float],
    config: TrainingConfig,
    *,
    folder: Path | None = None,
    told: Callable[[Epoch], None] = lambda epoch: None,
) -> SasRec:
    """Return a model trained until `validate` (higher is better) stops rising; see `learning.training.fit`."""
    torch.manual_seed(config.seed)
    model = SasRec(items)
    examples = NextItems(Log.of(behaviors, items))
    fit(model, examples, lambda _: validate(model), config, folder=folder, told=told)
    return model


@torch.no_grad()
def sasrec_scores(model: SasRec, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
    """Return scores [histories, items]; the items of a history are among them."""
    return model.eval().scores(histories_of(histories)).numpy()


def _oldest_first(history: Tensor) -> Tensor:
    """Return histories turned round, with the padding still at the end."""
    place = (history >= 0).sum(dim=1, keepdim=True) - 1 - torch.arange(history.shape[1])
    return torch.where(place >= 0, history.gather(1, place.clamp(min=0)), -1)
