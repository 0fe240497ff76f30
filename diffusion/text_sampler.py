"""The sampler of text diffusion models: hidden tokens are filled a few at a time, the surest first.

Low-confidence remasking of LLaDA (arXiv 2502.09992, section 2.4): each step guesses every hidden token, keeps the
guesses that are surest, and hides the others again. Shapes: B texts, T tokens, V words of the model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

Predict = Callable[[Tensor, Tensor], Tensor]  # tokens [B, T], which of them are there [B, T] -> logits [B, T, V]


@dataclass(frozen=True)
class Filling:
    """How hidden tokens are filled."""

    steps: int = 8
    temperature: float = 0.7  # 0: the likeliest word
    barred: tuple[int, ...] = ()  # words that are never filled in: the mask itself, above all


class Hidden(NamedTuple):
    """Texts with hidden tokens, each [B, T]."""

    tokens: Tensor  # the model's mask where one is hidden
    hidden: Tensor  # bool
    there: Tensor  # False, or 0, where a text is padded


@torch.no_grad()
def filled(predict: Predict, texts: Hidden, filling: Filling, chance: torch.Generator) -> Tensor:
    """Return the tokens [B, T] with every hidden one filled; all others stay what they are."""
    tokens, hidden, there = texts
    count = hidden.sum(dim=1)
    for step in range(filling.steps):
        guess, sure = _guessed(predict(tokens, there), filling, chance)
        left = torch.div(count * (filling.steps - step - 1), filling.steps, rounding_mode="floor")
        rank = sure.masked_fill(~hidden, -torch.inf).argsort(dim=1, descending=True, stable=True).argsort(dim=1)
        kept = hidden & (rank < (hidden.sum(dim=1) - left).unsqueeze(1))
        tokens = torch.where(kept, guess, tokens)
        hidden = hidden & ~kept
    return tokens


def _guessed(logits: Tensor, filling: Filling, chance: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return a word for each token, and the chance that the model gives it, [B, T]; drawn in float64."""
    logits = logits.double()
    logits[..., list(filling.barred)] = -torch.inf
    log_chance = torch.log_softmax(logits, dim=-1)
    if filling.temperature == 0:
        guess = log_chance.argmax(dim=-1)
    else:
        uniform = torch.rand(logits.shape, generator=chance, dtype=torch.float64).clamp(min=1e-300)
        guess = (log_chance / filling.temperature - torch.log(-torch.log(uniform))).argmax(dim=-1)
    return guess, log_chance.gather(-1, guess.unsqueeze(-1))[..., 0].exp()
