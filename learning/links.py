"""Weighted links from item to item, and what they say together of many items at once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from scipy.sparse import csr_array
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Links:
    """Weighted links from item to item, in rows: those of item i are the entries from offsets[i] to offsets[i + 1]."""

    offsets: Tensor
    item: Tensor
    weight: Tensor

    @classmethod
    def summed(cls, source: Tensor, target: Tensor, weight: Tensor, items: int) -> Self:
        """Return links with the weights of equal pairs added up."""
        pair, place = torch.unique(source * items + target, return_inverse=True)
        total = torch.zeros(len(pair)).index_add_(0, place, weight)
        offsets = torch.searchsorted(pair, torch.arange(items + 1) * items)
        return cls(offsets, pair % items, total)

    @property
    def source(self) -> Tensor:
        """The item that each link leaves."""
        return torch.repeat_interleave(torch.arange(len(self.offsets) - 1), self.offsets.diff())

    def weighted(self, factor: Tensor) -> Self:
        """Return the links with each weight times a factor."""
        return type(self)(self.offsets, self.item, self.weight * factor)

    def leaving(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Return the links that leave some items [S], one after another: of which of them each is, and its number."""
        fan = self.offsets[source + 1] - self.offsets[source]
        owner = torch.repeat_interleave(torch.arange(len(source)), fan)
        return owner, torch.arange(len(owner)) + (self.offsets[source] - fan.cumsum(0) + fan)[owner]

    @cached_property
    def matrix(self) -> csr_array:
        """The same links as a sparse matrix [items, items]; nothing is learned through it."""
        parts = (own.detach().cpu().numpy() for own in (self.weight, self.item, self.offsets))
        items = len(self.offsets) - 1
        return csr_array(tuple(parts), shape=(items, items))

    @cached_property
    def table(self) -> Tensor:
        """The same links as a whole table [items, items], where items are few."""
        items = len(self.offsets) - 1
        table = torch.zeros(items, items)
        table[self.source, self.item] = self.weight
        return table

    def sums(
        self, row: Tensor, source: Tensor, weight: Tensor, rows: int, said: Callable[[Tensor], Tensor] | None = None
    ) -> Tensor:
        """Return [rows, items]: in each row, its sources' weights [S] times their links'; `row` [S] does not fall.

        `said` is what each sum says, of 0 nothing: only sums of links are asked. Much faster than going along
        `leaving`, and in the same order of adding; nothing is learned through it.
        """
        offsets = torch.zeros(rows + 1, dtype=torch.long)
        offsets[1:] = torch.bincount(row.cpu(), minlength=rows).cumsum(0)
        parts = (own.detach().cpu().numpy() for own in (weight, source, offsets))
        read = csr_array(tuple(parts), shape=(rows, len(self.offsets) - 1))
        found = read @ self.matrix
        if said is not None:
            found.data = said(torch.from_numpy(found.data)).detach().numpy()
        return torch.from_numpy(found.toarray())

    def spread(self, history: Tensor, weight: Tensor) -> Tensor:
        """Return scores [histories, items]: over the history, its weights times those of the links."""
        row, place = (weight > 0).nonzero(as_tuple=True)
        return self.sums(row, history[row, place], weight[row, place], len(history))
