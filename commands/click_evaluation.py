"""How click-through rankers are judged: ours and the reference models, on the same impressions, seed by seed."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from commands.machine import machine
from commands.output import say
from evaluators.ranking.click_through import calibration_ratio, reliability
from evaluators.ranking.report import AttributeEffect, RankingProtocol, RankingReport, SliceScores, SystemScores
from evaluators.ranking.scoring import Metrics, click_through_metrics, compared, scored, sliced
from evaluators.ranking.slices import HISTORY, POPULARITY, Slice, by_history_length, by_popularity, popularity
from learning.material import Arm, Material
from memory.behaviors.sequences import Sequences
from memory.enrichment_priorities import DERIVED
from ranker.affinity import Codes, codes_of
from ranker.click_fitting import Parts, groups_of, parts_of, tested_probabilities, train_ranker, train_reference, views
from ranker.config import ClickThroughConfig, RankerConfig
from ranker.references import Reference

METRICS = ("AUC", "GAUC", "logloss")
Floats = NDArray[np.float64]
Chances = NDArray[np.float32]  # [events, candidates], the clicked one first


@dataclass
class Sitting:
    """One system's probabilities, one array a seed, and what they cost."""

    label: str
    users: NDArray[np.int64]
    chances: list[Chances] = field(default_factory=list)
    cpu_seconds: float = 0.0

    def metrics(self, chosen: NDArray[np.bool_] | None = None) -> list[Metrics]:
        """Return the metrics of each seed, of all events or some."""
        kept = np.ones(len(self.users), dtype=np.bool_) if chosen is None else chosen
        return [click_through_metrics(*_flat(self.users[kept], own[kept])) for own in self.chances]

    def scores(self) -> SystemScores:
        """Return the metrics with intervals, and how true the probabilities are (of the first seed)."""
        _, clicked, chance = _flat(self.users, self.chances[0])
        return scored(self.label, self.metrics()).model_copy(
            update={
                "cpu_seconds": self.cpu_seconds,
                "calibration": calibration_ratio(clicked, chance),
                "reliability": reliability(clicked, chance),
            }
        )


def judged(material: Material, config: RankerConfig, seeds: Sequence[int]) -> RankingReport:
    """Return ours with all that is known beside LR, DCN-V2, DIN and SIM."""
    parts = parts_to_judge(material, config.click_through)
    items = len(material.behaviors.items)
    sittings = [
        sitting_of(str(kind), parts, seeds, _trainer_of(kind, parts, items, config.click_through)) for kind in Reference
    ]
    sittings.append(ours("ours", material, parts, config.click_through, seeds))
    return report_of(material, config, parts.seen, sittings, seeds, [("din", "ours")])


def taken_apart(material: Material, config: RankerConfig, seeds: Sequence[int], attributes: int) -> RankingReport:
    """Return ours by the log alone, with titles, with knowledge, and without each of the commonest attributes."""
    settings, leaf = config.click_through, codes_of(material.known, "category")  # all are asked the same
    steps = []
    for arm in Arm:
        told = material.of_arm(arm)
        steps.append(ours(f"ours, {arm}", told, parts_to_judge(told, settings, leaf), settings, seeds))
    names = [name for name in groups_of(material) if name not in DERIVED][:attributes]
    effects = []
    for name in names:
        told = material.without(name)
        lesser = ours(f"ours, without {name}", told, parts_to_judge(told, settings, leaf), settings, seeds)
        found = compared("AUC", (lesser.label, lesser.metrics()), ("with", steps[-1].metrics()))
        known = material.known.items_with(name)
        effects.append(AttributeEffect(attribute=name, items=known, difference=found.difference))
    seen = material.behaviors.without_last(3)
    labels = [step.label for step in steps]
    report = report_of(material, config, seen, steps, seeds, list(itertools.pairwise(labels)))
    return report.model_copy(update={"attributes": tuple(effects)})


def parts_to_judge(material: Material, config: ClickThroughConfig, leaf: Codes | None = None) -> Parts:
    """Return what is trained on, selected on and tested on; `leaf` has the categories that negatives are drawn from."""
    seen = material.behaviors.without_last(3)
    return parts_of(material, views(material, seen, groups_of(material)), seen, config, leaf)


