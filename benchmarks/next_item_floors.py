"""What a ranker of the next item must beat, without a network: popularity, kNN, Markov, TF-IDF, vectors, their sums."""

import time
from collections.abc import Callable

from torch import Tensor, nn

from ranker.retrieval import Links, Log, neighbours, recency, transitions
from ranker.similarity import Similarity

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


def _cosines(table: Tensor, history: Tensor) -> Tensor:
    profile = (table[history.clamp(min=0)] * recency(history, 0.7)[:, :, None]).sum(dim=1)
    return nn.functional.normalize(profile, dim=1) @ table.T


def _share(scores: Tensor) -> Tensor:
    return scores / scores.amax(dim=1, keepdim=True).clamp(min=1e-9)
