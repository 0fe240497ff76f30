"""What a ranker of the next item must beat, without a network: popularity, kNN, Markov, TF-IDF, vectors, their sums."""

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from learning.config import TrainingConfig
from learning.counting import Log, histories_of, neighbours, recency, transitions
from learning.links import Links
from learning.material import TITLE, Material
from learning.whitening import Matrix
from ranker.sasrec import SasRec, sasrec_scores, train_sasrec
from ranker.similarity import Similarity

ScoresOf = Callable[[Sequence[NDArray[np.int32]]], Matrix]  # histories, oldest first -> [histories, items]
Scores = Callable[[Tensor], Tensor]  # histories -> [histories, items]


def floors(log: Log, words: Similarity, table: Tensor) -> list[tuple[str, Scores, float]]:
    """Return each floor with its CPU seconds of fitting; `table` holds whitened vectors of the titles."""
    started = time.process_time()
    follows, beside, popular = transitions(log), neighbours(log), log.counts
    seconds = time.process_time() - started

    def spread(links: Links, history: Tensor) -> Tensor:
        return links.spread(history, recency(history, 0.7))

    def tfidf(history: Tensor) -> Tensor:
        return words.scores(words.profile(history, recency(history, 0.8)))

    def summed(history: Tensor) -> Tensor:
        return (
            _share(spread(follows, history))
            + 0.3 * _share(spread(beside, history))
            + 0.2 * _cosines(table, history).clamp(min=0)
        )

    systems: dict[str, Scores] = {
        "popularity": lambda history: popular.repeat(len(history), 1),
        "item-kNN": lambda history: spread(beside, history),
        "Markov": lambda history: spread(follows, history),
        "TF-IDF of the title": tfidf,
        "kNN + TF-IDF": lambda history: _share(spread(beside, history)) + _share(tfidf(history)),
        "whitened MiniLM": lambda history: _cosines(table, history),
        "Markov + kNN + MiniLM": summed,
    }
    return [(name, scores, seconds) for name, scores in systems.items()]


def floors_of(material: Material) -> list[tuple[str, ScoresOf, float]]:
    """Return the floors for what may be learned from; those of titles only where there are titles."""
    log = Log.of(material.behaviors, len(material.titles))
    words = Similarity.of(material.titles, None, {TITLE: material.vectors[TITLE]} if TITLE in material.vectors else {})
    table = words.vectors.get(TITLE, torch.zeros(len(material.titles), 1))
    return [(name, _by_rows(scores), seconds) for name, scores, seconds in floors(log, words, table)]


def sasrec_of(material: Material, validate: Callable[[ScoresOf], float], config: TrainingConfig) -> ScoresOf:
    """Return SASRec, trained until `validate` (higher is better) stops rising."""

    def metric(model: SasRec) -> float:
        return validate(lambda histories: sasrec_scores(model, histories))

    model = train_sasrec(material.behaviors, len(material.titles), metric, config)
    return lambda histories: sasrec_scores(model, histories)


def _by_rows(scores: Scores) -> ScoresOf:
    def of(histories: Sequence[NDArray[np.int32]]) -> Matrix:
        with torch.no_grad():
            return np.asarray(scores(histories_of(histories)).numpy(), dtype=np.float32)

    return of


def _cosines(table: Tensor, history: Tensor) -> Tensor:
    profile = (table[history.clamp(min=0)] * recency(history, 0.7)[:, :, None]).sum(dim=1)
    return nn.functional.normalize(profile, dim=1) @ table.T


def _share(scores: Tensor) -> Tensor:
    return scores / scores.amax(dim=1, keepdim=True).clamp(min=1e-9)