def ours(label: str, material: Material, parts: Parts, config: ClickThroughConfig, seeds: Sequence[int]) -> Sitting:
    """Return our ranker, trained once a seed."""

    def train(seed: int) -> Chances:
        return tested_probabilities(train_ranker(material, parts, config.model_copy(update={"seed": seed})), parts)

    return sitting_of(label, parts, seeds, train)


def _trainer_of(kind: Reference, parts: Parts, items: int, config: ClickThroughConfig) -> Callable[[int], Chances]:
    def train(seed: int) -> Chances:
        model = train_reference(kind, parts, items, config.model_copy(update={"seed": seed}))
        return tested_probabilities(model, parts)

    return train


def sitting_of(label: str, parts: Parts, seeds: Sequence[int], train: Callable[[int], Chances]) -> Sitting:
    """Return what a system, trained once a seed by `train`, makes of the test; each AUC is told."""
    sitting, started = Sitting(label, parts.users), time.process_time()
    for seed in seeds:
        sitting.chances.append(train(seed))
        sitting.cpu_seconds = (time.process_time() - started) / len(sitting.chances)
        own = sitting.metrics()[-1]["AUC"]
        say(f"{label}, seed {seed}: AUC {float(own.part.sum() / own.whole.sum()):.4f}")
    return sitting


def report_of(
    material: Material,
    config: RankerConfig,
    seen: Sequences,
    sittings: Sequence[Sitting],
    seeds: Sequence[int],
    pairs: Sequence[tuple[str, str]],
) -> RankingReport:
    """Return what the sittings found; `pairs` are labels, before and after, to be compared."""
    by_label = {sitting.label: sitting for sitting in sittings}
    differences = [
        compared(metric, (before, by_label[before].metrics()), (after, by_label[after].metrics()))
        for before, after in pairs
        for metric in ("AUC", "GAUC")
    ]
    systems = tuple(sitting.scores() for sitting in sittings)
    simple = [system for system in systems if not system.label.startswith("ours")] or systems[:1]
    return RankingReport(
        protocol=_protocol(material, config, len(sittings[0].users), seeds),
        metrics=METRICS,
        floor=max(simple, key=lambda system: system.metrics["AUC"].mean).label,
        systems=systems,
        slices=tuple(_slices(material, seen, sittings)),
        differences=tuple(differences),
    )


def event_slices(material: Material, seen: Sequences, users: NDArray[np.int64]) -> list[tuple[str, tuple[Slice, ...]]]:
    """Return how the users' last behaviours are told apart, by what; `seen` is what popularity is counted in."""
    behaviors = material.behaviors
    last = behaviors.item[behaviors.offsets[users + 1] - 1]
    counts = popularity(seen.item, len(behaviors.items))[last]
    return [
        (POPULARITY, by_popularity(counts)),
        (HISTORY, by_history_length(behaviors.lengths[users] - 1)),
    ]


def _slices(material: Material, seen: Sequences, sittings: Sequence[Sitting]) -> list[SliceScores]:
    of_events = event_slices(material, seen, sittings[0].users)
    systems = {own.label: [_of_seed(own, seed) for seed in range(len(own.chances))] for own in sittings}
    return [one for by, parts in of_events for one in sliced(by, parts, "AUC", systems)]


def _of_seed(sitting: Sitting, seed: int) -> Callable[[NDArray[np.bool_]], Metrics]:
    alone = replace(sitting, chances=[sitting.chances[seed]])
    return lambda chosen: alone.metrics(chosen)[0]


def _flat(
    users: NDArray[np.int64], chances: Chances
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    clicked = np.zeros(chances.shape)
    clicked[:, 0] = 1
    return np.repeat(users, chances.shape[1]), clicked.ravel(), chances.ravel().astype(np.float64)


def _protocol(material: Material, config: RankerConfig, events: int, seeds: Sequence[int]) -> RankingProtocol:
    return RankingProtocol(
        task="click-through",
        data=f"{len(material.behaviors.item)} behaviours, knowledge of version {material.known.version}",
        split="trained on each user's third last behaviour, selected on the second last, tested on the last",
        candidates=f"the last behaviour and nine others, drawn {config.click_through.negatives}",
        ties="half",
        users=events,
        events=events,
        items=len(material.behaviors.items),
        seeds=tuple(seeds),
        machine=machine(),
    )
