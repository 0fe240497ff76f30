"""Ranks the whole catalog for what a user wants next: retrieval, then fusion; reasons for each item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from memory.record import Record
from ranker.features import Matrix
from ranker.fusion import NEAR, Reranker, Retrievers, candidates, learn, lessons, retrieve
from ranker.retrieval import Behaviors, Log, histories_of
from ranker.similarity import Feature, Knowledge, Similarity

BATCH = 256
SHARED = 5  # features that a reason names
BELOW = 1e4  # what is no candidate stands below all candidates, in the order of the base scores


class NextItemConfig(Record):
    """How the ranker is fitted."""

    candidates: int = Field(default=150, ge=2)  # of a history; they alone are re-ranked
    folds: int = Field(default=5, ge=2)  # of users: each is learned from by the counts of the others
    last: int = Field(default=2, ge=1)  # behaviours at the end of each sequence that are learned to be found
    epochs: int = Field(default=4, ge=1)
    repeats: bool = False  # whether an item of the history may be next
    seed: int = Field(default=0, ge=0)


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

        A title may be "": where all are, the log alone counts.
        """
        chosen = config or NextItemConfig()
        log = Log.of(behaviors, len(titles))
        similarity = Similarity.of(titles, knowledge, vectors or {})
        with torch.no_grad():
            learned = lessons(
                log,
                similarity,
                folds=chosen.folds,
                last=chosen.last,
                count=chosen.candidates,
                seed=chosen.seed,
                repeats=chosen.repeats,
            )
        model = learn(learned, seed=chosen.seed, epochs=chosen.epochs)
        return cls(Retrievers.fit(log, similarity), similarity, model, chosen)

    def refreshed(self, behaviors: Behaviors) -> Self:
        """Return the ranker with all counts taken anew, in seconds; what the network learned stays."""
        log = Log.of(behaviors, len(self.similarity.term))
        return replace(self, retrievers=Retrievers.fit(log, self.similarity))

    @torch.no_grad()
    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Return scores [histories, items]; -inf for the items of the history unless the config allows repeats."""
        return np.concatenate([self._scores(part).numpy() for part in torch.split(histories_of(histories), BATCH)])

    @torch.no_grad()
    def top(self, history: NDArray[np.int32], k: int = 10) -> list[Ranked]:
        """Return the k best items for a history, with reasons."""
        scores, items = self._scores(histories_of([history]))[0].topk(k)
        return [
            Ranked(item=item, score=score, reason=self._reason(history, item))
            for item, score in zip(items.tolist(), scores.tolist(), strict=True)
        ]

    def _scores(self, history: Tensor) -> Tensor:
        retrieved = retrieve(history, self.retrievers, self.similarity, repeats=self.config.repeats)
        listed = candidates(history, retrieved, self.retrievers, self.similarity, count=self.config.candidates)
        return (retrieved.base - BELOW).scatter(1, listed.item, self.model(listed.features))

    def _reason(self, history: NDArray[np.int32], item: int) -> Reason | None:
        """Return the behaviour that alone would have brought the item up the most; None for an empty history."""
        own = histories_of([history])[:, :NEAR].T
        own = own[own[:, 0] >= 0]
        if not len(own):
            return None
        alone = retrieve(own, self.retrievers, self.similarity, repeats=True).base[:, item]
        alone *= 0.7 ** torch.arange(len(own))
        nearest = int(own[alone.argmax(), 0])
        return Reason(history_item=nearest, shared=self.similarity.shared(nearest, item)[:SHARED])
