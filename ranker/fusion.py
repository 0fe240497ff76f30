"""Late fusion: a small network re-ranks what retrieval found, by what retrievers and knowledge say of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from learning.counting import Log, drift, lift, neighbours, recency, transitions
from learning.links import Links
from ranker.similarity import Similarity

NEAR = 10  # behaviours that are compared with a candidate one by one
DECAY = 0.7  # of what a behaviour weighs, one step further back
CODES = 3000  # different brands, categories … whose succession is counted
FLOOR = 1e-3  # added to a score before its logarithm
LISTS_AT_ONCE, RATE = 64, 2e-3  # of a step of learning
HISTORIES_AT_ONCE = 512  # that candidates are listed for
SHARES = {"transitions": 1.0, "neighbours": 0.5, "similarity": 0.5}  # of the scores that choose candidates


@dataclass(frozen=True, eq=False)
class Retrievers:
    """All that is counted in a log."""

    following: Links
    next: Links
    preceding: Links
    beside: Links
    beside_popular: Links
    lifts: Mapping[str, tuple[Tensor, Tensor]]  # group -> what each item is, how one follows the other
    item_sides: Tensor  # [items, sides]: log count, share of last places, mean place, drift, whether never seen

    @classmethod
    def fit(cls, log: Log, similarity: Similarity) -> Self:
        """Count; a few seconds for a few hundred thousand behaviours."""
        counts, place = log.counts, log.place
        lengths = torch.repeat_interleave(log.lengths, log.lengths)
        last = torch.bincount(log.item[place == lengths - 1], minlength=log.items)
        middle = torch.zeros(log.items).index_add_(0, log.item, place / (lengths - 1).clamp(min=1))
        late, never = (last + 0.5) / (counts + 1.5), (counts == 0).float()
        sides = [torch.log1p(counts), late, (middle + 1) / (counts + 2), drift(log), never]
        return cls(
            following=transitions(log, window=5),
            next=transitions(log, window=1),
            preceding=transitions(log, window=5, backwards=True),
            beside=neighbours(log),
            beside_popular=neighbours(log, power=0.3),
            lifts={name: (code, lift(log, code)) for name, code in similarity.codes(CODES).items()},
            item_sides=torch.stack(sides, dim=1),
        )


@dataclass(frozen=True, eq=False)
class Retrieved:
    """Scores of all items, [histories, items]: those that choose candidates, and what each count says."""

    base: Tensor
    spreads: dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Some items of each history and what speaks for each: item [histories, C], features [histories, C, F]."""

    item: Tensor
    features: Tensor
    names: tuple[str, ...]


def retrieve(history: Tensor, retrievers: Retrievers, similarity: Similarity, *, repeats: bool = False) -> Retrieved:
    """Score all items for each history; without `repeats`, the items of the history have -inf."""
    spreads = _spreads(history, retrievers)
    base = SHARES["transitions"] * _shares(spreads["following"]) + SHARES["neighbours"] * _shares(spreads["beside"])
    base += SHARES["similarity"] * _likeness(history, recency(history, DECAY), similarity)
    return Retrieved(base if repeats else _without_history(base, history), spreads)


def candidates(
    history: Tensor, retrieved: Retrieved, retrievers: Retrievers, similarity: Similarity, *, count: int
) -> Candidates:
    """Return the `count` best items of each history by the base scores, the best first, with all features."""
    base = retrieved.base
    item = base.topk(min(count, base.shape[1]), dim=1).indices
    features: dict[str, Tensor] = {"base": base.gather(1, item).clamp(min=-1)}
    for name, spread in retrieved.spreads.items():
        scores = spread.gather(1, item)
        features |= {name: torch.log(scores + FLOOR), f"{name}, share": _shares(scores)}
    features |= _vector_features(history, item, similarity)
    features |= _term_features(history, item, similarity)
    features |= _lift_features(history, item, retrievers.lifts)
    features |= _side_features(history, item, retrievers.item_sides)
    return Candidates(item, torch.stack(list(features.values()), dim=2), tuple(features))


