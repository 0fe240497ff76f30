"""The denoiser: a small transformer that says what may stand at hidden places of a behaviour sequence.

Shapes: B rows, N places (oldest first), L digits an item, K places that are asked, M demands, D width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from diffusion.attention import Block, Rotary
from diffusion.config import Attention, DenoiserShape
from diffusion.evidence import SIDES, Company, Compared, Likeness, Read
from diffusion.item_table import DigitTable, ItemKnowledge, ItemTable
from diffusion.kinship import Kinship, Lore
from learning.links import Links

GAPS, KINDS, SOURCES = 24, 5, 3  # codes of time gaps, kinds and sources; the last one of each is "not known"


class Places(NamedTuple):
    """Places that are asked: each its row and its number in the row."""

    row: Tensor  # [K]
    place: Tensor  # [K]


@dataclass(frozen=True, eq=False)
class Context:
    """What stands beside the items of B sequences of N places."""

    gap: Tensor  # [B, N]: bucket of the time since the behaviour before
    kind: Tensor  # [B, N]
    source: Tensor  # [B, N]
    demands: Tensor | None = None  # [B, M, dimensions]
    demands_known: Tensor | None = None  # [B, M]
    fold: int = 0  # whose users' company does not count; 0: everybody's counts

    @classmethod
    def unknown(cls, rows: int, places: int) -> Self:
        """Return a context of which nothing is known."""
        shape = (rows, places)
        return cls(torch.full(shape, GAPS - 1), torch.full(shape, KINDS - 1), torch.full(shape, SOURCES - 1))

    def to(self, device: torch.device) -> Self:
        """Return it on a device."""
        demands = None if self.demands is None else self.demands.to(device)
        known = None if self.demands_known is None else self.demands_known.to(device)
        return type(self)(self.gap.to(device), self.kind.to(device), self.source.to(device), demands, known, self.fold)

    def rows(self, chosen: Tensor) -> Self:
        """Return some rows."""
        demands = None if self.demands is None else self.demands[chosen]
        known = None if self.demands_known is None else self.demands_known[chosen]
        return type(self)(self.gap[chosen], self.kind[chosen], self.source[chosen], demands, known, self.fold)

    def without_demands(self) -> Self:
        """Return it as if no demand were known."""
        return replace(self, demands=None, demands_known=None)


class Denoiser(nn.Module):
    """Logits of the codes at places; `known` is what is known of the items, read where a token is an item."""

    def __init__(
        self,
        shape: DenoiserShape,
        known: ItemKnowledge | None = None,
        links: Sequence[Sequence[Links]] = (),
        lore: Lore | None = None,
    ) -> None:
        super().__init__()
        self.shape, width = shape, shape.width
        known = known or _blank(shape)
        self.whole = len(shape.sizes) == 1  # a token is an item
        self.table: ItemTable | DigitTable = (
            ItemTable(shape.sizes[0], width, known, shape.without_ids) if self.whole else DigitTable(shape.sizes, width)
        )
        self.gap, self.kind, self.source = _small(GAPS, width), _small(KINDS, width), _small(SOURCES, width)
        self.rotary = Rotary(width // shape.heads)
        self.blocks = nn.ModuleList(
            Block(width, shape.heads, shape.dropout, conditioned=shape.demands > 0) for _ in range(shape.layers)
        )
        self.demand = nn.Linear(shape.demands, width) if shape.demands else None
        self.no_demand = nn.Parameter(torch.zeros(1, 1, width))
        self.norm, self.dropout = nn.LayerNorm(width), nn.Dropout(shape.dropout)
        self.heads = nn.ModuleList(nn.Linear(width, width) for _ in shape.sizes)
        self.bias = nn.ParameterList(torch.zeros(size) for size in shape.sizes)
        self.likeness = nn.ModuleList(Likeness(width, size) for size in shape.vectors if self.whole)
        self.company = nn.ModuleList(Company(width, side) for side in SIDES if shape.company and self.whole)
        self.links, self.lore = tuple(links), lore
        with torch.random.fork_rng(devices=()):  # so that what is drawn for items is the same with it and without
            self.kinship = Kinship(width, shape.categories, shape.ties, shape.company) if shape.categories else None

    def forward(
        self,
        digits: Tensor,
        context: Context,
        places: Places,
        compared: Sequence[Compared] | None = None,
        *,
        kinds: bool = False,
    ) -> list[Tensor]:
        """Return logits of each digit's codes at the places, [K, size]; of compared ones alone, [K, 1 + D].

        With `kinds`, ln p of the leaf categories follow, [K, C + 1], where they are told apart; they are learned beside
        the items from the same states, and change nothing of these.

        A hidden digit is never "hidden" again: there is no such code. What is not hidden is not asked, and so stays
        what it is (the two rules of SUBS, MDLM, arXiv 2406.07524).
        """
        state = self.states(digits, context)
        asked = self.norm(state[places.row, places.place])
        read = Read(asked, state, digits[..., 0], places.row, places.place, self.shape.attention)
        links = self.links[context.fold] if self.links and self.company else ()
        logits = [
            self._logits(digit, read, links, None if compared is None else compared[digit])
            for digit in range(len(self.shape.sizes))
        ]
        if not kinds or self.kinship is None or self.lore is None:
            return logits
        return [*logits, self.kinship(read.detached(), self.lore, context.fold)]

    def states(self, digits: Tensor, context: Context) -> Tensor:
        """Return [B, N, D]."""
        real = digits[..., 0] != -1
        items = digits[..., 0] if self.whole else digits
        state = self.table(items) + self.gap(context.gap) + self.kind(context.kind) + self.source(context.source)
        state = self.dropout(state)
        turn = self.rotary(digits.shape[1])
        seen = _seen(real, self.shape.attention)
        demands, known = self._demands(context, len(digits))
        for block in self.blocks:
            state = block(state, seen, turn, demands, known)
        return torch.as_tensor(state)

    def _demands(self, context: Context, rows: int) -> tuple[Tensor | None, Tensor | None]:
        """Return what cross-attention reads: a token that stands for no demand, and the demands."""
        if self.demand is None:
            return None, None
        nothing = self.no_demand.expand(rows, -1, -1)
        sure = torch.ones(rows, 1, dtype=torch.bool, device=nothing.device)
        if context.demands is None or context.demands_known is None:
            return nothing, sure
        return torch.cat([nothing, self.demand(context.demands)], 1), torch.cat([sure, context.demands_known], 1)

    def _logits(self, digit: int, read: Read, links: Sequence[Links], codes: Compared | None) -> Tensor:
        logits = _products(self.heads[digit](read.asked), self._codes(digit, codes), codes)
        logits = logits + _of_codes(self.bias[digit], codes)
        for kind, likeness in enumerate(self.likeness):
            assert isinstance(self.table, ItemTable)  # noqa: S101 - there are likenesses where tokens are items
            vectors = self.table.get_buffer(f"vectors_{kind}")
            expected = likeness(read, self.table.vectors(kind, read.items))
            logits = logits + _products(expected, vectors if codes is None else vectors[torch.cat(codes)], codes)
        for company, own in zip(self.company, links, strict=bool(links)):
            logits = logits + company(read, own, codes)
        return torch.as_tensor(logits)

    def _codes(self, digit: int, codes: Compared | None) -> Tensor:
        """Return the embeddings of all codes, or of those that are compared, [K + D, D]."""
        if isinstance(self.table, DigitTable):
            found = self.table.codes(digit)
            return found if codes is None else found[torch.cat(codes)]
        wanted = torch.arange(self.shape.sizes[0]) if codes is None else torch.cat(codes)
        return torch.as_tensor(self.table(wanted.to(self.bias[digit].device)))


def _small(codes: int, width: int) -> nn.Embedding:
    """Return embeddings that say little at first."""
    table = nn.Embedding(codes, width)
    nn.init.normal_(table.weight, std=0.02)
    return table


def _products(state: Tensor, table: Tensor, codes: Compared | None) -> Tensor:
    """Return inner products of states [K, D] with all codes [size, D], or with own and shared ones [K + shared, D]."""
    if codes is None:
        return state @ table.T
    own, shared = table[: len(state)], table[len(state) :]
    return torch.cat([(state * own).sum(dim=1, keepdim=True), state @ shared.T], dim=1)


def _of_codes(bias: Tensor, codes: Compared | None) -> Tensor:
    if codes is None:
        return bias
    return torch.cat([bias[codes.own].unsqueeze(1), bias[codes.shared].expand(len(codes.own), -1)], dim=1)


def _seen(real: Tensor, attention: Attention) -> Tensor:
    """Return which places each place may read, [B, 1, N, N]; a place without a behaviour reads itself alone."""
    places = real.shape[1]
    seen = real.unsqueeze(1) | torch.eye(places, dtype=torch.bool, device=real.device)
    if attention is Attention.EARLIER:
        seen = seen & torch.ones(places, places, dtype=torch.bool, device=real.device).tril()
    return seen.unsqueeze(1)


def _blank(shape: DenoiserShape) -> ItemKnowledge:
    """Return knowledge of the right sizes, for weights to be loaded into."""
    items = shape.sizes[0]
    return ItemKnowledge(tuple(torch.zeros(items, size) for size in shape.vectors))
