"""What the visible behaviours of a sequence say of a place directly: by likeness of vectors, and by company kept.

Shapes: B rows, N places, K places that are asked, D width.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from diffusion.config import Attention
from learning.links import Links

TABLED = 2_000  # items up to which links are multiplied as a whole table: few, and nearly all of them linked


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

        def said(total: Tensor) -> Tensor:
            return self.scale * torch.log1p(total / self.little.exp())

        if codes is None:
            return _said_of_all(read, weight, links, said)
        return said(_met_of_some(read, weight, links, codes))


def _said_of_all(read: Read, weight: Tensor, links: Links, said: Callable[[Tensor], Tensor]) -> Tensor:
    """Return what is said of how much each item is met, [K, items]: of one that is not, nothing.

    It is met by what is visible: the sum of the weights times the links' strength.
    """
    size = len(links.offsets) - 1
    if size <= TABLED:
        column = torch.where(read.items < 0, size, read.items)[read.row]
        return said(torch.zeros(len(weight), size + 1).scatter_add(1, column, weight)[:, :size] @ links.table)
    asked, place = (weight > 0).nonzero(as_tuple=True)
    source = read.items[read.row[asked], place]
    if not weight.requires_grad:
        return links.sums(asked, source, weight[asked, place], len(weight), said)
    owner, link = links.leaving(source)
    flow = weight[asked, place][owner] * links.weight[link]
    total = torch.zeros(len(weight) * size).index_add(0, asked[owner] * size + links.item[link], flow)
    return said(total.view(len(weight), size))


def _met_of_some(read: Read, weight: Tensor, links: Links, codes: Compared) -> Tensor:
    """Return how much the compared items are met, [K, 1 + shared].

    Links are looked up once for each visible behaviour, not for each place that reads it, and nothing is learned
    through them: what is learned are the weights that they are multiplied by.
    """
    met = _Met.of(read.items, links, torch.cat(codes))
    rows, places = read.items.shape
    spread = torch.zeros(rows, places, places).index_put((read.row, read.place), weight)
    shared = (spread @ met.to_shared(codes.shared))[read.row, read.place]
    own = (weight * met.to_own(read.row, codes.own)).sum(dim=1, keepdim=True)
    return torch.cat([own, shared], dim=1)


@dataclass(frozen=True, eq=False)
class _Met:
    """Links of the visible behaviours [B, N] to items that are wanted, one a row."""

    shape: torch.Size  # of the behaviours
    items: int
    behavior: Tensor  # which of the B * N
    item: Tensor
    strength: Tensor

    @classmethod
    def of(cls, behaviors: Tensor, links: Links, wanted: Tensor) -> Self:
        """Look the links up."""
        visible = (behaviors.flatten() >= 0).nonzero()[:, 0]
        owner, link = links.leaving(behaviors.flatten()[visible])
        items = len(links.offsets) - 1
        is_wanted = torch.zeros(items, dtype=torch.bool)
        is_wanted[wanted] = True
        item = links.item[link]
        there = is_wanted[item].nonzero()[:, 0]
        return cls(behaviors.shape, items, visible[owner[there]], item[there], links.weight[link[there]])

    def to_shared(self, items: Tensor) -> Tensor:
        """Return the strength of each behaviour's link to each of some items [D], [B, N, D]; one may stand twice."""
        unique, copies = torch.unique(items, return_inverse=True)
        column = torch.full((self.items,), -1)
        column[unique] = torch.arange(len(unique))
        there = (column[self.item] >= 0).nonzero()[:, 0]
        strength = torch.zeros(self.shape.numel(), len(unique))
        strength[self.behavior[there], column[self.item[there]]] = self.strength[there]
        return strength[:, copies].view(*self.shape, -1)

    def to_own(self, row: Tensor, items: Tensor) -> Tensor:
        """Return the strength of the links from each behaviour of a row [K] to one item [K], [K, N]."""
        unique, copies = torch.unique(row * self.items + items, return_inverse=True)
        strength = torch.zeros(len(unique), self.shape[1])
        if len(unique):
            behind = self.behavior // self.shape[1] * self.items + self.item
            place = torch.searchsorted(unique, behind).clamp(max=len(unique) - 1)
            there = (unique[place] == behind).nonzero()[:, 0]
            strength[place[there], self.behavior[there] % self.shape[1]] = self.strength[there]
        return strength[copies]
