"""Fusing what several systems say of a hidden behaviour by a small network that learns it from answered questions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from diffusion.histories import Histories
from learning.counting import Log, neighbours, transitions
from learning.links import Links
from learning.material import Material
from ranker.fusion import FLOOR, Candidates, Lessons, learn

LISTED, BY_TITLE = 200, 60  # candidates of a question; of them so many by each likeness of titles
NETWORKS, EPOCHS = 3, 20  # whose chances are multiplied; both as they were first tried
BASE = {"diffusion": 1.0, "kNN": 1.0, "text": 0.5}  # of the sum that chooses the other candidates
UNLISTED = 10**6  # rank of what is not among the candidates


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is counted of the items that histories hold, and what their titles are like."""

    links: Mapping[str, Links]
    titles: Tensor  # [items, d], of unit length
    popularity: Tensor  # [items], ln(1 + count)

    @classmethod
    def of(cls, material: Material, titles: Tensor) -> Self:
        """Count; titles [items, d]."""
        log = Log.of(material.behaviors, len(material.behaviors.items))
        links = {
            "before": transitions(log, window=5),
            "just before": transitions(log, window=1),
            "after": transitions(log, window=5, backwards=True),
            "just after": transitions(log, window=1, backwards=True),
            "beside": neighbours(log),
            "beside, popular": neighbours(log, power=0.3),
        }
        return cls(links, nn.functional.normalize(titles, dim=1), torch.log1p(log.counts.float()))

    def weights(self, near: Tensor, before: Tensor | None) -> dict[str, Tensor]:
        """Return how much each place [histories, L] counts; `before` is None where the gap is unknown."""
        if before is None:
            return dict.fromkeys(self.links, near)
        just = (near == 1).float()
        sides = {"before": before, "after": ~before}
        return {
            name: (just if name.startswith("just") else near) * sides.get(name.removeprefix("just "), torch.ones(1))
            for name in self.links
        }


def listed(
    parts: Mapping[str, Tensor], evidence: Evidence, histories: Histories, near: Tensor, before: Tensor | None
) -> Candidates:
    """Return the candidates of each question and what is said of them.

    `parts`: scores [histories, items] of each system, on like scales; `near` [histories, L]: 1 beside the gap, less
    further away, 0 where a history has no item; `before` [histories, L]: whether a place is before the gap, if known.
    """
    own = torch.where(histories.real, histories.item, 0)
    greatest, nearest = _greatest(evidence.titles, histories, near)
    base = sum((weight * parts[name] for name, weight in BASE.items()), torch.zeros(()))
    item = _chosen(base, (parts["text"], greatest), histories)
    features = {"base": base.gather(1, item)}
    for name, scores in parts.items():
        picked = scores.gather(1, item)
        order = torch.log1p(torch.searchsorted(*_descending(scores, picked)).float())
        features |= {name: picked, f"{name}, behind": picked - scores.amax(dim=1, keepdim=True), f"{name}, rank": order}
    for name, weight in evidence.weights(near, before).items():
        features[name] = torch.log(evidence.links[name].spread(own, weight).gather(1, item) + FLOOR)
    features |= {"greatest cosine": greatest.gather(1, item), "nearest cosine": nearest.gather(1, item)}
    features["popularity"] = evidence.popularity[item]
    features["length"] = torch.log(histories.lengths.float())[:, None].expand_as(item)
    return Candidates(item, torch.stack(list(features.values()), dim=2).half(), tuple(features))


def learned_ranks(lists: list[Candidates], true: Tensor, times: NDArray[np.int64], *, seed: int) -> NDArray[np.int64]:
    """Return the rank of each question's item by networks that learned from each question so many `times`."""
    features, hit = torch.cat([own.features for own in lists]), torch.cat([own.item for own in lists]) == true[:, None]
    found, column = hit.any(dim=1), hit.int().argmax(dim=1)
    learned = torch.arange(len(true)).repeat_interleave(torch.from_numpy(times) * found)
    lessons = Lessons(features[learned], column[learned], lists[0].names)
    scores = torch.zeros(hit.shape)
    for number in range(NETWORKS):
        network = learn(lessons, seed=seed * NETWORKS + number, epochs=EPOCHS)
        with torch.no_grad():
            scores += network(features.float()).log_softmax(dim=1)
    place = (scores >= scores.gather(1, column[:, None])).sum(dim=1) - 1
    return np.where(found.numpy(), place.numpy(), UNLISTED)


def _greatest(titles: Tensor, histories: Histories, near: Tensor) -> tuple[Tensor, Tensor]:
    """Return the greatest cosine of each item to one of a history's, as it is and by how near that one is."""
    row, place = histories.real.nonzero(as_tuple=True)
    cosine = titles[histories.item[row, place]] @ titles.T
    lengths = histories.lengths.tolist()
    greatest, nearest = (
        torch.stack([part.amax(dim=0) for part in torch.split(own, lengths)])
        for own in (cosine, cosine * near[row, place][:, None])
    )
    return greatest, nearest


def _chosen(base: Tensor, likenesses: tuple[Tensor, ...], histories: Histories) -> Tensor:
    """Return candidates [histories, C]: the best by each likeness, the rest by the sum; never the history's own."""
    row, place = histories.real.nonzero(as_tuple=True)
    own = (row, histories.item[row, place])
    order = base.index_put(own, torch.tensor(-torch.inf))
    for scores in likenesses:
        best = scores.index_put(own, torch.tensor(-torch.inf)).topk(BY_TITLE, dim=1).indices
        order = order.scatter(1, best, torch.inf)
    return order.topk(LISTED, dim=1).indices


def _descending(scores: Tensor, picked: Tensor) -> tuple[Tensor, Tensor]:
    """Return both negated, the first in order: a search in it counts what is better."""
    return (-scores).sort(dim=1).values, (-picked).contiguous()
