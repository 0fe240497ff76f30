"""Imagined behaviours with their reasons: what several chains agree on in some slots, or what is likeliest next."""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from diffusion.chance import Chance, UserChances
from diffusion.denoiser import Places
from diffusion.histories import Histories
from diffusion.imagination import Imagination
from diffusion.reasons import Agreed, Draws, Reasons, Slots, agreed_of, as_columns, kept_of
from diffusion.sampler import SamplerConfig, codes_drawn, sample
from diffusion.tokens import MASK, Tokens
from memory.behaviors.generated import GeneratedBehaviors
from memory.behaviors.sequences import Sequences
from memory.record import Record

AT_A_TIME = 64  # users


class ImaginingConfig(Record):
    """Where behaviours are imagined, how many, and what is kept of them."""

    future: bool = True  # slots after the last behaviour
    gaps: bool = True  # slots in the longest gaps
    next: bool = False  # in place of both: the likeliest next behaviours, by one look at all chances; nothing is drawn
    count: int = Field(default=8, ge=1)  # slots of a user, and the most that is kept
    chains: int = Field(default=4, ge=1)
    sampler: SamplerConfig = SamplerConfig()
    least_demand: float = Field(default=0.0, ge=-1, le=1)  # cosine to the user's nearest demand, if any is known
    of_category: int = Field(default=3, ge=1)  # items of one leaf category that are kept; of the likeliest ones: all


def imagine(
    imagination: Imagination,
    behaviors: Sequences,
    users: NDArray[np.int64],
    config: ImaginingConfig,
    *,
    seed: int = 0,
    told: Callable[[int], None] = lambda done: None,
) -> GeneratedBehaviors:
    """Return what some users (rows) may have done beside what is known of them; `told` hears how many are done.

    Nothing is imagined for a user without behaviours. The same user with the same seed imagines the same, whoever else
    is asked about: each draws from a generator of its own.
    """
    users, reasons = users[behaviors.lengths[users] > 0], Reasons.of(imagination.reading, behaviors.items)
    limits, kept = config.model_copy(update={"of_category": config.count}) if config.next else config, []
    for start in range(0, len(users), AT_A_TIME):
        part = users[start : start + AT_A_TIME]
        chance = UserChances([behaviors.users[user] for user in part], seed, rows=config.chains)
        histories = Histories.of(behaviors, part, imagination.config.longest)
        known = [behaviors.of_user(behaviors.users[user]) for user in part]
        agreed = (
            _likeliest(imagination, histories, known, config.count)
            if config.next
            else _agreed(imagination, histories, known, config, chance)
        )
        for user, history, own in zip(part.tolist(), known, agreed, strict=True):
            kept += kept_of(own, history, behaviors.users[user], reasons, limits)
        told(start + len(part))
    return as_columns(kept)


