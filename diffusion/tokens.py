"""How items become the digits that are masked and denoised: one digit an item, or several of a semantic ID."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from memory.item_vectors.valid_ids import UNKNOWN, ValidIds

NONE = -1  # a place without a behaviour
MASK = UNKNOWN  # a digit that is hidden


class TokenKind(StrEnum):
    """What a digit is."""

    ITEMS = "items"  # the item's row
    PARALLEL = "parallel"  # a code of one block of the item's vector; digits have no order
    RESIDUAL = "residual"  # a code of what the digits before have left over


@dataclass(frozen=True, eq=False)
class Tokens:
    """The digits of each item: row i of `digits` is item i; digit l counts from 0 below `sizes[l]`."""

    kind: TokenKind
    digits: Tensor  # long [items, L]
    sizes: tuple[int, ...]  # L

    @classmethod
    def of_items(cls, count: int) -> Self:
        """Return one digit an item, its row."""
        return cls(TokenKind.ITEMS, torch.arange(count)[:, None], (count,))

    @classmethod
    def of_semantic_ids(cls, codes: NDArray[np.integer], sizes: tuple[int, ...], kind: str) -> Self:
        """Return the digits of `memory.item_vectors.semantic_ids.SemanticIds`: its codes [items, L], sizes and kind."""
        return cls(TokenKind(kind), torch.from_numpy(codes.astype(np.int64)), tuple(sizes))

    @property
    def length(self) -> int:
        """How many digits an item has: L."""
        return len(self.sizes)

    @property
    def count(self) -> int:
        """How many items there are."""
        return len(self.digits)

    def of(self, items: Tensor) -> Tensor:
        """Return the digits of item rows of any shape, long [..., L]; `NONE` and `MASK` stay what they are."""
        known = self.digits[items.clamp(min=0)]
        return torch.where((items >= 0)[..., None], known, items[..., None])

    def items_of(self, digits: Tensor) -> tuple[Tensor, Tensor]:
        """Return the items of whole IDs [K, L]: offsets [K + 1], and item rows, rising within each ID.

        Several items may share a semantic ID; an ID that no item has, or that is not whole, has none.
        """
        offsets, items = self.valid.items(digits.cpu().numpy())
        return torch.from_numpy(offsets), torch.from_numpy(items)

    def allowed(self, digits: Tensor, place: int) -> Tensor:
        """Return which codes digit `place` may have beside the known digits of `digits` [K, L]: bool [K, sizes[place]].

        `MASK` stands where a digit is not known; what stands at `place` itself is not looked at.
        """
        return torch.from_numpy(self.valid.next(digits.cpu().numpy(), place)).to(digits.device)

    @cached_property
    def valid(self) -> ValidIds:
        """Which digits go together."""
        return ValidIds(self.digits.cpu().numpy(), self.sizes)
