"""How a candidate looks at a history: target attention, its mixture with similarity of meaning, and what to look at.

Shapes: B requests, C candidates, L behaviours (L = K a candidate where they were retrieved), D width, M hidden units.
"""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from ranker.pair_logits import pair_logits, worth_it

INNER_EDGES = (-0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8)  # between the bins of cosine
TIERS = len(INNER_EDGES) + 1


class TargetAttention(nn.Module):
    """DIN (Zhou et al. 2018) whose first layer is factorised: nothing four widths wide exists for a pair.

    W [h, t, h * t, h - t] = (Wh + Wd) h + (Wt - Wd) t + Wp (h * t); the first two are computed once an item. Weights
    are a masked softmax.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Linear(4 * width, hidden)  # the columns of Wh, Wt, Wp, Wd
        self.last = nn.Linear(hidden, 1)

    def behaviours(self, past: Tensor) -> Tensor:
        """Return what the first layer makes of behaviours alone, [B, L, M]; shared by all candidates."""
        of_history, _, _, of_difference = self.first.weight.chunk(4, dim=1)
        return nn.functional.linear(past, of_history + of_difference)

    def over(self, past: Tensor, offered: Tensor) -> Tensor:
        """Return logits [B, C, L] of all candidates and behaviours [B, L, D]; while training computed in blocks."""
        if not self.training or not worth_it(past, offered):
            plain: Tensor = self(past, self.behaviours(past), offered)
            return plain
        of_history, of_target, of_product, of_difference = self.first.weight.chunk(4, dim=1)
        own = nn.functional.linear(offered, of_target - of_difference, self.first.bias)
        weights = (of_history + of_difference).T.contiguous(), of_product.T.contiguous()
        return pair_logits(past, offered, own, weights, self.last.weight.squeeze(0)) + self.last.bias

    def forward(self, past: Tensor, shared: Tensor, offered: Tensor) -> Tensor:
        """Return logits [B, C, L]; `past` and `shared` are [B, L, ·] for all candidates, or [B, C, K, ·] for each."""
        _, of_target, of_product, of_difference = self.first.weight.chunk(4, dim=1)
        of_candidate = nn.functional.linear(offered, of_target - of_difference, self.first.bias)
        if past.dim() == 3:
            past, shared = past.unsqueeze(1), shared.unsqueeze(1)
        of_pair = nn.functional.linear(past * offered.unsqueeze(2), of_product)
        of_pair.add_(shared).add_(of_candidate.unsqueeze(2)).relu_()
        logits: Tensor = of_pair @ self.last.weight.squeeze(0) + self.last.bias
        return logits


class SemanticAttention(nn.Module):
    """Mixes attention over ids with cosine (MUSE): a * logit + b * cosine + c * logit * cosine, learned a, b, c."""

    def __init__(self) -> None:
        super().__init__()
        self.mixture = nn.Parameter(torch.tensor([0.5, 5.0, 0.0]))

    def forward(self, logits: Tensor, cosines: Tensor) -> Tensor:
        """Return logits [B, C, L]."""
        by_id, by_meaning, by_both = self.mixture
        mixed: Tensor = by_id * logits + by_meaning * cosines + by_both * logits * cosines
        return mixed


def pooled(logits: Tensor, past: Tensor, real: Tensor) -> Tensor:
    """Return the behaviours of each candidate, weighed by a softmax over the real ones: [B, C, D]; zeros for none.

    `past` and `real` as in `TargetAttention.forward`.
    """
    if past.dim() == 3:
        return masked_softmax(logits, real.unsqueeze(1)) @ past
    return (masked_softmax(logits, real).unsqueeze(2) @ past).squeeze(2)


def masked_softmax(logits: Tensor, real: Tensor) -> Tensor:
    """Return weights over the last axis that are zero where nothing is real, and all zero where nothing at all is."""
    if without_paddings(real):
        return torch.softmax(logits, dim=-1)
    weights = torch.softmax(logits.masked_fill(~real, -torch.inf), dim=-1)
    return torch.where(real.any(dim=-1, keepdim=True), weights, torch.zeros_like(weights))


def without_paddings(real: Tensor) -> bool:
    """Return whether all behaviours are real, so that no copy with a mask is needed; an exported graph always masks."""
    return not torch.compiler.is_exporting() and bool(real.all())


def of_real(numbers: Tensor, real: Tensor, otherwise: float) -> Tensor:
    """Return the numbers with another in the place of paddings."""
    return numbers if without_paddings(real) else numbers.masked_fill(~real, otherwise)


def nearest(cosines: Tensor, real: Tensor, count: int) -> Tensor:
    """Return which behaviours are most like each candidate, [B, C, count] (GSU of SIM; Pi et al. 2020).

    What is not real counts as -inf, not 0: a padding never goes before a real behaviour that is unlike.
    """
    ranked = of_real(cosines.detach(), real.unsqueeze(1), -torch.inf)
    if ranked.device.type == "cpu" and not torch.compiler.is_exporting():  # numpy's partition is twice as fast
        return torch.from_numpy(np.argpartition(ranked.numpy(), -count, axis=2)[:, :, -count:])
    return ranked.topk(count, dim=2, sorted=False).indices


def similarity_tiers(cosines: Tensor, real: Tensor) -> Tensor:
    """Return log(1 + how many behaviours fall into each bin of cosine), [B, C, bins] (SimTier; Sheng et al. 2024)."""
    real = real.unsqueeze(1) if real.dim() == 2 else real
    unlike = of_real(cosines.detach(), real, -2.0)
    above = torch.empty_like(unlike)  # as numbers, which are summed many times as fast as truths
    inner = [torch.ge(unlike, edge, out=above).sum(dim=2) for edge in INNER_EDGES]
    everything = real.sum(dim=2).to(unlike.dtype).expand_as(inner[0])
    at_least = [everything, *inner, torch.zeros_like(everything)]
    return torch.log1p(torch.stack([low - high for low, high in pairwise(at_least)], dim=2))


def picked(of_behaviours: Tensor, chosen: Tensor) -> Tensor:
    """Return the rows of each candidate's chosen behaviours, [B, C, K, X]."""
    requests, length, width = of_behaviours.shape
    first = length * torch.arange(requests, device=chosen.device)[:, None, None]
    return of_behaviours.reshape(-1, width).index_select(0, (chosen + first).flatten()).view(*chosen.shape, width)
