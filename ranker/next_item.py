"""Ranks the whole catalog for what a user wants next: retrieval, then fusion; reasons for each item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learning.counting import Behaviors, Log, histories_of
from learning.material import NothingToLearn
from learning.whitening import Matrix
from memory.record import Record
from ranker.config import NextItemConfig
from ranker.fusion import DECAY, NEAR, Candidates, Lessons, Reranker, Retrievers, candidates, learn, lessons, retrieve
from ranker.similarity import Feature, Knowledge, Similarity

BATCH = 256
SHARED = 5  # features that a reason names
BELOW = 1e4  # what is no candidate stands below all candidates, in the order of the base scores


class Reason(Record):
    """Why an item stands where it does: the nearest behaviour, and the knowledge shared with it, heaviest first."""

    history_item: int
    shared: tuple[Feature, ...]


class Ranked(Record):
    """An item of a ranking."""

    item: int
    score: float
    reason: Reason | None  # None where there is no history


@dataclass(frozen=True, eq=False)
class NextItemRanker:
    """A fitted ranker; items are row numbers of the catalog."""

    retrievers: Retrievers
    similarity: Similarity
    model: Reranker
    config: NextItemConfig

    @classmethod
    def fit(
        cls,
        behaviors: Behaviors,
        titles: Sequence[str],
        *,
        knowledge: Knowledge | None = None,
        vectors: Mapping[str, Matrix] | None = None,
        config: NextItemConfig | None = None,
    ) -> Self:
        """Fit on sequences over the catalog `titles`; without `knowledge` and `vectors`, on the log and the titles.

        A title may be "": where all are, the log alone counts. Raises `NothingToLearn`.
        """
        chosen = config or NextItemConfig()
        log = Log.of(behaviors, len(titles))
        similarity = Similarity.of(titles, knowledge, vectors or {})
        learned = _lessons(log, similarity, chosen)
        model = learn(learned, seed=chosen.seed, epochs=chosen.epochs)
        told = chosen.model_copy(update={"features": learned.names})
        return cls(Retrievers.fit(log, similarity), similarity, model, told)

    @torch.no_grad()
    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Return scores [histories, items]; -inf for the items of the history unless the config allows repeats.

        A history may be empty: then the most popular items are the best.
        """
        starts = range(0, len(histories), BATCH)
        scores = [self._scores(histories[start : start + BATCH]).numpy() for start in starts]
        return np.concatenate([np.zeros((0, len(self.similarity.term)), np.float32), *scores])

    @torch.no_grad()
    def top(self, history: NDArray[np.int32], k: int = 10) -> list[Ranked]:
        """Return the k best items for a history, with reasons; fewer where fewer are on offer."""
        scores = self._scores([history])[0]
        best, items = scores.topk(min(k, int(scores.isfinite().sum())))
        return [
            Ranked(item=item, score=score, reason=self.reason(history, item))
            for item, score in zip(items.tolist(), best.tolist(), strict=True)
        ]

    def _scores(self, histories: Sequence[NDArray[np.int32]]) -> Tensor:
        scores = self._ranked(histories_of(histories))
        for row, own in enumerate(histories):
            if not len(own):
                scores[row] = self.retrievers.item_sides[:, 0]  # how often each was chosen: nothing else tells
            elif not self.config.repeats:
                # In a small catalog the history is among the candidates, in a long one some of it was not read.
                scores[row, torch.from_numpy(own.astype(np.int64))] = -torch.inf
        return scores

    def _ranked(self, history: Tensor) -> Tensor:
        retrieved = retrieve(history, self.retrievers, self.similarity, repeats=self.config.repeats)
        listed = candidates(history, retrieved, self.retrievers, self.similarity, count=self.config.candidates)
        return (retrieved.base - BELOW).scatter(1, listed.item, self.model(self._read(listed)))

    def _read(self, listed: Candidates) -> Tensor:
        """Return the features that were learned to be read; of one that is no longer known, what it was on average."""
        if listed.names == self.config.features:
            return listed.features
        places = {name: place for place, name in enumerate(listed.names)}
        unknown = self.model.mean.expand(*listed.item.shape, -1)
        columns = [
            listed.features[:, :, places[name]] if name in places else unknown[:, :, number]
            for number, name in enumerate(self.config.features)
        ]
        return torch.stack(columns, dim=2)

    def reason(self, history: NDArray[np.int32], item: int) -> Reason | None:
        """Return the behaviour that alone would have brought the item up the most; None for an empty history."""
        own = histories_of([history])[:, :NEAR].T
        own = own[own[:, 0] >= 0]
        if not len(own):
            return None
        alone = retrieve(own, self.retrievers, self.similarity, repeats=True).base[:, item]
        alone *= DECAY ** torch.arange(len(own))
        nearest = int(own[alone.argmax(), 0])
        return Reason(history_item=nearest, shared=self.similarity.shared(nearest, item)[:SHARED])


@torch.no_grad()
def _lessons(log: Log, similarity: Similarity, config: NextItemConfig) -> Lessons:
    found = lessons(
        log,
        similarity,
        folds=config.folds,
        last=config.last,
        count=config.candidates,
        seed=config.seed,
        repeats=config.repeats,
    )
    if not len(found.true):
        raise NothingToLearn("too few users have two behaviours or more, beside those held out: nothing can be learned")
    return found