class Reranker(nn.Module):
    """Two hidden layers over standardised features; the score of one candidate does not depend on the others."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, features: int, hidden: int = 64) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        self.layers = nn.Sequential(
            nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
            nn.Linear(hidden, 1),
        )  # fmt: skip

    def standardise(self, features: Tensor) -> None:
        """Learn where each feature lies."""
        self.mean.copy_(features.mean(dim=(0, 1)))
        self.deviation.copy_(features.std(dim=(0, 1)) + FLOOR)

    def forward(self, features: Tensor) -> Tensor:
        """Return scores [histories, candidates]."""
        scores: Tensor = self.layers(((features - self.mean) / self.deviation).clamp(-6, 6))
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


def lessons(
    log: Log, similarity: Similarity, *, folds: int, last: int, count: int, seed: int, repeats: bool = False
) -> Lessons:
    """Return lists to learn from; each is retrieved by counts of other users alone, so that none knows its answer.

    What nobody has wanted yet stands in no list: it can be no answer here, and would be learned to be never one.
    `last`: how many behaviours at the end of each sequence are learned to be found, from those before.
    """
    chance = torch.Generator().manual_seed(seed)
    fold = torch.randint(folds, (len(log.lengths),), generator=chance)
    found: list[Candidates] = []
    columns: list[Tensor] = []
    for number in range(folds):
        retrievers = Retrievers.fit(log.of_users(fold != number), similarity)
        for history, true in _questions(log, (fold == number).nonzero()[:, 0], last):
            retrieved = retrieve(history, retrievers, similarity, repeats=repeats)
            retrieved.base[:, log.counts == 0] = -torch.inf
            listed = candidates(history, retrieved, retrievers, similarity, count=count)
            hit = listed.item == true[:, None]
            known = hit.any(dim=1)
            found.append(Candidates(listed.item[known], listed.features[known].half(), listed.names))
            columns.append(hit[known].int().argmax(dim=1))
    return Lessons(torch.cat([own.features for own in found]), torch.cat(columns), found[0].names)


def learn(of: Lessons, *, seed: int, epochs: int) -> Reranker:
    """Return a re-ranker trained with a softmax over each list; equal seeds give equal weights on one thread."""
    torch.manual_seed(seed)
    model = Reranker(of.features.shape[2])
    model.standardise(of.features[:: max(1, len(of.true) // 4000)].float())
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=1e-4)
    steps = epochs * -(-len(of.true) // LISTS_AT_ONCE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=max(2, steps), pct_start=0.1)
    for _ in range(epochs):
        for rows in torch.split(torch.randperm(len(of.true)), LISTS_AT_ONCE):
            loss = nn.functional.cross_entropy(model(of.features[rows].float()), of.true[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return model.eval()


def _questions(log: Log, user: Tensor, last: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield histories with the item that came next, for the last behaviours of some users."""
    for back in range(1, last + 1):
        able = user[log.lengths[user] > back]
        for some in torch.split(able, HISTORIES_AT_ONCE):
            length = log.lengths[some] - back
            yield log.histories(some, length), log.item[log.offsets[some] + length]


def _shares(scores: Tensor) -> Tensor:
    """Return scores as shares of the best one of the row."""
    return scores / scores.amax(dim=1, keepdim=True).clamp(min=1e-9)


def _without_history(scores: Tensor, history: Tensor) -> Tensor:
    row, place = (history >= 0).nonzero(as_tuple=True)
    return scores.index_put((row, history[row, place]), torch.tensor(-torch.inf))


def _likeness(history: Tensor, weight: Tensor, similarity: Similarity) -> Tensor:
    """Return the mean over the vectors of the profile's cosine with every item, [histories, items], at least 0."""
    total = torch.zeros(1)
    for vectors in similarity.vectors.values():
        profile = (vectors[history.clamp(min=0)] * weight[:, :, None]).sum(dim=1)
        total = total + nn.functional.normalize(profile, dim=1) @ vectors.T / len(similarity.vectors)
    return total.clamp(min=0)


