"""What is known of items as similarity: whitened vectors, and sparse features by group (brand, category, word)."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learning.whitening import Matrix, Whitening

WORD = re.compile(r"[^\W_]+(?:\.\d+)?")
GROUPS = 12  # attributes with a similarity of their own, those of most items; the others share one
OTHERS = "other attributes"
WORDS = "title"
MOST = 24  # features of an item in a group, the rarest, that are compared
Feature = tuple[str, str]  # the group, the value


class Knowledge(Protocol):
    """A table of knowledge as far as similarity reads it; see `memory.item_vectors.knowledge_table`."""

    @property
    def titles(self) -> tuple[str, ...]:
        """The title of each item."""

    @property
    def features(self) -> tuple[Feature, ...]:
        """(attribute, value) of each feature."""

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Items + 1 places in `feature`."""

    @property
    def feature(self) -> NDArray[np.int32]:
        """Feature numbers, item by item."""


@dataclass(frozen=True, eq=False)
class Similarity:
    """The items' sides that are compared; an item of which nothing is known has zeros."""

    vectors: Mapping[str, Tensor]  # name -> unit vectors [items, d]
    term: Tensor  # [items, terms of an item], numbers into `terms`; padded with 0 of weight 0
    weight: Tensor  # [items, terms of an item]; within a group of length 1
    group: Tensor  # [terms], numbers into `groups`
    groups: tuple[str, ...]
    terms: tuple[Feature, ...]

    @classmethod
    def of(cls, titles: Sequence[str], knowledge: Knowledge | None, vectors: Mapping[str, Matrix]) -> Self:
        """Return what the titles, the knowledge and the vectors (whitened here) tell."""
        facts: list[list[Feature]] = [list(_title_facts(title)) for title in titles]
        if knowledge is not None:
            for row, (start, end) in enumerate(zip(knowledge.offsets[:-1], knowledge.offsets[1:], strict=True)):
                facts[row] += [knowledge.features[feature] for feature in knowledge.feature[start:end]]
        whitened = {
            name: torch.from_numpy(Whitening.fit(matrix[np.any(matrix != 0, axis=1)]).apply(matrix))
            for name, matrix in vectors.items()
        }
        return cls(whitened, *_table(facts))

    def profile(self, history: Tensor, weight: Tensor) -> Tensor:
        """Return the weighted sum of the histories' terms, [histories, terms]."""
        row, place = (weight > 0).nonzero(as_tuple=True)
        item = history[row, place]
        flow = weight[row, place, None] * self.weight[item]
        at = row[:, None] * len(self.terms) + self.term[item]
        profile = torch.zeros(len(history) * len(self.terms)).index_add_(0, at.ravel(), flow.ravel())
        return profile.view(len(history), len(self.terms))

    def matches(self, profile: Tensor, candidate: Tensor) -> Tensor:
        """Return the similarity of profiles and candidates by group, [histories, candidates, groups]."""
        term = self.term[candidate]
        wanted = profile.gather(1, term.flatten(1)).view(term.shape) * self.weight[candidate]
        shape = (*candidate.shape, len(self.groups))
        return torch.zeros(shape).scatter_add_(2, self.group[term], wanted)

    def scores(self, profile: Tensor) -> Tensor:
        """Return the similarity of profiles and all items, all groups together, [histories, items]."""
        row = torch.arange(len(self.term))[:, None].expand_as(self.term)
        at = torch.stack([row.ravel(), self.term.ravel()])
        shape = (len(self.term), len(self.terms))
        table = torch.sparse_coo_tensor(at, self.weight.ravel(), shape, check_invariants=False)
        scores: Tensor = torch.sparse.mm(table, profile.T).T
        return scores

    def codes(self, most: int) -> dict[str, Tensor]:
        """Return of each group that tells one thing of an item what it tells, a number from 0, -1 where nothing.

        Groups of more than `most` different things are left out.
        """
        found: dict[str, Tensor] = {}
        for number, name in enumerate(self.groups):
            own = (self.group[self.term] == number) & (self.weight > 0)
            if not own.any() or int(own.sum(dim=1).max()) > 1:
                continue
            term = torch.where(own, self.term, -1).amax(dim=1)
            values, code = torch.unique(term, return_inverse=True)
            if len(values) <= most:
                found[name] = code - int(values[0] < 0)
        return found

    def shared(self, one: int, other: int) -> tuple[Feature, ...]:
        """Return the features that two items share, the heaviest first."""
        weight = dict(zip(self.term[one].tolist(), self.weight[one].tolist(), strict=True))
        pairs = zip(self.term[other].tolist(), self.weight[other].tolist(), strict=True)
        found = {term: own * weight.get(term, 0.0) for term, own in pairs}
        return tuple(self.terms[term] for term in sorted(found, key=lambda own: -found[own]) if found[term] > 0)


def _title_facts(title: str) -> Iterable[Feature]:
    """Yield a title's words and how it begins, which is often a brand or a line of products."""
    words: list[str] = WORD.findall(title.lower())
    for count in (1, 2):
        if words[:count]:
            yield f"{WORDS} begins, {count}", " ".join(words[:count])
    for word in words:
        yield WORDS, word


@dataclass(frozen=True)
class _Terms:
    """All features that two items or more share, with their numbers, groups and rarity."""

    number: dict[Feature, int]
    group: dict[Feature, int]
    rarity: dict[Feature, float]

    def heavy(self, counts: Counter[Feature]) -> dict[Feature, float]:
        """Return an item's features with their weight: tf-idf, of length 1 within a group."""
        known = sorted((feature for feature in counts if feature in self.number), key=lambda own: -self.rarity[own])
        room: Counter[int] = Counter()
        weight: dict[Feature, float] = {}
        for own in known:
            room[self.group[own]] += 1
            if room[self.group[own]] <= MOST:
                weight[own] = (1 + math.log(counts[own])) * self.rarity[own]
        length: Counter[int] = Counter()
        for own, value in weight.items():
            length[self.group[own]] += value * value  # type: ignore[assignment]
        return {own: value / math.sqrt(length[self.group[own]] or 1) for own, value in weight.items()}


def _table(facts: Sequence[Sequence[Feature]]) -> tuple[Tensor, Tensor, Tensor, tuple[str, ...], tuple[Feature, ...]]:
    """Return term, weight, group, groups and terms."""
    counts = [Counter(own) for own in facts]
    holders = Counter(feature for own in counts for feature in own)
    of_group = Counter(group for own in counts for group in {name for name, _ in own})
    first = sorted(of_group, key=lambda name: (not name.startswith(WORDS), -of_group[name], name))
    groups = (*first[: GROUPS + 3], OTHERS)
    terms = tuple(sorted(feature for feature, items in holders.items() if items > 1)) or ((WORDS, ""),)
    number_of = {name: place for place, name in enumerate(groups)}
    known = _Terms(
        {feature: place for place, feature in enumerate(terms)},
        {feature: number_of.get(feature[0], len(groups) - 1) for feature in terms},
        {feature: math.log(len(facts) / max(1, holders[feature])) for feature in terms},
    )
    rows = [known.heavy(own) for own in counts]
    term = np.zeros((len(rows), max(1, *map(len, rows))), np.int64)
    weight = np.zeros(term.shape, np.float32)
    for row, own in enumerate(rows):
        term[row, : len(own)], weight[row, : len(own)] = [known.number[feature] for feature in own], list(own.values())
    group = torch.tensor([known.group[feature] for feature in terms])
    return torch.from_numpy(term), torch.from_numpy(weight), group, groups, terms
