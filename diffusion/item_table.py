"""What the denoiser knows of items: their digits' embeddings, and what their knowledge adds to them."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from diffusion.tokens import MASK


@dataclass(frozen=True, eq=False)
class ItemKnowledge:
    """What is known of a catalog's items beside their rows; frozen."""

    vectors: tuple[Tensor, ...] = ()  # of each kind: unit vectors [items, dimensions], zeros where there is none
    offsets: Tensor | None = None  # items + 1: those of item i are feature[offsets[i]:offsets[i + 1]]
    feature: Tensor | None = None
    features: int = 0

    @classmethod
    def nothing(cls) -> Self:
        """Return no knowledge."""
        return cls()


class ItemTable(nn.Module):
    """Embeddings of whole items, [..., width]: the row's own one, its features' mean, its vectors projected."""

    def __init__(self, items: int, width: int, known: ItemKnowledge, without_ids: float) -> None:
        super().__init__()
        self.items, self.width, self.without_ids = items, width, without_ids
        self.own = nn.Embedding(items, width)
        self.hidden = nn.Parameter(torch.zeros(width))
        nn.init.normal_(self.own.weight, std=0.1 * width**-0.5)  # small: at first, what is known decides
        nn.init.normal_(self.hidden, std=width**-0.5)
        self.kinds = len(known.vectors)
        for kind, vectors in enumerate(known.vectors):
            self.register_buffer(f"vectors_{kind}", vectors)
        sizes = [vectors.shape[1] for vectors in known.vectors]
        self.projections = nn.ModuleList(nn.Linear(size, width, bias=False) for size in sizes)
        self.bag = None
        if known.features and known.offsets is not None and known.feature is not None:
            self.bag = nn.EmbeddingBag(known.features, width, mode="mean")
            nn.init.normal_(self.bag.weight, std=width**-0.5)
            self.register_buffer("offsets", known.offsets)
            self.register_buffer("feature", known.feature)

    def forward(self, items: Tensor) -> Tensor:
        """Return the embeddings of items of any shape; MASK has one of its own, NONE gives that as well."""
        row = items.clamp(min=0)
        found = self.own(row)
        if self.training and self.without_ids:
            found = found * (torch.rand(row.shape, device=row.device) >= self.without_ids).unsqueeze(-1)
        found = found + self.described(row)
        return torch.where((items >= 0).unsqueeze(-1), found, self.hidden)

    def described(self, row: Tensor) -> Tensor:
        """Return what knowledge adds to items' embeddings; zeros where nothing is known."""
        added: Tensor = torch.zeros(*row.shape, self.width, device=row.device)
        for kind, projection in enumerate(self.projections):
            added = added + projection(self.get_buffer(f"vectors_{kind}")[row])
        if self.bag is not None:
            added = added + self._features(row.flatten()).view(*row.shape, self.width)
        return added

    def vectors(self, kind: int, items: Tensor) -> Tensor:
        """Return the unit vectors of items, zeros for MASK and NONE."""
        found = self.get_buffer(f"vectors_{kind}")[items.clamp(min=0)]
        return torch.where((items >= 0).unsqueeze(-1), found, 0.0)

    def _features(self, row: Tensor) -> Tensor:
        """Return the mean embedding of each item's features, [rows, width]; of an item asked twice it is made once."""
        unique, place = torch.unique(row, return_inverse=True)
        offsets = self.get_buffer("offsets")
        fan = offsets[unique + 1] - offsets[unique]
        starts = fan.cumsum(0) - fan
        entry = torch.arange(int(fan.sum()), device=row.device) - torch.repeat_interleave(starts, fan)
        feature = self.get_buffer("feature")[entry + torch.repeat_interleave(offsets[unique], fan)]
        assert self.bag is not None  # noqa: S101 - asked where there is one
        made: Tensor = self.bag(feature, starts)
        return made[place]


class DigitTable(nn.Module):
    """Embeddings of items as the sum of their digits'; of a hidden digit its place's own one."""

    def __init__(self, sizes: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.sizes = sizes
        self.digits = nn.ModuleList(nn.Embedding(size + 1, width) for size in sizes)  # the last row is MASK's
        for table in self.digits:
            nn.init.normal_(table.weight, std=width**-0.5)  # type: ignore[arg-type]

    def forward(self, digits: Tensor) -> Tensor:
        """Return [..., width] for digits [..., L]."""
        found: Tensor = torch.zeros(())
        for place, (table, size) in enumerate(zip(self.digits, self.sizes, strict=True)):
            digit = digits[..., place]
            found = found + table(torch.where(digit == MASK, size, digit.clamp(min=0)))
        return found

    def codes(self, place: int) -> Tensor:
        """Return the embeddings of one place's codes, [size, width]."""
        table = self.digits[place]
        assert isinstance(table, nn.Embedding)  # noqa: S101 - they all are
        return table.weight[:-1]
