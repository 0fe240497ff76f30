"""Which leaf category stands at a place: what is wanted beyond a log shows in kinds of things before it does in items.

Shapes: B rows, N places, K places that are asked, C categories.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from diffusion.config import Attention
from diffusion.evidence import SIDES, Company, Glance, Read
from learning.counting import Log, neighbours, transitions
from learning.links import Links

MOST = 2_000  # categories that are told apart: tables grow with the square of their number
RIDGE = 0.02  # of the number of rows; EASE shrinks by it


@dataclass(frozen=True, eq=False)
class Kin:
    """How categories go together over the rows of a log."""

    cosine: Tensor  # [C, C] of the rows that have both; 0 of a category with itself
    ease: Tensor  # [C, C] weights of a linear autoencoder over categories (Steck, WWW 2019, arXiv 1905.03375)
    links: tuple[Links, ...]  # beside, after and before each other, as `SIDES`

    @classmethod
    def of(cls, items: Tensor, group: Tensor) -> "Kin":
        """Count rows of items [B, N], negative where there is none; `group` [items] has -1 for no category."""
        size = int(group.max()) + 1
        place = torch.where(items >= 0, group[items.clamp(min=0)], -1)
        has = categories_of(items, group)
        both = (has.T @ has).double()
        lengths = both.diagonal().clamp(min=1).sqrt()
        inverse = torch.linalg.inv(both + max(1.0, RIDGE * len(has)) * torch.eye(size, dtype=torch.float64))
        ends = (place >= 0).sum(dim=1).cumsum(0)
        log = Log(torch.cat([torch.zeros(1, dtype=torch.long), ends]), place[place >= 0], size)
        return cls(
            hollow(both / torch.outer(lengths, lengths)),
            hollow(-inverse / inverse.diagonal()),
            (neighbours(log), transitions(log), transitions(log, backwards=True)),
        )


@dataclass(frozen=True, eq=False)
class Lore:
    """What is known of the categories of a catalog."""

    group: Tensor  # [items]: the category of each, -1 for none
    ties: tuple[Tensor, ...] = ()  # [C, C] each: how near categories are by what is known of their items
    kin: tuple[Kin, ...] = ()  # of all rows of a log, then of all folds but each

    @property
    def categories(self) -> int:
        """How many categories there are."""
        return int(self.group.max()) + 1 if len(self.group) else 0


def categories_of(items: Tensor, group: Tensor) -> Tensor:
    """Return which categories each row of items has, [rows, C] of 0 and 1."""
    size = int(group.max()) + 1
    place = torch.where(items >= 0, group[items.clamp(min=0)], -1)
    has = torch.zeros(len(items), size + 1, device=items.device)
    has.scatter_(1, torch.where(place < 0, size, place), 1.0)
    return has[:, :size]


class Kinship(nn.Module):
    """Chances of the categories, and of none, at the places that are asked.

    First whether it is a category that the row shows already, then which one (repeat or explore: RepeatNet, Ren et al.
    2019, arXiv 1812.02646): what goes with the visible ones is thus not weighed against more of the same.
    """

    def __init__(self, width: int, categories: int, ties: int, company: bool) -> None:
        super().__init__()
        self.register_buffer("share", torch.tensor(0.5))  # how much the kinds count beside the items, in [0, 1]
        self.is_new = nn.Linear(width, 1)
        self.old, self.new = nn.Linear(width, categories + 1), nn.Linear(width, categories + 1)
        for linear in (self.is_new, self.old, self.new):
            nn.init.normal_(linear.weight, std=0.1 * width**-0.5)
            nn.init.zeros_(linear.bias)
        self.same = Glance(width)
        self.same_strength = nn.Parameter(torch.tensor(1.0))
        self.strength = nn.Parameter(torch.full((ties + 1,), 0.5))  # of ties, of the cosine
        self.little = nn.Parameter(torch.full((ties + 1,), -2.0))  # ln of what counts for little
        self.ease = nn.Parameter(torch.tensor(1.0))
        self.old_company = nn.ModuleList(Company(width, side) for side in SIDES if company)
        self.new_company = nn.ModuleList(Company(width, side) for side in SIDES if company)

    def forward(self, read: Read, lore: Lore, fold: int) -> Tensor:
        """Return ln p [K, C + 1]; the last one is of items without a category."""
        places = torch.where(read.items >= 0, lore.group[read.items.clamp(min=0)], -1)
        has = categories_of(_visible(read), lore.group)
        kin = lore.kin[fold] if lore.kin else None
        old, new = self.old(read.asked), self.new(read.asked)
        shown = torch.nn.functional.pad(has, (0, 1)).bool()
        repeats = self._repeats(replace(read, items=places), has.shape[1], kin)
        explores = self._explores(replace(read, items=places), has, lore.ties, kin)
        old = (old + torch.nn.functional.pad(repeats, (0, 1))).masked_fill(~shown, -1e9)
        new = (new + torch.nn.functional.pad(explores, (0, 1))).masked_fill(shown, -1e9)
        gate = self.is_new(read.asked).masked_fill(~shown.any(dim=1, keepdim=True), 1e9)
        old = torch.log_softmax(old, dim=1) + torch.nn.functional.logsigmoid(-gate)
        return torch.where(shown, old, torch.log_softmax(new, dim=1) + torch.nn.functional.logsigmoid(gate))

    def _repeats(self, read: Read, size: int, kin: Kin | None) -> Tensor:
        """Return what speaks for each visible category, [K, C]."""
        weight = self.same(read)
        column = torch.where(read.items < 0, size, read.items)[read.row]
        mass = torch.zeros(len(weight), size + 1, device=weight.device).scatter_add(1, column, weight)
        told = self.same_strength * torch.log(mass[:, :size] + 1e-3)
        for company, links in zip(self.old_company, kin.links if kin else (), strict=bool(kin)):
            told = told + company(read, links)
        return told

    def _explores(self, read: Read, has: Tensor, ties: Sequence[Tensor], kin: Kin | None) -> Tensor:
        """Return what speaks for each category that is not visible, [K, C]."""
        counted = [has @ table for table in (*ties, *((kin.cosine,) if kin else ()))]
        told = torch.zeros_like(has)
        for own, strength, little in zip(counted, self.strength, self.little, strict=False):
            told = told + strength * torch.log1p(own / little.exp())
        if kin is not None:
            told = told + self.ease * (has @ kin.ease)
            for company, links in zip(self.new_company, kin.links, strict=True):
                told = told + company(read, links)
        return told


def explored(items: Tensor, categories: Tensor, visible: Tensor, group: Tensor, share: float) -> Tensor:
    """Return chances [B, items] in which those of new categories are shared out anew.

    `items` [B, items] are chances of items and `categories` [B, C + 1] of categories, by the same model; `visible`
    [B, C]. A category that the row does not show gets the geometric mean of both beliefs, in which its own one weighs
    `share`; all of these together keep as much as they had, and each item its part of its category: items tell more of
    the same, kinds tell what is new.
    """
    last = categories.shape[1] - 1
    column = torch.where(group < 0, last, group)
    mass = torch.zeros_like(categories).scatter_add(1, column.expand(len(items), -1), items)
    new = ~torch.nn.functional.pad(visible, (0, 1)).bool()
    mean = mass.clamp(min=1e-30) ** (1 - share) * categories**share * new * (mass > 0)
    whole = (mass * new).sum(dim=1, keepdim=True) / mean.sum(dim=1, keepdim=True).clamp(min=1e-30)
    factor = torch.where(new, mean * whole / mass.clamp(min=1e-30), 1.0)
    return items * factor[:, column]


def hollow(table: Tensor) -> Tensor:
    """Return a square table with zeros on its diagonal."""
    return (table - torch.diag(table.diagonal())).float()


def _visible(read: Read) -> Tensor:
    """Return the items that each place may read, [K, N], -1 elsewhere."""
    items = read.items[read.row]
    if read.attention is Attention.EARLIER:
        places = torch.arange(items.shape[1], device=items.device)
        items = torch.where(places <= read.place.unsqueeze(1), items, -1)
    return items
