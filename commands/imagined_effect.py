"""What imagined behaviours are worth to the click-through ranker, beside those of another user and random items."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from commands.click_evaluation import Sitting, report_of, sitting_of
from evaluators.ranking.report import PairedDifference, RankingReport, SystemScores
from evaluators.ranking.scoring import compared
from learning.material import Imagined, Material, NothingToLearn
from ranker.click_fitting import (
    Parts,
    groups_of,
    imagining,
    parts_of,
    tested_probabilities,
    train_ranker,
    views,
)
from ranker.config import ClickThroughConfig, RankerConfig
from ranker.placebo import Told, told_instead

METRICS = ("AUC", "GAUC")
PAIRS = (
    (Told.NOTHING, Told.OWN),
    (Told.NOTHING, Told.ANOTHERS),
    (Told.NOTHING, Told.RANDOM),
    (Told.ANOTHERS, Told.OWN),
    (Told.RANDOM, Told.OWN),
)


def generated_effect(
    material: Material,
    generated: NDArray[np.int32],
    confidence: NDArray[np.float32],
    config: ClickThroughConfig,
    seeds: Sequence[int],
) -> tuple[tuple[SystemScores, ...], tuple[PairedDifference, ...]]:
    """Return the scores of the ranker without, with, with another's and with random imagined behaviours; and the gains.

    `generated` and `confidence` are [users, G], -1 and 0 for none, in the rows of `material.behaviors.users`. **They
    must have been imagined from `material.behaviors.without_last(3)` at most**: the ranker learns from each user's
    third last behaviour, is selected on the second last and tested on the last. All four see the same events and
    negatives, and start from the same weights where they have the same. Raises `learning.material.NothingToLearn`.
    """
    return effect_of_each(material, (Imagined.told(generated, confidence),) * 3, config, seeds)


def effect_of_each(
    material: Material, imagined: Sequence[Imagined], config: ClickThroughConfig, seeds: Sequence[int]
) -> tuple[tuple[SystemScores, ...], tuple[PairedDifference, ...]]:
    """Return the same where something else was imagined for each of the three: to learn, to select, to test.

    Each has to be imagined from what came before its own label, by a model that has learned from
    `material.behaviors.without_last(3)` at most: so is it in a shop, where what is imagined is renewed.
    """
    sittings = _sittings(material, imagined, config, seeds)
    return tuple(sitting.scores() for sitting in sittings), _differences(sittings)


def judged_imagined(material: Material, config: RankerConfig, seeds: Sequence[int]) -> RankingReport:
    """Return the same as a report, for what the knowledge base holds; raises `NothingToLearn` where that is nothing."""
    if material.imagined is None:
        raise NothingToLearn(
            "nothing is imagined of these users that is not expired: reaseq diffusion generate --held-out 3"
        )
    sittings = _sittings(material, (material.imagined,) * 3, config.click_through, seeds)
    seen = material.behaviors.without_last(3)
    found = report_of(material, config, seen, sittings, seeds, [(str(old), str(new)) for old, new in PAIRS])
    return found.model_copy(update={"floor": str(Told.NOTHING)})


def _sittings(
    material: Material, imagined: Sequence[Imagined], config: ClickThroughConfig, seeds: Sequence[int]
) -> list[Sitting]:
    material = material.imagining(None)
    seen = material.behaviors.without_last(3)
    parts = parts_of(material, views(material, seen, groups_of(material)), seen, config)
    items = len(material.behaviors.items)
    arms = {told: _telling(parts, material, [told_instead(own, told, items) for own in imagined]) for told in Told}
    if arms[Told.OWN].train.generated is None:
        raise NothingToLearn(
            "nothing was imagined from before what the ranker learns from: reaseq diffusion generate --held-out 3"
        )
    return [_sitting(str(told), material, arm, config, seeds) for told, arm in arms.items()]


def _telling(parts: Parts, material: Material, imagined: Sequence[Imagined | None]) -> Parts:
    learned, selected, tested = (imagining(parts, material.behaviors, own) for own in imagined)
    return replace(learned, select=selected.select, test=tested.test)


def _sitting(label: str, material: Material, parts: Parts, config: ClickThroughConfig, seeds: Sequence[int]) -> Sitting:
    def train(seed: int) -> NDArray[np.float32]:
        return tested_probabilities(train_ranker(material, parts, config.model_copy(update={"seed": seed})), parts)

    return sitting_of(label, parts, seeds, train)


def _differences(sittings: Sequence[Sitting]) -> tuple[PairedDifference, ...]:
    by_label = {sitting.label: sitting.metrics() for sitting in sittings}
    return tuple(
        compared(metric, (str(before), by_label[str(before)]), (str(after), by_label[str(after)]))
        for before, after in PAIRS
        for metric in METRICS
        if all(metric in metrics for metrics in by_label[str(before)])
    )
