"""Why an imagined behaviour is kept: what chains agree on, the nearest behaviour, the demand that supports it.

Shapes: K items, H behaviours of a history.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffusion.reading import Reading
from memory.behaviors.generated import GeneratedBehaviors

STRONGEST = 16  # demands of a user that may support what is imagined
Reason = tuple[str, float]  # what speaks for an item, and its cosine
NO_REASON: Reason = ("", float("nan"))


class Slots(NamedTuple):
    """Where behaviours of B users are imagined, [B, S]."""

    after: Tensor  # which behaviour each slot follows, rising
    time: Tensor
    future: Tensor  # 1, 2 … for what comes after the last behaviour, 0 for a gap


class Draws(NamedTuple):
    """What the chains drew for one user."""

    item: NDArray[np.int64]  # [chains, S]
    log_p: NDArray[np.float64]
    slots: Slots  # each [S]


class Kept(NamedTuple):
    """One imagined behaviour: the columns of `GeneratedBehaviors`."""

    user: str
    item: str
    time: int
    slot: str
    position: int
    log_p: float
    agreement: float
    confidence: float
    near_item: str
    near_cosine: float
    demand: str
    demand_cosine: float


class Limits(Protocol):
    """How much is kept of what was drawn."""

    @property
    def count(self) -> int:
        """Of a user."""

    @property
    def of_category(self) -> int:
        """Of a leaf category of a user."""

    @property
    def least_demand(self) -> float:
        """Cosine to the nearest demand, where one is known."""


@dataclass(frozen=True, eq=False)
class Reasons:
    """What can speak for an item."""

    items: Sequence[str]
    group: NDArray[np.int64]  # leaf category of each item, -1 for none
    reading: Reading

    @classmethod
    def of(cls, reading: Reading, items: Sequence[str]) -> Self:
        """Return the reasons that a reading can give."""
        return cls(items, reading.group.numpy(), reading)

    def nearest(self, items: Sequence[int], history: NDArray[np.int32]) -> list[Reason]:
        """Return the behaviour most like each item [K], and the mean cosine of their vectors; "" and NaN for none."""
        if not self.reading.known.vectors:
            return [NO_REASON] * len(items)
        past, asked = torch.from_numpy(history.astype(np.int64)), torch.tensor(items, dtype=torch.long)
        cosines = torch.stack([own[asked] @ own[past].T for own in self.reading.known.vectors]).mean(dim=0)  # [K, H]
        greatest, place = cosines.max(dim=1)
        ids = [self.items[item] for item in past[place].tolist()]
        return list(zip(ids, greatest.tolist(), strict=True))

    def demand(self, items: Sequence[int], history: NDArray[np.int32]) -> list[Reason]:
        """Return the user's demand nearest to each item [K], and their cosine; "" and NaN where none is known."""
        demands = self.reading.demands
        if demands is None:
            return [NO_REASON] * len(items)
        weights = demands.weights(torch.from_numpy(history.astype(np.int64)).unsqueeze(0))[0]
        strength, chosen = weights.topk(min(STRONGEST, len(weights)))
        chosen = chosen[strength > 0]
        if not len(chosen):
            return [NO_REASON] * len(items)
        asked = torch.tensor(items, dtype=torch.long)
        greatest, place = (self.reading.known.vectors[0][asked] @ demands.vectors[chosen].T).max(dim=1)
        texts = [demands.texts[demand] for demand in chosen[place].tolist()]
        return list(zip(texts, greatest.tolist(), strict=True))


class Agreed(NamedTuple):
    """What is said of one item, and where it would stand."""

    item: int
    agreement: float
    confidence: float
    log_p: float
    slot: str
    position: int
    time: int


def kept_of(
    agreed: Sequence[Agreed], history: NDArray[np.int32], user: str, reasons: Reasons, limits: Limits
) -> list[Kept]:
    """Return what is kept of what is said of items, in the same order: as many as the limits let through."""
    items = [one.item for one in agreed]
    chosen, taken = list[tuple[Agreed, Reason]](), Counter[int]()
    for one, demand in zip(agreed, reasons.demand(items, history), strict=True):
        group = int(reasons.group[one.item])
        full = len(chosen) == limits.count or (group >= 0 and taken[group] == limits.of_category)
        if not full and not demand[1] < limits.least_demand:
            taken[group] += 1
            chosen.append((one, demand))
    near = reasons.nearest([one.item for one, _ in chosen], history)
    return [
        _kept(user, reasons.items[one.item], one, (*nearest, *demand))
        for (one, demand), nearest in zip(chosen, near, strict=True)
    ]


def _kept(user: str, item: str, one: Agreed, why: tuple[str, float, str, float]) -> Kept:
    return Kept(
        user=user,
        item=item,
        time=one.time,
        slot=one.slot,
        position=one.position,
        log_p=one.log_p,
        agreement=one.agreement,
        confidence=one.confidence,
        near_item=why[0],
        near_cosine=why[1],
        demand=why[2],
        demand_cosine=why[3],
    )


def agreed_of(draws: Draws, known: frozenset[int]) -> list[Agreed]:
    """Return the items that were drawn and are not known, those of most chains first, of equals the likelier.

    An item's agreement is the share of the chains that drew it; its confidence adds the mean chance that it was drawn
    with, as if that were one chain more.
    """
    chains, found = len(draws.item), []
    for item in np.unique(draws.item).tolist():
        if item in known or item < 0:
            continue
        chain, slot = np.nonzero(draws.item == item)
        log_p = draws.log_p[chain, slot]
        mean = float(np.logaddexp.reduce(log_p) - np.log(len(log_p)))
        share = len(np.unique(chain)) / chains
        sure = (chains * share + float(np.exp(mean))) / (chains + 1)
        likeliest = int(slot[np.argmax(log_p)])
        after, moment, future = (int(column[likeliest]) for column in draws.slots)
        where = ("future", future) if future else ("gap", after)
        found.append(Agreed(item, share, sure, mean, *where, moment))
    return sorted(found, key=lambda own: (-own.agreement, -own.log_p, own.item))


def as_columns(kept: Sequence[Kept]) -> GeneratedBehaviors:
    """Return imagined behaviours as they are stored."""

    def numbers(name: str) -> NDArray[np.float32]:
        return np.array([getattr(own, name) for own in kept], dtype=np.float32)

    return GeneratedBehaviors(
        user=tuple(own.user for own in kept),
        item=tuple(own.item for own in kept),
        time=np.array([own.time for own in kept], dtype=np.int64),
        slot=tuple(own.slot for own in kept),
        position=np.array([own.position for own in kept], dtype=np.int32),
        log_p=numbers("log_p"),
        agreement=numbers("agreement"),
        confidence=numbers("confidence"),
        near_item=tuple(own.near_item for own in kept),
        near_cosine=numbers("near_cosine"),
        demand=tuple(own.demand for own in kept),
        demand_cosine=numbers("demand_cosine"),
    )
