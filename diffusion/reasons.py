"""Why an imagined behaviour is kept: what chains agree on, the nearest behaviour, the demand that supports it."""

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

    def nearest(self, item: int, history: NDArray[np.int32]) -> tuple[str, float]:
        """Return the behaviour most like an item, and the mean cosine of their vectors; "" and NaN for none."""
        if not self.reading.known.vectors:
            return "", float("nan")
        past = torch.from_numpy(history.astype(np.int64))
        cosines = torch.stack([own[past] @ own[item] for own in self.reading.known.vectors]).mean(dim=0)
        best = int(cosines.argmax())
        return self.items[int(history[best])], float(cosines[best])

    def demand(self, item: int, history: NDArray[np.int32]) -> tuple[str, float]:
        """Return the user's demand that is nearest to an item, and their cosine; "" and NaN where none is known."""
        demands = self.reading.demands
        if demands is None:
            return "", float("nan")
        weights = demands.weights(torch.from_numpy(history.astype(np.int64)).unsqueeze(0))[0]
        strength, chosen = weights.topk(min(STRONGEST, len(weights)))
        chosen = chosen[strength > 0]
        if not len(chosen):
            return "", float("nan")
        cosines = demands.vectors[chosen] @ self.reading.known.vectors[0][item]
        best = int(cosines.argmax())
        return demands.texts[int(chosen[best])], float(cosines[best])


def kept_of(draws: Draws, history: NDArray[np.int32], user: str, reasons: Reasons, limits: Limits) -> list[Kept]:
    """Return what is kept of a user's draws, the surest first: nothing that is known already, each item once.

    An item's agreement is the share of the chains that drew it; its confidence adds the mean chance that it was drawn
    with, as if that were one chain more. Of equal agreement the likelier comes first.
    """
    taken, kept = Counter[int](), list[Kept]()
    for drawn in _agreed(draws, frozenset(history.tolist())):
        group = int(reasons.group[drawn.item])
        demand, demand_cosine = reasons.demand(drawn.item, history)
        full = len(kept) == limits.count or (group >= 0 and taken[group] == limits.of_category)
        if full or demand_cosine < limits.least_demand:
            continue
        taken[group] += 1
        why = (*reasons.nearest(drawn.item, history), demand, demand_cosine)
        kept.append(_kept(user, reasons.items[drawn.item], draws.slots, drawn, why))
    return kept


def _kept(user: str, item: str, slots: Slots, drawn: "_Agreed", why: tuple[str, float, str, float]) -> Kept:
    future = int(slots.future[drawn.slot])
    return Kept(
        user=user,
        item=item,
        time=int(slots.time[drawn.slot]),
        slot="future" if future else "gap",
        position=future or int(slots.after[drawn.slot]),
        log_p=drawn.log_p,
        agreement=drawn.agreement,
        confidence=drawn.confidence,
        near_item=why[0],
        near_cosine=why[1],
        demand=why[2],
        demand_cosine=why[3],
    )


class _Agreed(NamedTuple):
    """What the chains say of one item."""

    agreement: float
    confidence: float
    log_p: float
    item: int
    slot: int


def _agreed(draws: Draws, known: frozenset[int]) -> list[_Agreed]:
    """Return the items that were drawn and are not known, those of most chains first, of equals the likelier."""
    chains, found = len(draws.item), []
    for item in np.unique(draws.item).tolist():
        if item in known or item < 0:
            continue
        chain, slot = np.nonzero(draws.item == item)
        log_p = draws.log_p[chain, slot]
        mean = float(np.logaddexp.reduce(log_p) - np.log(len(log_p)))
        share = len(np.unique(chain)) / chains
        sure = (chains * share + float(np.exp(mean))) / (chains + 1)
        found.append(_Agreed(share, sure, mean, item, int(slot[np.argmax(log_p)])))
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