def slots_of(histories: Histories, config: ImaginingConfig) -> Slots:
    """Return each row's slots: half of them after the end, half in its longest gaps, as far as both are wanted."""
    lengths = histories.lengths
    of_future = config.count if not config.gaps else (config.count // 2 if config.future else 0)
    of_gaps = config.count - of_future
    time, real = histories.time, histories.real
    after = torch.arange(1, time.shape[1]).expand(len(time), -1)
    length = torch.where(real[:, 1:], time[:, 1:] - time[:, :-1], -1)
    typical = torch.where(real[:, 1:], time[:, 1:] - time[:, :-1], 0).sum(dim=1) // (lengths - 1).clamp(min=1)
    typical = typical.clamp(min=1).unsqueeze(1)
    last = time.gather(1, (lengths - 1).clamp(min=0).unsqueeze(1))
    order = length.argsort(dim=1, descending=True, stable=True)[:, :of_gaps]
    chosen, there = after.gather(1, order), length.gather(1, order) >= 0
    middle = (time.gather(1, (chosen - 1).clamp(min=0)) + time.gather(1, chosen.clamp(max=time.shape[1] - 1))) // 2
    missing = of_gaps - chosen.shape[1]  # a history with fewer gaps imagines more of the future
    chosen = torch.nn.functional.pad(torch.where(there, chosen, lengths.unsqueeze(1)), (0, missing), value=0)
    chosen = torch.where(chosen == 0, lengths.unsqueeze(1), chosen)
    there = torch.nn.functional.pad(there, (0, missing), value=False)
    middle = torch.nn.functional.pad(middle, (0, missing))
    ends = lengths.unsqueeze(1).expand(-1, of_future)
    where = torch.cat([chosen, ends], dim=1)
    is_gap = torch.cat([there, torch.zeros_like(ends, dtype=torch.bool)], dim=1)
    rank = where.argsort(dim=1, stable=True)
    where, is_gap = where.gather(1, rank), is_gap.gather(1, rank)
    future = torch.where(is_gap, 0, (~is_gap).long().cumsum(dim=1))
    middles = torch.nn.functional.pad(middle, (0, of_future)).gather(1, rank)
    return Slots(where, torch.where(is_gap, middles, last + future * typical), future)


def _agreed(
    imagination: Imagination,
    histories: Histories,
    known: Sequence[NDArray[np.int32]],
    config: ImaginingConfig,
    chance: Chance,
) -> Iterator[list[Agreed]]:
    """Yield what the chains agree on of each row."""
    slots = slots_of(histories, config)
    items, log_p = _drawn(imagination, histories, slots, config, chance)
    for row, history in enumerate(known):
        own = Draws(items[row].numpy(), log_p[row].numpy(), Slots(*(column[row] for column in slots)))
        yield agreed_of(own, frozenset(history.tolist()))


def _likeliest(
    imagination: Imagination, histories: Histories, known: Sequence[NDArray[np.int32]], count: int
) -> Iterator[list[Agreed]]:
    """Yield the likeliest next behaviours of each row; an agreement is the chance that a chain draws it."""
    barred = torch.zeros(len(known), imagination.reading.tokens.count, dtype=torch.bool)
    for row, history in enumerate(known):
        barred[row, history.astype(np.int64)] = True  # also what is too long ago to be read
    items, chances = imagination.likeliest(histories, count, barred)
    moments = slots_of(histories, ImaginingConfig(gaps=False, count=1)).time[:, 0]
    for own, sure, moment in zip(items.tolist(), chances.tolist(), moments.tolist(), strict=True):
        pairs = [(item, min(chance, 1.0)) for item, chance in zip(own, sure, strict=True) if item >= 0 and chance > 0]
        yield [Agreed(item, chance, chance, math.log(chance), "next", 1, moment) for item, chance in pairs]


@torch.no_grad()
def _drawn(
    imagination: Imagination, histories: Histories, slots: Slots, config: ImaginingConfig, chance: Chance
) -> tuple[Tensor, Tensor]:
    """Return the item that each chain put into each slot, [B, chains, S], and ln of its chance."""
    rows = torch.arange(len(slots.after)).repeat_interleave(config.chains)
    many = histories.rows(rows)
    if imagination.is_twin:
        return _foretold(imagination, many, slots, config, chance)
    slotted, place = many.with_slots(slots.after[rows])
    tokens = imagination.reading.tokens
    digits = tokens.of(slotted.item)
    digits[torch.arange(len(place)).unsqueeze(1), place] = MASK

    def predict(own: Tensor, asked: Places) -> list[Tensor]:
        logits = imagination.predict(slotted, own, asked)
        return [_new(logits[0], many.item[asked.row])] if tokens.length == 1 else logits

    drawn = sample(predict, digits, tokens, config.sampler, chance)
    row = torch.arange(len(place)).unsqueeze(1)
    items = _any_item(tokens, drawn.digits[row, place].flatten(0, 1)).view(place.shape)
    shape = (len(slots.after), config.chains, -1)
    return items.view(shape), drawn.log_p[row, place].sum(dim=2).view(shape)


def _new(logits: Tensor, history: Tensor) -> Tensor:
    """Bar what the history has already [K, N]: drawn, it would be dropped. Where nothing is left, nothing is barred."""
    row, place = (history >= 0).nonzero(as_tuple=True)
    barred = logits.index_put((row, history[row, place]), torch.tensor(-torch.inf))
    return torch.where(barred.isneginf().all(dim=1, keepdim=True), logits, barred)


def _any_item(tokens: Tokens, digits: Tensor) -> Tensor:
    """Return the first item of each whole ID [K, L]."""
    if tokens.length == 1:
        return digits[:, 0]
    offsets, items = tokens.items_of(digits)
    return items[offsets[:-1].clamp(max=len(items) - 1)]


def _foretold(
    imagination: Imagination, histories: Histories, slots: Slots, config: ImaginingConfig, chance: Chance
) -> tuple[Tensor, Tensor]:
    """Return what the twin draws one after the other at the end, as many as there are slots; see `_drawn`."""
    items, log_p = [], []
    for _ in range(slots.after.shape[1]):
        log_chance = _new(imagination.log_chances(histories, histories.lengths), histories.item).double()
        log_chance = log_chance.log_softmax(dim=1)
        drawn = codes_drawn(log_chance, torch.arange(len(log_chance)), 1.0, chance)
        items.append(drawn)
        log_p.append(log_chance.gather(1, drawn.unsqueeze(1))[:, 0])
        histories = histories.continued(drawn)
    shape = (len(slots.after), config.chains, -1)
    return torch.stack(items, dim=1).view(shape), torch.stack(log_p, dim=1).view(shape)
