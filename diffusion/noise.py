"""How much is hidden: times in (0, 1] and numbers of hidden places, drawn evenly over a batch."""

import torch
from torch import Tensor


def stratified_times(count: int, chance: torch.Generator) -> Tensor:
    """Return `count` times in (0, 1], one in each of as many equal strata, in random order.

    The linear schedule: at time t each token is hidden with chance t (MDLM, arXiv 2406.07524, section 3.5).
    """
    place = (torch.randperm(count, generator=chance) + torch.rand(count, generator=chance)) / max(1, count)
    return place.clamp(min=1e-3, max=1.0)


def hidden_counts(lengths: Tensor, chance: torch.Generator) -> Tensor:
    """Return k ~ U{1..length} for each row, 0 where the length is 0.

    Hiding exactly k and averaging their cross-entropies is the bound of `stratified_times` with weight 1/t, with less
    variance: over t ~ U(0, 1) every number of hidden tokens is equally likely.
    """
    drawn = 1 + (stratified_times(len(lengths), chance) * lengths).floor().long()
    return torch.minimum(drawn, lengths)


def kept_share(time: float, earlier: float) -> float:
    """Return the chance that what is hidden at `time` is still hidden at an `earlier` time: s / t."""
    return earlier / time
