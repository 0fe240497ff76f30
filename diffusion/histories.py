"""Histories as the denoiser reads them: items, times, kinds and sources in rows, hidden places, a user's demands.

Shapes: B rows, N places (oldest first, NONE at the end), M demands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffusion.denoiser import GAPS, KINDS, SOURCES, Context
from diffusion.tokens import NONE
from memory.behaviors.sequences import Sequences

MINUTE = 60_000  # milliseconds; where times are order numbers, one step is as good as none
RUN = 3  # places of a span where times do not tell


@dataclass(frozen=True, eq=False)
class Histories:
    """Behaviours in rows."""

    item: Tensor  # [B, N] item rows, NONE for no behaviour
    time: Tensor  # [B, N]
    kind: Tensor  # [B, N]
    source: Tensor  # [B, N]

    @classmethod
    def of(cls, behaviors: Sequences, users: NDArray[np.int64], longest: int) -> Self:
        """Return the newest `longest` behaviours of some users."""
        ends = behaviors.offsets[users + 1]
        starts = np.maximum(behaviors.offsets[users], ends - longest)
        width = max(1, int((ends - starts).max(initial=1)))
        place = starts[:, None] + np.arange(width)
        there = place < ends[:, None]
        place = np.where(there, place, 0) if len(behaviors.item) else np.zeros_like(place)
        columns = [own.astype(np.int64) for own in (behaviors.item, behaviors.time, behaviors.kind, behaviors.source)]
        if not len(behaviors.item):
            columns = [np.zeros(1, np.int64)] * len(columns)
        item, time, kind, source = (torch.from_numpy(column[place]) for column in columns)
        return cls(torch.where(torch.from_numpy(there), item, NONE), time, kind, source)

    @classmethod
    def of_items(cls, sequences: Sequence[NDArray[np.int32]], longest: int) -> Self:
        """Return rows of which nothing is known but the items."""
        width = max([1, *(min(longest, len(own)) for own in sequences)])
        item = np.full((len(sequences), width), NONE, dtype=np.int64)
        for row, own in enumerate(sequences):
            newest = own[-longest:]
            item[row, : len(newest)] = newest
        place = torch.arange(width).expand(item.shape)
        return cls(torch.from_numpy(item), place, torch.full_like(place, KINDS - 1), torch.zeros_like(place))

    @property
    def real(self) -> Tensor:
        """Where there are behaviours, [B, N]."""
        return self.item >= 0

    @cached_property
    def lengths(self) -> Tensor:
        """How many behaviours each row has, [B]."""
        return self.real.sum(dim=1)

    def rows(self, chosen: Tensor) -> Self:
        """Return some rows, as wide as the longest of them."""
        longest = max(1, int(self.lengths[chosen].max())) if len(chosen) else 1
        return type(self)(*(column[chosen, :longest] for column in (self.item, self.time, self.kind, self.source)))

    def with_slots(self, after: Tensor) -> tuple[Self, Tensor]:
        """Return the rows with one more place after the `after`-th behaviour of each [B, S] (0: before the first).

        `after` rises in each row. The new places have the item NONE for now, and are given as [B, S]; each has the
        time of the behaviour before it, or the first one's.
        """
        slots, width = after.shape[1], self.item.shape[1]
        old = torch.arange(width).expand(self.item.shape).contiguous()
        moved = old + (after.unsqueeze(2) <= old.unsqueeze(1)).sum(dim=1)  # slots before each behaviour
        new = after + torch.arange(slots)
        made = []
        for column in (self.item, self.time, self.kind, self.source):
            wide = torch.full((len(column), width + slots), NONE)
            made.append(wide.scatter(1, moved, column))
        place = (after - 1).clamp(min=0, max=width - 1)
        made[1] = made[1].scatter(1, new, self.time.gather(1, place))
        return type(self)(*made), new

    def without(self, place: Tensor) -> Self:
        """Return the rows without what stands at one place of each [B]; later behaviours move up."""
        width = self.item.shape[1]
        kept = torch.arange(width - 1).expand(len(place), -1)
        kept = kept + (kept >= place.unsqueeze(1))
        if width == 1:
            return type(self)(torch.full_like(self.item, NONE), self.time, self.kind, self.source)
        return type(self)(*(own.gather(1, kept) for own in (self.item, self.time, self.kind, self.source)))

    def keeping(self, kept: Tensor) -> Self:
        """Return the rows with those behaviours alone that a mask [B, N] names; later ones move up."""
        kept = kept & self.real
        order = torch.argsort((~kept).long(), dim=1, stable=True)
        item = torch.where(kept, self.item, NONE)
        return type(self)(*(own.gather(1, order) for own in (item, self.time, self.kind, self.source)))

    def continued(self, items: Tensor) -> Self:
        """Return the rows with one behaviour more at their end [B], an hour after the last."""
        after = self.lengths.unsqueeze(1)
        wide = [
            torch.nn.functional.pad(own, (0, 1), value=NONE) for own in (self.item, self.time, self.kind, self.source)
        ]
        last = self.time.gather(1, (after - 1).clamp(min=0))
        new = (items.unsqueeze(1), last + 60 * MINUTE, torch.full_like(after, KINDS - 1), torch.ones_like(after))
        return type(self)(*(own.scatter(1, after, value) for own, value in zip(wide, new, strict=True)))

    def context(self, visible: Tensor) -> Context:
        """Return what stands beside the items; of what is not visible [B, N] no more than that it is there."""
        gap = gaps(self.time, visible)
        return Context(
            gap=torch.where(visible, gap, GAPS - 1),
            kind=torch.where(visible, self.kind, KINDS - 1),
            source=torch.where(visible, self.source, SOURCES - 1),
        )

    def spans(self) -> Tensor:
        """Return which span of time each behaviour is in, [B, N]: a longer gap than a row's mean begins a new one."""
        gap = gaps(self.time, self.real).float()
        inner = self.real & (gap < GAPS - 1)
        mean = (gap * inner).sum(dim=1, keepdim=True) / inner.sum(dim=1, keepdim=True).clamp(min=1)
        begins = (inner & (gap > mean)).long().cumsum(dim=1)
        runs = torch.arange(self.item.shape[1]) // RUN
        told = (begins.amax(dim=1, keepdim=True) > 0) & (mean > 0)
        return torch.where(told, begins, runs)


