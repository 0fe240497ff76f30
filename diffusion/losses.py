"""From logits of hidden digits to one number: cross-entropies, weighted to a bound of the likelihood."""

import torch
from torch import Tensor

from diffusion.config import Bound


def digit_losses(logits: Tensor, true: Tensor) -> Tensor:
    """Return -ln p of the true codes [K] from logits over all codes [K, size]."""
    return torch.nn.functional.cross_entropy(logits, true, reduction="none")


def sampled_losses(logits: Tensor, true: Tensor, drawn: Tensor, chance: Tensor) -> Tensor:
    """Return about -ln p [K] from logits [K, 1 + D] of the true code and D drawn ones.

    `chance` [size] is that with which codes were drawn: the sum over all codes is estimated by importance (Bengio &
    Senecal 2008), each drawn one counting 1 / (D chance). The true code counts once, however often it was drawn.
    """
    others = logits[:, 1:] - torch.log(chance * len(drawn))[drawn]
    others = others.masked_fill(true.unsqueeze(1) == drawn, -torch.inf)
    table = torch.cat([logits[:, :1], others], dim=1)
    return torch.nn.functional.cross_entropy(table, torch.zeros_like(true), reduction="none")


def count_weights(hidden: Tensor) -> Tensor:
    """Return 1 / k for each row of `hidden` [B, ...], k of whose digits are hidden."""
    return 1 / hidden.flatten(1).sum(dim=1).clamp(min=1)


def rate_weights(times: Tensor, lengths: Tensor) -> Tensor:
    """Return 1 / (t n) for each row of n digits, hidden each with chance t: the negative ELBO, for one digit."""
    return 1 / (times * lengths.clamp(min=1))


def bounded(losses: Tensor, weights: Tensor, rows: int, bound: Bound, whole: Tensor | None = None) -> Tensor:
    """Return the loss of a batch of `rows` from that of each hidden digit [K] and its weight [K].

    `whole`: the sum of the weights of the batch, where these digits are a part of it.
    """
    total = (losses * weights).sum()
    if bound is not Bound.NORMALISED:
        return total / max(1, rows)
    return total / (weights.sum() if whole is None else whole).clamp(min=1e-9)