def _spreads(history: Tensor, retrievers: Retrievers) -> dict[str, Tensor]:
    steady, newest, older = recency(history, DECAY), history[:, :1], history[:, 1:2]
    last, second = recency(newest, 1.0), recency(older, 1.0)
    return {
        "following": retrievers.following.spread(history, steady),
        "next of the last": retrievers.next.spread(newest, last),
        "following the second": retrievers.following.spread(older, second),
        "preceding": retrievers.preceding.spread(history, steady),
        "beside": retrievers.beside.spread(history, steady),
        "beside, all alike": retrievers.beside.spread(history, recency(history, 0.9)),
        "beside the last": retrievers.beside.spread(newest, last),
        "beside, popular": retrievers.beside_popular.spread(history, steady),
    }


def _vector_features(history: Tensor, item: Tensor, similarity: Similarity) -> dict[str, Tensor]:
    """Return of each kind of vectors the recency-weighted, the greatest, the last and the second's cosine."""
    near = history[:, :NEAR]
    weight = recency(near, DECAY)
    share = weight / weight.sum(dim=1, keepdim=True).clamp(min=1e-9)
    features: dict[str, Tensor] = {}
    for name, vectors in similarity.vectors.items():
        cosine = torch.bmm(vectors[near.clamp(min=0)], vectors[item].transpose(1, 2))
        cosine = torch.where(near[:, :, None] >= 0, cosine, -1.0)
        features[f"{name} cosine"] = torch.einsum("bl,blc->bc", share, cosine)
        features[f"{name} cosine, greatest"] = cosine.amax(dim=1)
        features[f"{name} cosine, last"], features[f"{name} cosine, second"] = cosine[:, 0], cosine[:, 1]
    return features


def _term_features(history: Tensor, item: Tensor, similarity: Similarity) -> dict[str, Tensor]:
    near = history[:, :NEAR]
    features: dict[str, Tensor] = {}
    for name, read in (("all", near), ("last", near[:, :1])):
        profile = similarity.profile(read, recency(read, DECAY))
        match = similarity.matches(profile, item)
        features |= {f"{group}, {name}": match[:, :, place] for place, group in enumerate(similarity.groups)}
    return features


def _lift_features(history: Tensor, item: Tensor, lifts: Mapping[str, tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    """Return how well what a candidate is follows what the last behaviours were; 0 where one is unknown."""
    near = history[:, :NEAR]
    weight = recency(near, DECAY)
    weight = weight / weight.sum(dim=1, keepdim=True).clamp(min=1e-9)
    features: dict[str, Tensor] = {}
    for name, (code, table) in lifts.items():
        before, after = code[near.clamp(min=0)][:, :, None], code[item][:, None, :]
        known = (near >= 0)[:, :, None] & (before >= 0) & (after >= 0)
        found = torch.where(known, table[before.clamp(min=0), after.clamp(min=0)], 0.0)
        features[f"{name}, following"] = torch.einsum("bl,blc->bc", weight, found)
        features[f"{name}, following the last"] = found[:, 0]
    return features


def _side_features(history: Tensor, item: Tensor, sides: Tensor) -> dict[str, Tensor]:
    """Return what is counted of the candidates themselves, beside what is counted of the history."""
    near = history[:, :NEAR]
    weight = recency(near, DECAY)
    own = sides[item]
    past = torch.where((near >= 0)[:, :, None], sides[near.clamp(min=0)], 0.0)
    mean = (past * weight[:, :, None]).sum(dim=1) / weight.sum(dim=1, keepdim=True).clamp(min=1e-9)
    length = (history >= 0).sum(dim=1, keepdim=True).float()
    names = ("popularity", "late share", "mean place", "drift", "never seen")
    features = {name: own[:, :, place] for place, name in enumerate(names)}
    features["drift since the last"] = own[:, :, 3] - past[:, :1, 3]
    features["drift away"] = (own[:, :, 3] - mean[:, None, 3]).abs()
    features["popularity of the last"] = past[:, :1, 0].expand_as(item)
    features["popularity of the history"] = mean[:, None, 0].expand_as(item)
    features["length of the history"] = torch.log(length.clamp(min=1)).expand_as(item)
    return features
