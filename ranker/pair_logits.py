"""DIN's logits of pairs while training, some requests at a time: what is computed of a block stays in the cache.

Shapes: B requests, C candidates, L behaviours, b requests of a block, D width, M hidden units. Both functions return
last . relu(of_behaviour h + of_product (h * t) + own), [B, C, L], of `past` h [B, L, D], `offered` t [B, C, D], `own`
[B, C, M], `of_behaviour` and `of_product` [D, M], and `last` [M].

The way back uses that relu(x) is x times its slope: the gradient of `last` follows from those of the weights below it,
and all that is needed of the hidden units is which are above zero.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

PAIRS = 1600  # of a block
LEAST = 32  # behaviours from which weights of the candidate's own cost less than products with it


def worth_it(past: Tensor, offered: Tensor) -> bool:
    """Return whether this costs less than the layers themselves: not for one candidate and a short history."""
    return offered.shape[1] > 1 or past.shape[1] >= LEAST


def pair_logits(past: Tensor, offered: Tensor, own: Tensor, weights: tuple[Tensor, Tensor], last: Tensor) -> Tensor:
    """Return the logits, with their gradients."""
    way = SharedHistory if offered.shape[1] > 1 else OneCandidate
    logits: Tensor = way.apply(past, offered, own, *weights, last)  # type: ignore[no-untyped-call]
    return logits


class SharedHistory(torch.autograd.Function):
    """Candidates that share what the layer makes of the history."""

    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> Tensor:
        """Return the logits; the hidden units are kept for the way back."""
        past, offered, own, of_behaviour, of_product, last = inputs
        kept = past.new_empty(*offered.shape[:2], past.shape[1], len(last))
        logits = past.new_empty(kept.shape[:3])
        for rows in _blocks(kept):
            shared, hidden = past[rows] @ of_behaviour, kept[rows]
            products = past[rows].unsqueeze(1) * offered[rows].unsqueeze(2)
            torch.mm(products.flatten(0, 2), of_product, out=hidden.flatten(0, 2))
            hidden.add_(shared.unsqueeze(1)).add_(own[rows].unsqueeze(2)).relu_()
            torch.matmul(hidden, last, out=logits[rows])
        ctx.save_for_backward(*inputs, kept)
        return logits

    @staticmethod
    def backward(ctx: Any, of_logits: Tensor) -> tuple[Tensor, ...]:
        """Return the gradients."""
        past, offered, own, of_behaviour, of_product, last, kept = ctx.saved_tensors
        of_past, of_offered, of_own = (torch.empty_like(tensor) for tensor in (past, offered, own))
        shared, product = torch.zeros_like(of_behaviour), torch.zeros_like(of_product)
        down_behaviour, down_product = (of_behaviour * last).T, (of_product * last).T
        for rows in _blocks(kept):
            h, t = past[rows].unsqueeze(1), offered[rows].unsqueeze(2)
            slope = _slope(of_logits[rows], kept[rows])
            torch.sum(slope, dim=2, out=of_own[rows])
            together = slope.sum(dim=1)
            shared.addmm_(past[rows].flatten(0, 1).T, together.flatten(0, 1))
            product.addmm_((h * t).flatten(0, 2).T, slope.flatten(0, 2))
            down = slope @ down_product  # [b, C, L, D]
            of_past[rows] = (down * t).sum(dim=1) + together @ down_behaviour
            torch.sum(down.mul_(h), dim=2, out=of_offered[rows])
        return of_past, of_offered, *_of_weights(shared, product, of_own, (own, of_behaviour, of_product, last))


class OneCandidate(torch.autograd.Function):
    """One candidate a request: (of_behaviour + of_product diag(t)) h is one multiplication in the place of two."""

    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> Tensor:
        """Return the logits; the hidden units are kept for the way back."""
        past, offered, own, of_behaviour, of_product, last = inputs
        kept = past.new_empty(len(past), 1, past.shape[1], len(last))
        logits = past.new_empty(kept.shape[:3])
        for rows in _blocks(kept):
            weights = torch.addcmul(of_behaviour, of_product, offered[rows].transpose(1, 2))
            torch.baddbmm(own[rows], past[rows], weights, out=kept[rows].squeeze(1)).relu_()
            torch.matmul(kept[rows], last, out=logits[rows])
        ctx.save_for_backward(*inputs, kept)
        return logits

    @staticmethod
    def backward(ctx: Any, of_logits: Tensor) -> tuple[Tensor, ...]:
        """Return the gradients."""
        past, offered, own, of_behaviour, of_product, last, kept = ctx.saved_tensors
        of_past, of_offered, of_own = (torch.empty_like(tensor) for tensor in (past, offered, own))
        shared, product = torch.zeros_like(of_behaviour), torch.zeros_like(of_product)
        down_behaviour, down_product = of_behaviour * last, of_product * last
        for rows in _blocks(kept):
            slope, t = _slope(of_logits[rows], kept[rows]).squeeze(1), offered[rows].transpose(1, 2)
            torch.sum(slope, dim=1, keepdim=True, out=of_own[rows])
            weights = torch.addcmul(down_behaviour, down_product, t)
            torch.bmm(slope, weights.transpose(1, 2), out=of_past[rows])
            found = torch.bmm(past[rows].transpose(1, 2), slope)  # [b, D, M]
            shared += found.sum(dim=0)
            torch.sum(torch.mul(found, down_product, out=weights), dim=2, out=of_offered[rows].squeeze(1))
            product += found.mul_(t).sum(dim=0)
        return of_past, of_offered, *_of_weights(shared, product, of_own, (own, of_behaviour, of_product, last))


def _blocks(pairs: Tensor) -> Iterator[slice]:
    requests, candidates, behaviours, _ = pairs.shape
    size = max(1, PAIRS // max(1, candidates * behaviours))
    return (slice(start, start + size) for start in range(0, requests, size))


def _slope(of_logits: Tensor, kept: Tensor) -> Tensor:
    """Return the gradient of the logits where a hidden unit is above zero."""
    found: Tensor = torch.ops.aten.threshold_backward(of_logits.unsqueeze(3).expand_as(kept), kept, 0.0)
    return found


def _of_weights(shared: Tensor, product: Tensor, of_own: Tensor, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return the gradients of all weights from those that leave `last` out."""
    own, of_behaviour, of_product, last = inputs
    of_last = (shared * of_behaviour).sum(dim=0) + (product * of_product).sum(dim=0) + (of_own * own).sum(dim=(0, 1))
    return of_own * last, shared * last, product * last, of_last
