"""The autoregressive twin: the same network, of equal size, reads earlier places alone and foretells what is next."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from diffusion.config import Bound, DiffusionConfig
from diffusion.denoiser import Places
from diffusion.evidence import Compared
from diffusion.fitting import category_losses, code_chances, folds_of, length_batches
from diffusion.histories import Histories
from diffusion.losses import bounded, digit_losses, sampled_losses
from diffusion.reading import Reading
from learning.training import Rows


@dataclass(eq=False)
class NextItems:
    """Examples for `learning.training.fit`: each place of a sequence foretells the one after it, whole items alone.

    All behaviours count alike: with rare ones counting more it finds fewer hidden categories (docs/beyond-log.md).
    """

    histories: Histories
    reading: Reading
    config: DiffusionConfig
    chance: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.lengths = self.histories.lengths
        self.folds = folds_of(len(self.lengths), self.config)
        self.chance = code_chances(self.histories, self.reading)[0]

    def batches(self, epoch: int, seed: int, size: int) -> Sequence[Rows]:
        """Return an epoch's batches in random order; each holds sequences of nearly one length."""
        return length_batches(self.lengths, self.folds, epoch, seed, size)

    def loss(self, model: nn.Module, rows: Rows, device: torch.device) -> Tensor:
        """Return the mean loss of a row, that of its places averaged: the weight that the diffusion gives them."""
        histories = self.histories.rows(torch.from_numpy(rows))
        asked = torch.nn.functional.pad(histories.real[:, 1:], (0, 1))
        places = Places(*asked.nonzero(as_tuple=True))
        true = histories.item[places.row, places.place + 1]
        digits = self.reading.tokens.of(histories.item)
        shared = torch.multinomial(self.chance, max(1, self.config.negatives), replacement=True)
        logits = model(
            digits.to(device),
            replace(histories.context(histories.real), fold=int(self.folds[rows[0]])).to(device),
            Places(*(part.to(device) for part in places)),
            [Compared(true.to(device), shared.to(device))] if self.config.negatives else None,
            kinds=True,
        )
        losses = (
            sampled_losses(logits[0], true.to(device), shared.to(device), self.chance.to(device))
            if self.config.negatives
            else digit_losses(logits[0], true.to(device))
        )
        losses = losses + category_losses(logits, true.unsqueeze(1), self.reading.group)[:, 0]
        weights = (1 / asked.sum(dim=1).clamp(min=1))[places.row]
        return bounded(losses, weights.to(device), len(rows), Bound.COUNT)
