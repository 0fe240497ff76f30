"""What is chosen by users who are not learned from: the epoch of a model, and how much it trusts kinds of things."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffusion.histories import Histories
from diffusion.imagination import Imagination
from diffusion.kinship import categories_of

BEST = 10
AT_ONCE = 256  # rows
SLOTS = 8  # in which a category that is taken away is looked for
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def items_found(imagination: Imagination, histories: Histories) -> float:
    """Return the mean NDCG@10 of finding each row's last item and one hidden inside it; the same ones each time.

    The twin is asked the first question alone.
    """
    chance, lengths = np.random.default_rng(0), histories.lengths.numpy()
    inside = np.maximum(1, (chance.random(len(lengths)) * (lengths - 1)).astype(np.int64))
    hidden = [lengths - 1] if imagination.is_twin else [lengths - 1, np.minimum(inside, lengths - 1)]
    return float(np.mean([_item_found(imagination, histories, place) for place in hidden]))


def share_of_kinds(imagination: Imagination, histories: Histories) -> float:
    """Return the share by which a leaf category is found best when all of its behaviours are taken away.

    A share of 1 leaves all to the kinds, 0 to the items; half where nobody shows two categories.
    """
    group, chance = imagination.reading.group, np.random.default_rng(0)
    has = categories_of(histories.item, group).numpy()
    true = torch.from_numpy(np.argmax(has * chance.random(has.shape), axis=1))
    chosen = torch.from_numpy(has.sum(axis=1) > 1).nonzero()[:, 0]
    if not len(chosen):
        return 0.5
    gains = []
    for share in SHARES:
        parts = [_category_found(imagination, histories, rows, true, share) for rows in _pieces(chosen)]
        gains.append(float(torch.cat(parts).mean()))
    return SHARES[int(np.argmax(gains))]


def _item_found(imagination: Imagination, histories: Histories, place: NDArray[np.int64]) -> float:
    """Return the mean NDCG@10 of finding what stands at a place of each row, when it is taken away."""
    gains = []
    for rows in _pieces(torch.arange(len(place))):
        part, at = histories.rows(rows), torch.from_numpy(place)[rows]
        true = part.item[torch.arange(len(at)), at]
        rest = part.without(at)
        if imagination.reading.tokens.length > 1:
            own = [row[row >= 0].numpy().astype(np.int32) for row in rest.item]
            best = torch.from_numpy(imagination.suggest(own, BEST)[0]).long()
        else:
            best = _barred(imagination.log_chances(rest, at), rest.item).topk(BEST, dim=1).indices
        gains.append(_gains(best, true))
    return float(torch.cat(gains).mean()) if gains else 0.0


def _category_found(imagination: Imagination, histories: Histories, rows: Tensor, true: Tensor, share: float) -> Tensor:
    """Return the NDCG@10 of finding the true category of some rows, [rows]; visible ones are left out."""
    group, part = imagination.reading.group, histories.rows(rows)
    rest = part.keeping(group[part.item.clamp(min=0)] != true[rows].unsqueeze(1))
    chances = imagination.else_chances(rest, SLOTS, share)
    visible = categories_of(rest.item, group)
    size = visible.shape[1]
    column = torch.where(group < 0, size, group).expand(len(rows), -1)
    mass = torch.zeros(len(rows), size + 1).scatter_add(1, column, chances)[:, :-1]
    best = mass.masked_fill(visible.bool(), -1).topk(min(BEST, size), dim=1).indices
    return _gains(best, true[rows])


def _pieces(rows: Tensor) -> list[Tensor]:
    return [rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE)]


def _gains(best: Tensor, true: Tensor) -> Tensor:
    rank = torch.where(best == true.unsqueeze(1), torch.arange(best.shape[1]), BEST).amin(dim=1)
    return torch.where(rank < BEST, 1 / torch.log2(rank + 2.0), 0.0)


def _barred(scores: Tensor, items: Tensor) -> Tensor:
    row, place = (items >= 0).nonzero(as_tuple=True)
    scores[row, items[row, place]] = -torch.inf
    return scores
