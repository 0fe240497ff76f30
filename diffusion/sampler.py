"""Samplers: from hidden digits to drawn ones, a few at a time.

A row never ends with a hidden digit, and what was visible stays what it is. Where an item has several digits, a step
reveals at most one of them, and only codes that belong to an item with the digits that are known.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from diffusion.chance import Chance, OneChance
from diffusion.denoiser import Places
from diffusion.noise import kept_share
from diffusion.tokens import MASK, Tokens
from memory.record import Record

Predict = Callable[[Tensor, Places], list[Tensor]]  # digits [B, N, L], places -> logits [K, size] of each digit


class Order(StrEnum):
    """Which hidden digits a step reveals."""

    ANCESTRAL = "ancestral"  # each with the chance that the schedule gives it
    CONFIDENCE = "confidence"  # equally many a step, the surest first
    THRESHOLD = "threshold"  # all that are sure enough, at least one a row


class Score(StrEnum):
    """How sure a drawn digit is."""

    CHANCE = "chance"  # its own probability
    MARGIN = "margin"  # the largest probability less the second
    ENTROPY = "entropy"  # less the entropy of all


class SamplerConfig(Record):
    """How digits are drawn."""

    order: Order = Order.CONFIDENCE
    score: Score = Score.CHANCE
    steps: int = Field(default=4, ge=1)
    threshold: float = Field(default=0.5, gt=0, le=1)  # of the score CHANCE
    remasked: float = Field(default=0.0, ge=0, lt=1)  # share of what is drawn that a step hides again, the least sure
    temperature: float = Field(default=1.0, ge=0)  # 0: the likeliest code


class Drawn(NamedTuple):
    """What a sampler gives."""

    digits: Tensor  # [B, N, L]
    log_p: Tensor  # [B, N, L]: ln of the probability that each digit had when it was drawn; 0 where it was visible


def sample(
    predict: Predict, digits: Tensor, tokens: Tokens, config: SamplerConfig, chance: Chance | torch.Generator
) -> Drawn:
    """Return rows in which every digit that was MASK is drawn."""
    chance = OneChance(chance) if isinstance(chance, torch.Generator) else chance
    hidden = digits == MASK
    log_p = torch.zeros(digits.shape, dtype=torch.float64)
    step = 0
    while bool((digits == MASK).any()):
        places = Places(*(digits == MASK).any(dim=2).nonzero(as_tuple=True))
        proposal = _proposed(digits, places, predict(digits, places), _Draw(tokens, config, chance))
        revealed = _revealed(digits == MASK, proposal, config, max(1, config.steps - step), chance)
        digits = torch.where(revealed, proposal.digits, digits)
        log_p = torch.where(revealed, proposal.log_p, log_p)
        step += 1
        if config.remasked and step < config.steps:
            digits = torch.where(_unsure(hidden & (digits != MASK), log_p, config.remasked), MASK, digits)
    return Drawn(digits, torch.where(hidden, log_p, 0.0))


def guided(with_condition: list[Tensor], without: list[Tensor], strength: float) -> list[Tensor]:
    """Return l_u + (1 + w)(l_c - l_u) for the logits of each digit (classifier-free guidance, Ho & Salimans 2022)."""
    return [own + (1 + strength) * (told - own) for told, own in zip(with_condition, without, strict=True)]


class _Proposal(NamedTuple):
    """A code for each hidden digit, [B, N, L]; of what is not hidden nothing is said."""

    digits: Tensor
    log_p: Tensor
    score: Tensor


class _Draw(NamedTuple):
    """How a code is drawn."""

    tokens: Tokens
    config: SamplerConfig
    chance: Chance


def _proposed(digits: Tensor, places: Places, predicted: list[Tensor], draw: _Draw) -> _Proposal:
    shape = digits.shape
    found = _Proposal(digits.clone(), torch.zeros(shape, dtype=torch.float64), torch.full(shape, -torch.inf).double())
    known = digits[places.row, places.place]
    for digit, logits in enumerate(predicted):
        own = logits.double()  # float32 draws rare codes too seldom (Zheng et al., arXiv 2409.02908)
        if draw.tokens.length > 1:
            own = own.masked_fill(~draw.tokens.allowed(known, digit), -torch.inf)
        log_chance = torch.log_softmax(own, dim=1)
        drawn = codes_drawn(log_chance, places.row, draw.config.temperature, draw.chance)
        at = (places.row, places.place, torch.full_like(places.row, digit))
        found.digits[at] = drawn
        found.log_p[at] = log_chance.gather(1, drawn.unsqueeze(1))[:, 0]
        found.score[at] = _score(log_chance, drawn, draw.config.score)
    return found


def codes_drawn(log_chance: Tensor, rows: Tensor, temperature: float, chance: Chance) -> Tensor:
    """Return a code for each line [K]: the first whose cumulated chance exceeds a uniform number, in float64.

    `rows` [K] say which row each line is of.
    """
    if temperature == 0:
        return log_chance.argmax(dim=1)
    weight = log_chance.exp() if temperature == 1 else torch.softmax(log_chance / temperature, dim=1)
    cumulated = weight.cumsum(dim=1)
    uniform = chance.uniform(rows).unsqueeze(1) * cumulated[:, -1:]
    drawn = torch.searchsorted(cumulated, uniform, right=True)[:, 0].clamp(max=weight.shape[1] - 1)
    return torch.where(weight.gather(1, drawn.unsqueeze(1))[:, 0] > 0, drawn, weight.argmax(dim=1))


def _score(log_chance: Tensor, drawn: Tensor, score: Score) -> Tensor:
    if score is Score.CHANCE:
        return log_chance.gather(1, drawn.unsqueeze(1))[:, 0].exp()
    if score is Score.ENTROPY:
        return (log_chance.exp() * log_chance.clamp(min=-1e9)).sum(dim=1)
    best = log_chance.exp().topk(min(2, log_chance.shape[1]), dim=1).values
    return best[:, 0] - (best[:, 1] if best.shape[1] > 1 else 0.0)


def _revealed(hidden: Tensor, proposal: _Proposal, config: SamplerConfig, left: int, chance: Chance) -> Tensor:
    """Return which of the hidden digits [B, N, L] a step reveals; `left` steps remain, this one among them."""
    if config.order is Order.ANCESTRAL:
        score = torch.full(hidden.shape, -1.0, dtype=torch.float64)
        score[hidden] = chance.uniform(hidden.nonzero()[:, 0])
        chosen = score >= kept_share(left, left - 1)
    else:
        score = proposal.score
        count = hidden.flatten(1).sum(dim=1)
        enough = -(-count // left) if config.order is Order.CONFIDENCE else torch.ones_like(count)
        rank = score.masked_fill(~hidden, -torch.inf).flatten(1).argsort(dim=1, descending=True, stable=True).argsort(1)
        chosen = (rank < enough.unsqueeze(1)).view(hidden.shape)
        if config.order is Order.THRESHOLD:
            chosen = chosen | (proposal.log_p.exp() >= config.threshold)
    return _one_an_item(chosen & hidden, score)


def _one_an_item(chosen: Tensor, score: Tensor) -> Tensor:
    """Return at most one digit of each item, that of the highest score."""
    best = score.masked_fill(~chosen, -torch.inf).argmax(dim=2, keepdim=True)
    return chosen & (torch.arange(chosen.shape[2]) == best)


def _unsure(drawn: Tensor, log_p: Tensor, share: float) -> Tensor:
    """Return the share of the drawn digits of each row that were least sure."""
    rank = log_p.masked_fill(~drawn, torch.inf).flatten(1).argsort(dim=1, stable=True).argsort(dim=1)
    count = (drawn.flatten(1).sum(dim=1) * share).long()
    return (rank < count.unsqueeze(1)).view(drawn.shape) & drawn
