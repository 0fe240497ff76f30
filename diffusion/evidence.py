"""What the visible behaviours of a sequence say of a place directly: by likeness of vectors, and by company kept.

Shapes: B rows, N places, K places that are asked, D width.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

import torch
from torch import Tensor, nn

from diffusion.config import Attention
from learning.counting import Links


class Compared(NamedTuple):
    """Codes of one digit that are compared at K places: each place's own one first, then shared ones."""

    own: Tensor  # [K]
    shared: Tensor  # [D]


@dataclass(frozen=True, eq=False)
class Read:
    """What was read of the rows, for the places that are asked."""

    asked: Tensor  # [K, D]: the states of those places
    states: Tensor  # [B, N, D]
    items: Tensor  # [B, N] item rows; negative where there is none, or a hidden one
    row: Tensor  # [K]
    place: Tensor  # [K]
    attention: Attention

    def detached(self) -> "Read":
        """Return the same, through which nothing is learned."""
        return replace(self, asked=self.asked.detach(), states=self.states.detach())


class Side(StrEnum):
    """Which visible behaviours of a place count."""

    ANY = "any"
    BEFORE = "before"
    AFTER = "after"


class Glance(nn.Module):
    """How much each visible behaviour counts for a place, [K, N]; nearer ones count more at first."""

    def __init__(self, width: int, side: Side = Side.ANY) -> None:
        super().__init__()
        self.side = side
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.normal_(self.query.weight, std=0.02)
        nn.init.normal_(self.key.weight, std=0.02)
        self.near = nn.Parameter(torch.tensor(0.35))  # by how much a logit falls with each place away: .7 at first

    def forward(self, read: Read) -> Tensor:
        """Return weights that add up to 1, or to 0 where nothing is visible."""
        places = torch.arange(read.items.shape[1], device=read.items.device)
        seen = (read.items >= 0)[read.row]
        if read.attention is Attention.EARLIER:  # asks for what comes after its place
            seen = seen & (places <= read.place.unsqueeze(1)) & (self.side is not Side.AFTER)
        elif self.side is not Side.ANY:
            seen = seen & ((places < read.place.unsqueeze(1)) == (self.side is Side.BEFORE))
        weight = torch.einsum("kd,knd->kn", self.query(read.asked), self.key(read.states)[read.row])
        weight = weight / read.asked.shape[1] ** 0.5 - self.near * (places - read.place.unsqueeze(1)).abs()
        return torch.softmax(weight.masked_fill(~seen, -1e9), dim=1) * seen


class Likeness(nn.Module):
    """Which vector is expected: those of the visible items, as they count, and a learned part."""

    def __init__(self, width: int, dimensions: int) -> None:
        super().__init__()
        self.glance, self.own = Glance(width), nn.Linear(width, dimensions)
        nn.init.zeros_(self.own.weight)
        nn.init.zeros_(self.own.bias)
        self.scale = nn.Parameter(torch.tensor(8.0))

    def forward(self, read: Read, vectors: Tensor) -> Tensor:
        """Return expected vectors [K, dimensions], not of unit length: how long says how sure; `vectors` [B, N, .]."""
        mixed = torch.einsum("kn,knd->kd", self.glance(read), vectors[read.row])
        return torch.as_tensor(self.scale * mixed + self.own(read.asked))


SIDES = (Side.ANY, Side.BEFORE, Side.AFTER)  # of `diffusion.fitting.company_of`, in order


class Company(nn.Module):
    """Which items stand beside, after or before the visible ones in other histories; it counts by its logarithm."""

    def __init__(self, width: int, side: Side) -> None:
        super().__init__()
        self.glance = Glance(width, side)
        self.scale = nn.Parameter(torch.tensor(0.8))
        self.little = nn.Parameter(torch.tensor(-4.0))  # ln of the weight below which company says little

    def forward(self, read: Read, links: Links, codes: Compared | None = None) -> Tensor:
        """Return what company adds to the logits of all items [K, items], or of compared ones [K, 1 + shared]."""
        weight = self.glance(read)
        asked, place = (weight > 0).nonzero(as_tuple=True)
        source = read.items[read.row[asked], place]
        fan = links.offsets[source + 1] - links.offsets[source]
        owner = torch.repeat_interleave(torch.arange(len(source)), fan)
        link = torch.arange(len(owner)) + (links.offsets[source] - fan.cumsum(0) + fan)[owner]
        met = _Met(asked[owner], links.item[link], weight[asked, place], owner, links.weight[link])
        size = len(links.offsets) - 1
        total = met.on_all(len(weight), size) if codes is None else met.on_some(codes, size)
        return torch.as_tensor(self.scale * torch.log1p(total / self.little.exp()))


@dataclass(frozen=True, eq=False)
class _Met:
    """Items that stand beside visible ones, one a row: for which place, which item, through whom and how much."""

    place: Tensor
    item: Tensor
    weight: Tensor  # of each (place, visible item)
    owner: Tensor
    strength: Tensor

    def on_all(self, places: int, items: int) -> Tensor:
        """Return how much each item is met, [K, items]."""
        total = torch.zeros(places * items)
        flow = self.weight[self.owner] * self.strength
        return total.index_add(0, self.place * items + self.item, flow).view(places, items)

    def on_some(self, codes: Compared, items: int) -> Tensor:
        """Return how much the compared items are met, [K, 1 + shared]; what else is met costs nothing."""
        unique, copies = torch.unique(codes.shared, return_inverse=True)
        column = torch.full((items,), -1)
        column[unique] = torch.arange(len(unique))
        there = (column[self.item] >= 0).nonzero()[:, 0]
        width = len(unique)
        shared = torch.zeros(len(codes.own) * width).index_add(
            0, self.place[there] * width + column[self.item[there]], self._flow(there)
        )
        is_own = (self.item == codes.own[self.place]).nonzero()[:, 0]
        own = torch.zeros(len(codes.own)).index_add(0, self.place[is_own], self._flow(is_own))
        return torch.cat([own.unsqueeze(1), shared.view(-1, width)[:, copies]], dim=1)

    def _flow(self, chosen: Tensor) -> Tensor:
        return self.weight[self.owner[chosen]] * self.strength[chosen]
