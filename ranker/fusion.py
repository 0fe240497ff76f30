"""Late fusion: a small network re-ranks what retrieval found, by what each retriever and each part of knowledge says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from ranker.retrieval import Links, Log, drift, neighbours, recency, transitions
from ranker.similarity import Similarity

NEAR = 10  # behaviours that are compared with a candidate one by one
FLOOR = 1e-3  # added to a score before its logarithm
SHARES = {"transitions": 1.0, "neighbours": 0.5, "similarity": 0.5}  # of the scores that choose candidates


@dataclass(frozen=True, eq=False)
class Retrievers:
    """All that is counted in a log."""

    following: Links
    next: Links
    preceding: Links
    beside: Links
    beside_popular: Links
    item_sides: Tensor  # [items, sides]: log count, share of last places, mean place, drift, whether never seen

    @classmethod
    def fit(cls, log: Log) -> Self:
        """Count; a few seconds for a few hundred thousand behaviours."""
        counts, place = log.counts, log.place
        lengths = torch.repeat_interleave(log.lengths, log.lengths)
        last = torch.bincount(log.item[place == lengths - 1], minlength=log.items)
        middle = torch.zeros(log.items).index_add_(0, log.item, place / (lengths - 1).clamp(min=1))
        sides = [
            torch.log1p(counts), (last + 0.5) / (counts + 1.5), (middle + 1) / (counts + 2), drift(log), (counts == 0).float()
        ]  # fmt: skip
        return cls(
            following=transitions(log, window=5),
            next=transitions(log, window=1),
            preceding=transitions(log, window=5, backwards=True),
            beside=neighbours(log),
            beside_popular=neighbours(log, power=0.3),
            item_sides=torch.stack(sides, dim=1),
        )


@dataclass(frozen=True, eq=False)
class Candidates:
    """Some items of each history and what speaks for each: item [histories, C], features [histories, C, F]."""

    item: Tensor
    features: Tensor
    names: tuple[str, ...]


def base_scores(history_BL: Tensor, retrievers: Retrievers, similarity: Similarity) -> Tensor:
    """Return the fused scores that choose candidates, [histories, items]; -inf for the items of the history."""
    weight_BL = recency(history_BL, 0.7)
    scores = SHARES["transitions"] * _shares(retrievers.following.spread(history_BL, weight_BL))
    scores += SHARES["neighbours"] * _shares(retrievers.beside.spread(history_BL, weight_BL))
    likeness = _likeness(history_BL, weight_BL, similarity)
    return _without_history(scores + SHARES["similarity"] * likeness, history_BL)


def candidates(history_BL: Tensor, retrievers: Retrievers, similarity: Similarity, count: int) -> Candidates:
    """Return the `count` best items of each history by the base scores, the best first, with all features."""
    base = base_scores(history_BL, retrievers, similarity)
    item_BC = base.topk(min(count, base.shape[1]), dim=1).indices
    features: dict[str, Tensor] = {"base": base.gather(1, item_BC).clamp(min=-1)}
    features |= _log_features(history_BL, item_BC, retrievers)
    features |= _vector_features(history_BL, item_BC, similarity)
    features |= _term_features(history_BL, item_BC, similarity)
    features |= _side_features(history_BL, item_BC, retrievers.item_sides)
    return Candidates(item_BC, torch.stack(list(features.values()), dim=2), tuple(features))


class Reranker(nn.Module):
    """Two hidden layers over standardised features; the score of one candidate does not depend on the others."""

    def __init__(self, features: int, hidden: int = 64, dropout: float = 0.1) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        self.layers = nn.Sequential(
            nn.Linear(features, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, hidden), nn.GELU(),
            nn.Linear(hidden, 1),
        )  # fmt: skip

    def standardise(self, features_BCF: Tensor) -> None:
        """Learn where each feature lies."""
        self.mean.copy_(features_BCF.mean(dim=(0, 1)))
        self.deviation.copy_(features_BCF.std(dim=(0, 1)) + FLOOR)

    def forward(self, features_BCF: Tensor) -> Tensor:
        """Return scores [histories, candidates]."""
        scores: Tensor = self.layers(((features_BCF - self.mean) / self.deviation).clamp(-6, 6))
        return scores.squeeze(2)


@dataclass(frozen=True, eq=False)
class Lessons:
    """Histories whose next item is known and among the candidates: features [lists, C, F], the true one's column."""

    features: Tensor
    true: Tensor
    names: tuple[str, ...]

    def columns(self, kept: Sequence[int]) -> Self:
        """Return the lessons with some features alone."""
        return type(self)(self.features[:, :, kept], self.true, tuple(self.names[column] for column in kept))