def gaps(time: Tensor, visible: Tensor) -> Tensor:
    """Return the bucket of the time since the visible behaviour before, [B, N]: log2 of minutes; the last one: none."""
    place = torch.arange(time.shape[1]).expand(time.shape)
    seen = torch.where(visible, place, -1).cummax(dim=1).values
    before = torch.cat([torch.full((len(seen), 1), -1), seen[:, :-1]], dim=1)
    since = time - time.gather(1, before.clamp(min=0))
    bucket = torch.log2(1 + since.clamp(min=0).double() / MINUTE).long().clamp(max=GAPS - 2)
    return torch.where(before >= 0, bucket, GAPS - 1)


@dataclass(frozen=True, eq=False)
class Demands:
    """What may be wanted: each demand's vector, and how much each item speaks for each demand."""

    texts: tuple[str, ...]
    vectors: Tensor  # [demands, dimensions]
    offsets: Tensor  # items + 1
    demand: Tensor
    weight: Tensor

    def weights(self, items: Tensor) -> Tensor:
        """Return how much each demand is spoken for by rows of items [B, N] (negative: none), [B, demands]."""
        row, place = (items >= 0).nonzero(as_tuple=True)
        item = items[row, place]
        fan = self.offsets[item + 1] - self.offsets[item]
        entry = torch.arange(int(fan.sum())) + torch.repeat_interleave(self.offsets[item] - fan.cumsum(0) + fan, fan)
        size = len(self.texts)
        total = torch.zeros(len(items) * size)
        total.index_add_(0, torch.repeat_interleave(row, fan) * size + self.demand[entry], self.weight[entry])
        return total.view(len(items), size)

    def of(self, items: Tensor, most: int) -> tuple[Tensor, Tensor]:
        """Return the vectors of each row's strongest demands [B, M, dimensions], and which there are [B, M]."""
        strength, chosen = self.weights(items).topk(min(most, len(self.texts)), dim=1)
        return self.vectors[chosen], strength > 0
