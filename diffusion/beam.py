"""The likeliest items of a hidden place, by a beam over the digits of its semantic ID; of item tokens plain top-k.

At each step every hypothesis fills one more digit, with the codes that items with its known digits have. Which digit
that is depends on what the hypothesis knows and on nothing else: so each ID is reached in one way, the chances of all
IDs add up to 1, and a beam as wide as there are IDs is exact. Shapes: B rows, H hypotheses, N places, L digits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import torch
from torch import Tensor

from diffusion.denoiser import Context, Places
from diffusion.tokens import MASK, NONE, Tokens

WIDTH = 50
Denoise = Callable[[Tensor, Context, Places], list[Tensor]]


class NextDigit(StrEnum):
    """Which digit of a hypothesis is filled next."""

    SUREST = "surest"  # the one whose likeliest code is likeliest
    FIRST = "first"  # from left to right, as residual codes are made


class Found(NamedTuple):
    """The best items of each row, [B, k], the likeliest first; NONE and -inf where there are fewer."""

    items: Tensor
    log_p: Tensor  # float64; items that share an ID share its chance equally


@torch.no_grad()
def beam(
    denoise: Denoise,
    digits: Tensor,
    context: Context,
    place: Tensor,
    tokens: Tokens,
    *,
    k: int,
    width: int = WIDTH,
    next_digit: NextDigit = NextDigit.SUREST,
    excluded: Tensor | None = None,
) -> Found:
    """Return the `k` likeliest items at `place` [B] of rows `digits` [B, N, L]; digits that are known there stay.

    `excluded` bool [B, items] bars items; their chance is not given to others. Where a token is not an item they are
    dropped at the end: let `width` be as much wider than `k`.
    """
    question = _Question(denoise, digits, context, place, tokens)
    known = digits[torch.arange(len(digits)), place].unsqueeze(1)
    if tokens.length == 1:
        width = tokens.count
    found = _Beam(known, torch.zeros(known.shape[:2], dtype=torch.float64))
    for _ in range(int((known == MASK).sum(dim=2).max())):
        found = _step(found, question, width, next_digit)
    return _items(found, tokens, k, excluded)


class _Beam(NamedTuple):
    """Hypotheses of each row."""

    digits: Tensor  # [B, H, L]
    log_p: Tensor  # [B, H]; -inf for a copy that only fills its place


@dataclass(frozen=True, eq=False)
class _Question:
    """Rows, and the place of each that is asked."""

    denoise: Denoise
    digits: Tensor
    context: Context
    place: Tensor
    tokens: Tokens

    def log_chances(self, ids: Tensor) -> list[Tensor]:
        """Return ln of the chance of each code of each digit, beside the known digits of hypotheses [B, H, L]."""
        rows = torch.arange(ids.shape[0]).repeat_interleave(ids.shape[1])
        number, place, own = torch.arange(len(rows)), self.place[rows], ids.flatten(0, 1)
        sequences = self.digits[rows]
        sequences[number, place] = own
        logits = self.denoise(sequences, self.context.rows(rows), Places(number, place))
        if self.tokens.length == 1:
            return [torch.log_softmax(logits[0].double(), dim=1)]
        allowed = [self.tokens.allowed(own, digit) for digit in range(own.shape[1])]
        pairs = zip(logits, allowed, strict=True)
        return [torch.log_softmax(one.double().masked_fill(~may, -torch.inf), dim=1) for one, may in pairs]


def _step(beam: _Beam, question: _Question, width: int, next_digit: NextDigit) -> _Beam:
    """Fill one digit of each hypothesis that has a hidden one, and keep the best `width` of each row."""
    rows, own = len(beam.digits), beam.digits.flatten(0, 1)
    chances = question.log_chances(beam.digits)
    digit = _next(own, chances, next_digit)
    after = torch.full((len(own), max(question.tokens.sizes)), -torch.inf, dtype=torch.float64)
    for place, chance in enumerate(chances):
        here = digit == place
        after[here, : chance.shape[1]] = chance[here]
    whole = (own != MASK).all(dim=1)
    after[whole] = -torch.inf
    after[whole, own[whole, digit[whole]]] = 0.0
    likeliest = after.argmax(dim=1)
    scores = (beam.log_p.flatten().unsqueeze(1) + after).view(rows, -1)
    log_p, chosen = scores.topk(min(width, scores.shape[1]), dim=1)
    parent = (
        torch.div(chosen, after.shape[1], rounding_mode="floor")
        + torch.arange(rows).unsqueeze(1) * beam.digits.shape[1]
    )
    code = torch.where(log_p.isinf(), likeliest[parent], chosen % after.shape[1])
    return _Beam(own[parent].scatter(2, digit[parent].unsqueeze(2), code.unsqueeze(2)), log_p)


def _next(ids: Tensor, chances: list[Tensor], next_digit: NextDigit) -> Tensor:
    """Return which digit of each hypothesis [K, L] is filled next; any one where none is hidden."""
    hidden = ids == MASK
    if next_digit is NextDigit.FIRST:
        return hidden.int().argmax(dim=1)
    sure = torch.stack([chance.amax(dim=1) for chance in chances], dim=1)
    return sure.masked_fill(~hidden, -torch.inf).argmax(dim=1)


def _items(beam: _Beam, tokens: Tokens, k: int, excluded: Tensor | None) -> Found:
    """Return the best items of the IDs that were found."""
    rows, hypotheses = beam.log_p.shape
    offsets, items = tokens.items_of(beam.digits.flatten(0, 1))
    count = offsets.diff()
    hypothesis = torch.repeat_interleave(torch.arange(rows * hypotheses), count)
    score = beam.log_p.flatten()[hypothesis] - torch.log(count[hypothesis].double())
    row = torch.div(hypothesis, hypotheses, rounding_mode="floor")
    if excluded is not None:
        score = score.masked_fill(excluded[row, items], -torch.inf)
    found = Found(torch.full((rows, k), NONE), torch.full((rows, k), -torch.inf, dtype=torch.float64))
    order = torch.argsort(score, descending=True, stable=True)
    order = order[torch.argsort(row[order], stable=True)]
    rank = torch.arange(len(order)) - torch.searchsorted(row[order].contiguous(), row[order].contiguous())
    kept = (rank < k) & ~score[order].isinf()
    found.items[row[order][kept], rank[kept]] = items[order][kept]
    found.log_p[row[order][kept], rank[kept]] = score[order][kept]
    return found
