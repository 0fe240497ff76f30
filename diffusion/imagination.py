"""A fitted model, and what it is asked: what may stand at a place, what a user would turn to beside what is known."""

from dataclasses import dataclass

import torch
from torch import Tensor

from diffusion.config import Attention, DiffusionConfig
from diffusion.denoiser import Denoiser, Places
from diffusion.fitting import context_of
from diffusion.histories import Histories
from diffusion.reading import Reading
from diffusion.sampler import guided
from diffusion.tokens import MASK

ASKED = 256  # rows at a time


@dataclass(frozen=True, eq=False)
class Imagination:
    """A denoiser over items, or its autoregressive twin, with what it reads."""

    model: Denoiser
    reading: Reading
    config: DiffusionConfig

    @torch.no_grad()
    def log_chances(self, histories: Histories, after: Tensor) -> Tensor:
        """Return ln p [B, items] of one behaviour more after the `after`-th visible one of each row [B].

        The twin reads what stands before the slot alone. For tokens that are whole items.
        """
        self.model.eval()
        if self.model.shape.attention is Attention.EARLIER:
            return self._twin_log_chances(histories, after)
        slotted, place = histories.with_slots(after.unsqueeze(1))
        row = torch.arange(len(after))
        digits = self.reading.tokens.of(slotted.item)
        digits[row, place[:, 0]] = MASK
        logits = self.predict(slotted, digits, Places(row, place[:, 0]))
        return torch.log_softmax(logits[0], dim=1)

    def predict(self, histories: Histories, digits: Tensor, places: Places) -> list[Tensor]:
        """Return logits of each digit at the places; the condition guides them as the config says."""
        visible = (digits[..., 0] >= 0) & histories.real
        context = context_of(histories, visible, self.reading, self.config)
        logits = self.model(digits, context, places)
        if not self.config.guidance or context.demands is None:
            return logits
        return guided(logits, self.model(digits, context.without_demands(), places), self.config.guidance)

    def _twin_log_chances(self, histories: Histories, after: Tensor) -> Tensor:
        place = torch.arange(histories.item.shape[1])
        items = torch.where(place < after.unsqueeze(1), histories.item, -1)
        digits = self.reading.tokens.of(items)
        context = histories.context(items >= 0)
        row = torch.arange(len(after))
        logits = self.model(digits, context, Places(row, (after - 1).clamp(min=0)))
        return torch.log_softmax(logits[0], dim=1)
