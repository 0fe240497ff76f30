"""What is hidden: six families of masks over the digits of behaviour sequences.

Shapes: B rows, N places (oldest first), L digits an item.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from diffusion.config import Bound, Family
from diffusion.losses import count_weights, rate_weights
from diffusion.noise import hidden_counts, stratified_times
from diffusion.tokens import MASK

Sureness = Callable[[Tensor], Tensor]  # hidden [B, N, L] -> how likely the model finds each hidden digit, [B, N, L]


@dataclass(frozen=True)
class Rows:
    """Sequences that may be corrupted."""

    digits: Tensor  # [B, N, L], NONE where there is no behaviour
    group: Tensor  # [B, N]: the leaf category of each behaviour, -1 for none
    span: Tensor  # [B, N]: which span of time it is in, rising from 0

    @property
    def real(self) -> Tensor:
        """Where there are behaviours, [B, N]."""
        return self.digits[..., 0] >= 0


@dataclass(frozen=True)
class Hidden:
    """Which digits are hidden [B, N, L], what the cross-entropy of each counts in its row [B], and by which family."""

    digits: Tensor
    weight: Tensor
    family: Tensor  # [B] the number of each row's family, in the order of `Family`


def corrupted(digits: Tensor, hidden: Tensor) -> Tensor:
    """Return the digits with MASK where they are hidden."""
    return torch.where(hidden, MASK, digits)


def hide(
    rows: Rows,
    chances: Mapping[Family, float],
    chance: torch.Generator,
    *,
    bound: Bound = Bound.COUNT,
    sureness: Sureness | None = None,
) -> Hidden:
    """Hide something of each row, which draws its family of masks.

    With another bound than COUNT, rows that drew DIGIT or ITEM hide each with the chance of a time that they draw: few
    or none as well. Without `sureness` rows that drew ON_POLICY hide whole items.
    """
    weights = torch.tensor([chances[family] for family in Family])
    drawn = torch.multinomial(weights, len(rows.digits), replacement=True, generator=chance)
    hidden = torch.zeros(rows.digits.shape, dtype=torch.bool)
    for number, family in enumerate(Family):
        own = drawn == number
        if bool(own.any()):
            part = Rows(rows.digits[own], rows.group[own], rows.span[own])
            hidden[own] = _hidden(part, family, chance, None if sureness is None else _of_rows(sureness, own))
    hidden = hidden & rows.real.unsqueeze(-1)
    counted = Hidden(hidden, count_weights(hidden), drawn)
    return counted if bound is Bound.COUNT else _at_rates(rows, counted, drawn, chance)


def _at_rates(rows: Rows, counted: Hidden, drawn: Tensor, chance: torch.Generator) -> Hidden:
    """Return what is hidden with the rows of the first two families hidden at the rate of a time instead."""
    times, shape = stratified_times(len(drawn), chance), counted.digits.shape
    whole = (torch.rand(shape[:2], generator=chance) < times.unsqueeze(1)).unsqueeze(-1)
    digits = torch.rand(shape, generator=chance) < times[:, None, None]
    at_rate = torch.where((drawn == 0)[:, None, None], digits, whole) & rows.real.unsqueeze(-1)
    by_rate = drawn < 2
    return Hidden(
        torch.where(by_rate[:, None, None], at_rate, counted.digits),
        torch.where(by_rate, rate_weights(times, rows.real.sum(dim=1) * shape[2]), counted.weight),
        drawn,
    )


def _hidden(rows: Rows, family: Family, chance: torch.Generator, sureness: Sureness | None) -> Tensor:
    digits = rows.digits.shape[2]
    if family is Family.DIGIT:
        real = rows.real.unsqueeze(-1).expand(rows.digits.shape)
        return _some(real.flatten(1), chance).view(rows.digits.shape)
    if family is Family.TARGET:
        return _target(rows, chance)
    if family in {Family.CATEGORY, Family.SPAN}:
        return (
            _grouped(rows, rows.group if family is Family.CATEGORY else rows.span, chance)
            .unsqueeze(-1)
            .expand(rows.digits.shape)
        )
    if family is Family.ON_POLICY and sureness is not None:
        return _unsure(rows, sureness, chance)
    return _some(rows.real, chance).unsqueeze(-1).expand(-1, -1, digits)


def _some(real: Tensor, chance: torch.Generator) -> Tensor:
    """Hide k ~ U{1..n} of the n places that are real, [B, places]."""
    order = torch.rand(real.shape, generator=chance).masked_fill(~real, 2.0).argsort(dim=1).argsort(dim=1)
    return order < hidden_counts(real.sum(dim=1), chance).unsqueeze(1)


def _target(rows: Rows, chance: torch.Generator) -> Tensor:
    """Hide k ~ U{1..L} digits of the last item."""
    place = torch.arange(rows.digits.shape[1])
    last = torch.where(rows.real, place, -1).amax(dim=1, keepdim=True)
    digits = _some(torch.ones(len(rows.digits), rows.digits.shape[2], dtype=torch.bool), chance)
    return (place == last).unsqueeze(-1) & digits.unsqueeze(1)


def _grouped(rows: Rows, group: Tensor, chance: torch.Generator) -> Tensor:
    """Hide all items of one or more groups, but of at most half of them; where there is one group alone, some items."""
    real = rows.real & (group >= 0)
    same = (group.unsqueeze(2) == group.unsqueeze(1)) & real.unsqueeze(2) & real.unsqueeze(1)
    first = same.int().argmax(dim=2)  # the place of each group's first item stands for the group
    leads = real & (first == torch.arange(group.shape[1]))
    groups = leads.sum(dim=1)
    order = torch.rand(leads.shape, generator=chance).masked_fill(~leads, 2.0).argsort(dim=1).argsort(dim=1)
    chosen = leads & (order < hidden_counts((groups // 2).clamp(min=1), chance).unsqueeze(1))
    hidden = chosen.gather(1, first) & real
    alone = (groups < 2) | ~hidden.any(dim=1)
    return torch.where(alone.unsqueeze(1), _some(rows.real, chance), hidden)


def _unsure(rows: Rows, sureness: Sureness, chance: torch.Generator) -> Tensor:
    """Hide the digits that the model is least sure of, when whole items are hidden at random (DiffGRM, 2510.21805)."""
    tried = _some(rows.real, chance).unsqueeze(-1).expand(rows.digits.shape)
    sure = sureness(tried).masked_fill(~tried, 2.0).flatten(1)
    order = sure.argsort(dim=1).argsort(dim=1)
    hidden = order < hidden_counts(tried.flatten(1).sum(dim=1), chance).unsqueeze(1)
    return hidden.view(rows.digits.shape)


def _of_rows(sureness: Sureness, chosen: Tensor) -> Sureness:
    """Return the sureness of some rows, asked with nothing hidden in the others."""

    def of(hidden: Tensor) -> Tensor:
        whole = torch.zeros(len(chosen), *hidden.shape[1:], dtype=torch.bool)
        whole[chosen] = hidden
        return sureness(whole)[chosen]

    return of
