"""Reports of both tasks, computed from made-up systems that know more or less of the truth."""

import numpy as np
from numpy.typing import NDArray

from evaluators.ranking.click_through import calibration_ratio, reliability
from evaluators.ranking.next_item import ranks
from evaluators.ranking.report import AttributeEffect, RankingProtocol, RankingReport
from evaluators.ranking.scoring import Metrics, click_through_metrics, compared, next_item_metrics, scored, sliced
from evaluators.ranking.slices import by_history_length, by_popularity

USERS, ITEMS = 120, 60
SEEDS = (0, 1, 2)


def next_item_report(label: str = "log and knowledge", attribute: str = "brand") -> RankingReport:
    """Return the report of three systems on the same events, with slices, differences and attributes."""
    chance = np.random.default_rng(0)
    users, true = np.repeat(np.arange(USERS), 2), chance.integers(0, ITEMS, 2 * USERS)
    skills = {"popularity": 0.2, "kNN": 1.0, label: 2.0}
    found = {name: [ranks(_scores(true, skill, seed), true) for seed in SEEDS] for name, skill in skills.items()}
    metrics = {name: [next_item_metrics(users, own, (10,)) for own in seeds] for name, seeds in found.items()}
    on_slices = {
        name: [lambda events, own=own: next_item_metrics(users[events], own[events], (10,)) for own in seeds]
        for name, seeds in found.items()
    }
    pairs = [("kNN", label), ("popularity", "kNN"), ("kNN", "popularity")]
    effects = [compared("NDCG@10", (a, metrics[a]), (b, metrics[b])).difference for a, b in pairs]
    parts = {"popularity of the item": by_popularity(true % 25), "length of the history": by_history_length(true)}
    return RankingReport(
        protocol=_protocol("next item"),
        metrics=("NDCG@10", "HR@10", "MRR"),
        floor="kNN",
        systems=tuple(scored(name, seeds) for name, seeds in metrics.items()),
        slices=tuple(s for by, of in parts.items() for s in sliced(by, of, "NDCG@10", on_slices)),
        differences=tuple(
            compared(m, (a, metrics[a]), (b, metrics[b])) for m in ("NDCG@10", "HR@10") for a, b in pairs
        ),
        attributes=tuple(
            AttributeEffect(attribute=name, items=number * 9, difference=effect)
            for number, (name, effect) in enumerate(zip((attribute, "color", "material"), effects, strict=True))
        ),
    )


def click_through_report() -> RankingReport:
    """Return the report of two systems, one of which promises too much."""
    chance = np.random.default_rng(1)
    users, truth = np.repeat(np.arange(USERS), 10), chance.beta(1, 3, 10 * USERS)
    labels = (chance.random(truth.size) < truth).astype(int)
    found = {"LR": np.clip(truth * 0.4 + 0.4 + chance.normal(0, 0.05, truth.size), 0, 1), "DIN": truth}
    metrics: dict[str, list[Metrics]] = {name: [click_through_metrics(users, labels, p)] for name, p in found.items()}
    systems = [
        scored(name, seeds).model_copy(
            update={
                "reliability": reliability(labels, found[name]),
                "calibration": calibration_ratio(labels, found[name]),
                "cpu_seconds": 12.5,
                "trained_on": "s[−3]",
            }
        )
        for name, seeds in metrics.items()
    ]
    return RankingReport(
        protocol=_protocol("click-through"),
        metrics=("AUC", "GAUC", "logloss"),
        floor="LR",
        systems=tuple(systems),
        differences=tuple(
            compared(m, ("LR", metrics["LR"]), ("DIN", metrics["DIN"])) for m in ("AUC", "GAUC", "logloss")
        ),
    )


def _scores(true: NDArray[np.int64], skill: float, seed: int) -> NDArray[np.float64]:
    scores = np.random.default_rng(seed).normal(size=(true.size, ITEMS))
    scores[np.arange(true.size), true] += skill  # the more it knows, the higher the true item stands
    return scores


def _protocol(task: str) -> RankingProtocol:
    return RankingProtocol.model_validate(
        {
            "task": task,
            "data": "made-up shoppers",
            "split": "leave one out, strict",
            "candidates": "the whole catalog",
            "ties": "pessimistic",
            "users": USERS,
            "events": 2 * USERS,
            "items": ITEMS,
            "seeds": SEEDS,
            "machine": "two cores",
        }
    )
