"""Outcomes of trainings are taken from the cache where everything is as it was, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest

from commands.impact.rankings import Rankings
from commands.impact.trainings import TrainingCache
from diffusion.config import DiffusionConfig
from evaluators.impact.report import AFTER, BEFORE
from learning.material import TITLE, Material
from ranker.config import ClickThroughConfig, NextItemConfig, RankerConfig
from tests.ranker.shop import brands, two_tastes, vectors

RANKER = RankerConfig(
    next_item=NextItemConfig(candidates=10, folds=2, epochs=1),
    click_through=ClickThroughConfig(epochs=1, negatives="same-leaf"),
)
DIFFUSION = DiffusionConfig(epochs=1, width=16, layers=1, negatives=0)


def filed(leaves: int) -> Material:
    """Return a shop whose items are said to be of so many leaf categories."""
    known = brands()
    features = tuple(("category", str(number)) for number in range(leaves))
    feature = (np.arange(len(known.ids)) % leaves).astype(np.int32)
    table = type(known)(**(vars(known) | {"features": features, "feature": feature}))
    return Material(two_tastes(), table, {TITLE: vectors().numpy()})


def rankings(before: Material, after: Material, ranker: RankerConfig, cache: TrainingCache) -> Rankings:
    return Rankings({BEFORE: before, AFTER: after}, ranker, DIFFUSION, cache)


def test_the_same_trainings_are_made_once(tmp_path: Path) -> None:
    cache = TrainingCache(tmp_path)
    first = rankings(filed(2), filed(3), RANKER, cache).clicks([0])

    again = rankings(filed(2), filed(3), RANKER, cache).clicks([0])

    assert cache.reused == 2
    assert again == first.model_copy(update={"report": again.report})
    assert again.report.differences == first.report.differences


def test_negatives_of_other_categories_are_asked_anew(tmp_path: Path) -> None:
    cache = TrainingCache(tmp_path)
    rankings(filed(2), filed(3), RANKER, cache).clicks([0])

    rankings(filed(4), filed(3), RANKER, cache).clicks([0])

    assert cache.reused == 0


@pytest.mark.parametrize("model", ["next_item", "foretold"])
def test_an_exam_that_holds_out_less_is_taken_anew(tmp_path: Path, model: str) -> None:
    cache = TrainingCache(tmp_path)
    getattr(rankings(filed(2), filed(3), RANKER, cache), model)([0])

    getattr(rankings(filed(2), filed(3), RANKER.of(refit=True), cache), model)([0])

    assert cache.reused == 0