def lessons(log: Log, similarity: Similarity, *, folds: int, last: int, count: int, seed: int) -> Lessons:
    """Return lists to learn from; each is retrieved by counts of other users alone, so that none knows its answer.

    `last`: how many behaviours at the end of each sequence are learned to be found, from those before.
    """
    chance = torch.Generator().manual_seed(seed)
    fold = torch.randint(folds, (len(log.lengths),), generator=chance)
    found: list[Candidates] = []
    columns: list[Tensor] = []
    for number in range(folds):
        retrievers = Retrievers.fit(log.of_users(fold != number))
        for history_BL, true_B in _questions(log, (fold == number).nonzero()[:, 0], last):
            listed = candidates(history_BL, retrievers, similarity, count)
            hit = listed.item == true_B[:, None]
            known = hit.any(dim=1)
            found.append(Candidates(listed.item[known], listed.features[known].half(), listed.names))
            columns.append(hit[known].int().argmax(dim=1))
    return Lessons(torch.cat([own.features for own in found]), torch.cat(columns), found[0].names)


def learn(of: Lessons, *, seed: int, epochs: int = 6, batch: int = 64, rate: float = 2e-3) -> Reranker:
    """Return a re-ranker trained with a softmax over each list; equal seeds give equal weights on one thread."""
    torch.manual_seed(seed)
    model = Reranker(of.features.shape[2])
    model.standardise(of.features[:: max(1, len(of.true) // 4000)].float())
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=1e-4)
    steps = epochs * -(-len(of.true) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=max(2, steps), pct_start=0.1)
    for _ in range(epochs):
        for rows in torch.randperm(len(of.true)).split(batch):
            loss = nn.functional.cross_entropy(model(of.features[rows].float()), of.true[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return model.eval()


def _questions(log: Log, user: Tensor, last: int, size: int = 512) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield histories with the item that came next, for the last behaviours of some users."""
    for back in range(1, last + 1):
        able = user[log.lengths[user] > back]
        for some in able.split(size):
            length = log.lengths[some] - back
            yield log.histories(some, length), log.item[log.offsets[some] + length]


def _shares(scores: Tensor) -> Tensor:
    """Return scores as shares of the best one of the row."""
    return scores / scores.amax(dim=1, keepdim=True).clamp(min=1e-9)


def _without_history(scores: Tensor, history_BL: Tensor) -> Tensor:
    row, place = (history_BL >= 0).nonzero(as_tuple=True)
    return scores.index_put((row, history_BL[row, place]), torch.tensor(-torch.inf))


def _likeness(history_BL: Tensor, weight_BL: Tensor, similarity: Similarity) -> Tensor:
    """Return the mean over the vectors of the profile's cosine with every item, [histories, items], at least 0."""
    total = torch.zeros(1)
    for vectors in similarity.vectors.values():
        profile = (vectors[history_BL.clamp(min=0)] * weight_BL[:, :, None]).sum(dim=1)
        total = total + nn.functional.normalize(profile, dim=1) @ vectors.T / len(similarity.vectors)
    return total.clamp(min=0)


def _log_features(history_BL: Tensor, item_BC: Tensor, retrievers: Retrievers) -> dict[str, Tensor]:
    steady, slow, last = recency(history_BL, 0.7), recency(history_BL, 0.9), recency(history_BL[:, :1], 1.0)
    second, newest, older = recency(history_BL[:, 1:2], 1.0), history_BL[:, :1], history_BL[:, 1:2]
    spreads = {
        "following": (retrievers.following, history_BL, steady),
        "next of the last": (retrievers.next, newest, last),
        "following the second": (retrievers.following, older, second),
        "preceding": (retrievers.preceding, history_BL, steady),
        "beside": (retrievers.beside, history_BL, steady),
        "beside, all alike": (retrievers.beside, history_BL, slow),
        "beside the last": (retrievers.beside, newest, last),
        "beside, popular": (retrievers.beside_popular, history_BL, steady),
    }
    features: dict[str, Tensor] = {}
    for name, (links, own, weight) in spreads.items():
        scores = links.spread(own, weight).gather(1, item_BC)
        features |= {name: torch.log(scores + FLOOR), f"{name}, share": _shares(scores)}
    return features


def _vector_features(history_BL: Tensor, item_BC: Tensor, similarity: Similarity) -> dict[str, Tensor]:
    """Return of each kind of vectors the recency-weighted, the greatest, the last and the second's cosine."""
    near_BL = history_BL[:, :NEAR]
    weight_BL = recency(near_BL, 0.7)
    share_BL = weight_BL / weight_BL.sum(dim=1, keepdim=True).clamp(min=1e-9)
    features: dict[str, Tensor] = {}
    for name, vectors in similarity.vectors.items():
        cosine = torch.bmm(vectors[near_BL.clamp(min=0)], vectors[item_BC].transpose(1, 2))
        cosine = torch.where(near_BL[:, :, None] >= 0, cosine, -1.0)
        features[f"{name} cosine"] = torch.einsum("bl,blc->bc", share_BL, cosine)
        features[f"{name} cosine, greatest"] = cosine.amax(dim=1)
        features[f"{name} cosine, last"], features[f"{name} cosine, second"] = cosine[:, 0], cosine[:, 1]
    return features


def _term_features(history_BL: Tensor, item_BC: Tensor, similarity: Similarity) -> dict[str, Tensor]:
    near_BL = history_BL[:, :NEAR]
    features: dict[str, Tensor] = {}
    for name, history, weight in (("all", near_BL, recency(near_BL, 0.7)), ("last", near_BL[:, :1], None)):
        profile = similarity.profile(history, recency(history, 1.0) if weight is None else weight)
        match = similarity.matches(profile, item_BC)
        features |= {f"{group}, {name}": match[:, :, place] for place, group in enumerate(similarity.groups)}
    return features


def _side_features(history_BL: Tensor, item_BC: Tensor, sides: Tensor) -> dict[str, Tensor]:
    """Return what is counted of the candidates themselves, beside what is counted of the history."""
    near_BL = history_BL[:, :NEAR]
    weight_BL = recency(near_BL, 0.7)
    own = sides[item_BC]
    past = torch.where((near_BL >= 0)[:, :, None], sides[near_BL.clamp(min=0)], 0.0)
    mean = (past * weight_BL[:, :, None]).sum(dim=1) / weight_BL.sum(dim=1, keepdim=True).clamp(min=1e-9)
    length = (history_BL >= 0).sum(dim=1, keepdim=True).float()
    names = ("popularity", "late share", "mean place", "drift", "never seen")
    features = {name: own[:, :, place] for place, name in enumerate(names)}
    features["drift since the last"] = own[:, :, 3] - past[:, :1, 3]
    features["drift away"] = (own[:, :, 3] - mean[:, None, 3]).abs()
    features["popularity of the last"] = past[:, :1, 0].expand_as(item_BC)
    features["popularity of the history"] = mean[:, None, 0].expand_as(item_BC)
    features["length of the history"] = torch.log(length.clamp(min=1)).expand_as(item_BC)
    return features
