"""A fitted model, and what it is asked: what may stand at a place, and which items a user would turn to.

Shapes: B users, N places, S slots.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffusion.beam import beam
from diffusion.config import Attention, DiffusionConfig
from diffusion.denoiser import Denoiser, Places
from diffusion.fitting import context_of
from diffusion.histories import Histories
from diffusion.kinship import categories_of, explored
from diffusion.reading import Reading
from diffusion.sampler import guided
from diffusion.tokens import MASK

ASKED = 256  # users at a time
SLOTS = 8  # places of a user that are asked at once, where no number is given
Suggested = tuple[NDArray[np.int32], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Imagination:
    """A denoiser, or its autoregressive twin, with what it reads."""

    model: Denoiser
    reading: Reading
    config: DiffusionConfig

    @property
    def is_twin(self) -> bool:
        """Whether it reads what came before alone, and foretells what is next."""
        return self.model.shape.attention is Attention.EARLIER

    @torch.no_grad()
    def log_chances(self, histories: Histories, after: Tensor) -> Tensor:
        """Return ln p [B, items] of one behaviour more after the `after`-th one of each row [B]; 0: before the first.

        The twin reads what stands before the slot alone. For tokens that are whole items.
        """
        return torch.log(self.slot_chances(histories, after.unsqueeze(1))[:, 0].clamp(min=1e-30))

    @torch.no_grad()
    def slot_chances(self, histories: Histories, after: Tensor) -> Tensor:
        """Return p [B, S, items] of behaviours after the `after`-th ones [B, S], which rise; hidden all at once."""
        return torch.softmax(self._slot_logits(histories, after)[0], dim=1).view(*after.shape, -1)

    @torch.no_grad()
    def else_chances(self, histories: Histories, slots: int, share: float | None = None) -> Tensor:
        """Return p [B, items] of what else belongs to histories: the mean over slots in their gaps and at their end.

        Where leaf categories are told apart, what they say of new ones counts as well, by the model's share unless
        another one is given (`diffusion.kinship.explored`).
        """
        after = slots_after(histories.lengths, slots)
        logits = self._slot_logits(histories, after, kinds=slots > 1)
        items, *kinds = (torch.softmax(own, dim=1).view(*after.shape, -1).mean(dim=1) for own in logits)
        kinship, group = self.model.kinship, self.reading.group
        if not kinds or kinship is None:
            return items
        share = float(kinship.get_buffer("share")) if share is None else share
        return explored(items, kinds[0], categories_of(histories.item, group), group, share)

    def _slot_logits(self, histories: Histories, after: Tensor, *, kinds: bool = False) -> list[Tensor]:
        self.model.eval()
        if self.is_twin:
            asked, place = histories, (after - 1).clamp(min=0)
            digits = self.reading.tokens.of(histories.item)
        else:
            asked, place = histories.with_slots(after)
            digits = self.reading.tokens.of(asked.item)
            digits[torch.arange(len(after)).unsqueeze(1), place] = MASK
        row = torch.arange(len(after)).repeat_interleave(after.shape[1])
        return self.predict(asked, digits, Places(row, place.flatten()), kinds=kinds)

    def predict(self, histories: Histories, digits: Tensor, places: Places, *, kinds: bool = False) -> list[Tensor]:
        """Return logits of each digit at the places; the condition guides them as the config says.

        Those of whole items are less the commoner an item is, as far as the config says (Menon et al., 2007.07314).
        With `kinds`, those of leaf categories follow, where they are told apart.
        """
        visible = (digits[..., 0] >= 0) & histories.real
        context = context_of(histories, visible, self.reading, self.config)
        logits: list[Tensor] = self.model(digits, context, places, kinds=kinds)
        if self.config.guidance and context.demands is not None and not self.is_twin:
            plain = self.model(digits, context.without_demands(), places, kinds=kinds)
            logits = guided(logits, plain, self.config.guidance)
        if self.config.rarity and self.reading.counts is not None and self.reading.tokens.length == 1:
            logits[0] = logits[0] - self.config.rarity * torch.log(self.reading.counts.clamp(min=1))
        return logits

    @torch.no_grad()
    def suggest(
        self,
        histories: Sequence[NDArray[np.int32]],
        k: int,
        *,
        seed: int = 0,
        exclude: NDArray[np.bool_] | None = None,
        slots: int = 1,
    ) -> Suggested:
        """Return the `k` likeliest items of each history [B, k] that it does not have, and how likely they are.

        With one slot it is at the end: what comes next. With more, the others are in the history's gaps, and the mean
        chance counts: what else may belong there. Where there are fewer items, the item is -1 and the chance 0.
        `exclude` bool [B, items] bars items. Nothing is drawn; `seed` is there for systems that do.
        """
        found = [
            self.likeliest(
                Histories.of_items(histories[start : start + ASKED], self.config.longest),
                k,
                None if exclude is None else torch.from_numpy(exclude[start : start + ASKED]),
                slots,
            )
            for start in range(0, len(histories), ASKED)
        ]
        items = [own for own, _ in found] or [np.zeros((0, k), np.int32)]
        return np.concatenate(items), np.concatenate([sure for _, sure in found] or [np.zeros((0, k), np.float32)])

    @torch.no_grad()
    def likeliest(self, histories: Histories, k: int, exclude: Tensor | None = None, slots: int = 1) -> Suggested:
        """Return the same of histories with their times and kinds of behaviours; `exclude` bool [B, items]."""
        barred = torch.zeros(len(histories.item), self.reading.tokens.count + 1, dtype=torch.bool)
        barred.scatter_(1, torch.where(histories.real, histories.item, self.reading.tokens.count), value=True)
        barred = barred[:, :-1] if exclude is None else barred[:, :-1] | exclude
        if self.reading.tokens.length > 1:
            return self._by_beam(histories, k, barred)
        chances = self.else_chances(histories, slots)
        sure, items = chances.masked_fill(barred, 0.0).topk(min(k, chances.shape[1]), dim=1)
        items = torch.where(sure > 0, items, -1)
        missing = k - items.shape[1]
        padded = torch.nn.functional.pad(items, (0, missing), value=-1), torch.nn.functional.pad(sure, (0, missing))
        return padded[0].numpy().astype(np.int32), padded[1].numpy().astype(np.float32)

    def _by_beam(self, histories: Histories, k: int, barred: Tensor) -> Suggested:
        self.model.eval()
        slotted, place = histories.with_slots(histories.lengths.unsqueeze(1))
        digits = self.reading.tokens.of(slotted.item)
        digits[torch.arange(len(place)), place[:, 0]] = MASK
        context = context_of(slotted, (digits[..., 0] >= 0) & slotted.real, self.reading, self.config)
        found = beam(self.model, digits, context, place[:, 0], self.reading.tokens, k=k, excluded=barred)
        return found.items.numpy().astype(np.int32), found.log_p.exp().numpy().astype(np.float32)


def slots_after(lengths: Tensor, slots: int) -> Tensor:
    """Return after which behaviour each slot stands [B, slots]: the last at the end, the others evenly before it."""
    share = torch.arange(1, slots + 1) / slots
    return (lengths.unsqueeze(1) * share).round().long()
