"""What can be learned by counting, in seconds: what follows an item, what stands beside it in histories."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learning.links import Links

REACH = 50  # behaviours of a history that are read, the newest ones


class Behaviors(Protocol):
    """Sequences as far as retrieval reads them: those of user u are item[offsets[u]:offsets[u + 1]], oldest first."""

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Users + 1 places."""

    @property
    def item(self) -> NDArray[np.int32]:
        """Item rows."""


@dataclass(frozen=True, eq=False)
class Log:
    """The behaviours that models are fitted on."""

    offsets: Tensor  # users + 1
    item: Tensor
    items: int

    @classmethod
    def of(cls, behaviors: Behaviors, items: int) -> Self:
        """Read sequences over a catalog of `items` rows."""
        return cls(torch.from_numpy(behaviors.offsets.astype(np.int64)), torch.from_numpy(behaviors.item).long(), items)

    @property
    def lengths(self) -> Tensor:
        """How many behaviours each user has."""
        return self.offsets.diff()

    @property
    def place(self) -> Tensor:
        """The place of each behaviour in its sequence, from 0."""
        return torch.arange(len(self.item)) - torch.repeat_interleave(self.offsets[:-1], self.lengths)

    @property
    def counts(self) -> Tensor:
        """How often each item occurs."""
        return torch.bincount(self.item, minlength=self.items).float()

    def of_users(self, chosen: Tensor) -> Self:
        """Return the log of some users (a mask)."""
        kept = torch.repeat_interleave(chosen, self.lengths)
        offsets = torch.cat([torch.zeros(1, dtype=torch.long), self.lengths[chosen].cumsum(0)])
        return type(self)(offsets, self.item[kept], self.items)

    def histories(self, user: Tensor, length: Tensor) -> Tensor:
        """Return the first `length` behaviours of each user as a history [histories, REACH]."""
        place = (self.offsets[user] + length)[:, None] - 1 - torch.arange(REACH)
        return torch.where(place >= self.offsets[user][:, None], self.item[place.clamp(min=0)], -1)


def histories_of(sequences: Sequence[NDArray[np.int32]]) -> Tensor:
    """Return histories [histories, REACH], the newest behaviour first, -1 where there is none."""
    table = np.full((len(sequences), REACH), -1, dtype=np.int64)
    for row, sequence in enumerate(sequences):
        newest = sequence[-REACH:][::-1]
        table[row, : len(newest)] = newest
    return torch.from_numpy(table)


def recency(history: Tensor, decay: float) -> Tensor:
    """Return the weight of each behaviour, decay ** age, 0 where there is none."""
    weight = decay ** torch.arange(history.shape[1], dtype=torch.float32)
    return torch.where(history >= 0, weight, 0.0)


def transitions(log: Log, window: int = 3, decay: float = 0.7, *, backwards: bool = False) -> Links:
    """Return the chance that an item follows within `window` steps, each step further counting `decay` of the last.

    `backwards`: that it came before. A Markov chain with skips.
    """
    pairs = _pairs(log, window)
    ends = (pairs.target, pairs.source) if backwards else (pairs.source, pairs.target)
    links = Links.summed(*ends, decay ** (pairs.gap - 1).float(), log.items)
    total = torch.zeros(log.items).index_add_(0, links.source, links.weight)
    return links.weighted(1 / total[links.source])


def neighbours(log: Log, power: float = 0.5) -> Links:
    """Return how often two items share a history over (count · count) ** power, long histories counting less.

    At a power of .5 the cosine of item-kNN; below it, popular neighbours stand higher.
    """
    source, target, _, later = _pairs(log, REACH)
    weight = 1 / torch.log1p(torch.repeat_interleave(log.lengths, log.lengths)[later].float())
    links = Links.summed(torch.cat([source, target]), torch.cat([target, source]), weight.repeat(2), log.items)
    scale = log.counts.clamp(min=1) ** -power
    return links.weighted(scale[links.source] * scale[links.item] * (links.source != links.item))


def drift(log: Log, damping: float = 0.3, steps: int = 100) -> Tensor:
    """Return when each item is in fashion, in steps of behaviour: least squares of "the next stands one later".

    Files without times still tell old items from new ones. Conjugate gradients on the graph's Laplacian (HodgeRank,
    Jiang et al. 2011); `damping` draws rare items to the middle, 0.
    """
    source, target = _pairs(log, 1)[:2]
    ones = torch.ones(len(source))
    flow = torch.zeros(log.items).index_add_(0, target, ones).index_add_(0, source, -ones)
    degree = torch.zeros(log.items).index_add_(0, target, ones).index_add_(0, source, ones) + damping
    time, left = torch.zeros(log.items), flow.clone()
    way, size = left.clone(), left @ left
    for _ in range(steps):
        if size < 1e-6:
            break
        moved = degree * way
        moved.index_add_(0, source, -way[target]).index_add_(0, target, -way[source])
        rate = size / (way @ moved)
        time, left = time + rate * way, left - rate * moved
        size, before = left @ left, size
        way = left + size / before * way
    return time


def lift(log: Log, code: Tensor, window: int = 3) -> Tensor:
    """Return how much more often than by chance one code follows another within `window` steps, as a logarithm.

    `code` [items] numbers what each item is, such as its category, from 0, or -1; the answer is [codes, codes]. One
    pair more than seen or expected is added to both, so that what is rare stays near 0.
    """
    pairs, size = _pairs(log, window), int(code.max()) + 1
    before, after = code[pairs.source], code[pairs.target]
    known = (before >= 0) & (after >= 0)
    seen = torch.bincount(before[known] * size + after[known], minlength=size * size).view(size, size).float()
    expected = seen.sum(dim=1, keepdim=True) * seen.sum(dim=0) / seen.sum().clamp(min=1)
    return torch.log((seen + 1) / (expected + 1))


class _Pairs(NamedTuple):
    """Pairs of a sequence: the earlier item, the later one, the steps between, the later one's place in the log."""

    source: Tensor
    target: Tensor
    gap: Tensor
    later: Tensor


def _pairs(log: Log, window: int) -> _Pairs:
    """Return all pairs up to `window` steps apart."""
    place, longest = log.place, int(log.lengths.max()) if len(log.item) else 0
    places = [(place >= gap).nonzero()[:, 0] for gap in range(1, min(window, longest - 1) + 1)]
    later = torch.cat([torch.zeros(0, dtype=torch.long), *places])
    gap = torch.repeat_interleave(torch.arange(1, len(places) + 1), torch.tensor([len(own) for own in places]).long())
    return _Pairs(log.item[later - gap], log.item[later], gap, later)
