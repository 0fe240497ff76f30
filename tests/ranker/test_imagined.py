"""Imagined behaviours in the click-through ranker: what they tell, that they are learned from, and the placebo."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from commands.imagined_effect import generated_effect, judged_imagined
from learning.material import TITLE, Arm, Imagined, Material, NothingToLearn
from memory.behaviors.sequences import Sequences
from ranker.affinity import Affinity, affinities
from ranker.click_fitting import (
    ClickThroughFolder,
    Parts,
    groups_of,
    load_click_through,
    parts_of,
    save_click_through,
    train_ranker,
    views,
)
from ranker.click_through import auc_of
from ranker.config import ClickThroughConfig, RankerConfig
from ranker.evidence import ImaginedEvidence
from ranker.imagined import OF_IMAGINED, imagined_features
from ranker.placebo import Told, derangement, told_instead
from tests.ranker.shop import ITEMS, brands, sequences, two_tastes, vectors
from tests.ranker.test_leakage import drawn_at_random

torch.set_num_threads(1)
CLICKS = ClickThroughConfig(epochs=6, batch_size=32, learning_rate=5e-3, negatives="uniform")
NONE = np.zeros(0, dtype=np.int32)


def shop(log: Sequences, imagined: Imagined | None = None) -> Material:
    return Material(log, brands(), {TITLE: vectors().numpy()}, imagined=imagined)


def parts_for(material: Material) -> Parts:
    seen = material.behaviors.without_last(3)
    return parts_of(material, views(material, seen, groups_of(material)), seen, CLICKS)


def prophecy(log: Sequences, wrong: int = 1) -> NDArray[np.int32]:
    """Return the last three behaviours of each user, and some that are drawn."""
    last = [log.item[end - 3 : end] for end in log.offsets[1:]]
    drawn = np.random.default_rng(4).integers(0, ITEMS, (len(last), wrong))
    return np.concatenate([np.stack(last), drawn], axis=1).astype(np.int32)


def sure(items: NDArray[np.int32]) -> NDArray[np.float32]:
    return np.full(items.shape, 0.5, dtype=np.float32)


def test_a_candidate_that_was_imagined_is_told_from_one_of_its_category_and_from_any_other() -> None:
    seen = sequences([0, 1, 2, 3], [0, 1])
    item, category = affinities(seen)[0], Affinity.count("category", np.arange(ITEMS) % 2, seen)
    told = imagined_features(
        [item, category],
        np.array([[6, 9, -1], [-1, -1, -1]], dtype=np.int32),
        np.array([[0.5, 0.25, 0], [0, 0, 0]], dtype=np.float32),
        np.array([[6, 8, 9], [6, 8, 9]], dtype=np.int32),
    ).reshape(2, 3, 2, len(OF_IMAGINED))
    itself, alike = told[0, :, 0, 2], told[0, :, 1, 2]

    assert itself.tolist() == [1, 0, 0.5]  # as sure as the surest, not imagined, half as sure
    assert alike.tolist() == [1, 1, 0.5]
    assert not told[1].any()


def test_what_goes_with_surer_behaviours_counts_more() -> None:
    view = affinities(sequences(*[[0, 1]] * 20, *[[2, 3]] * 20))[0]

    def of(confidence: list[float]) -> float:
        generated = np.array([[0, 2]], dtype=np.int32)
        told = imagined_features([view], generated, np.array([confidence], np.float32), np.array([[1]], np.int32))
        return float(told[0, 0, 0])

    assert of([0.9, 0.1]) > of([0.5, 0.5]) > of([0.1, 0.9])


def test_evidence_begins_as_nothing_and_is_nothing_where_nothing_was_imagined() -> None:
    torch.manual_seed(0)
    evidence = ImaginedEvidence(4, 3, 8)
    told, summaries, confidence = torch.ones(2, 5, 4), torch.ones(2, 5, 3), torch.ones(2, 6)
    real = torch.tensor([[True] * 6, [False] * 6])

    begun = evidence(told, summaries, real, confidence)
    torch.nn.init.ones_(evidence.linear.weight)
    learned, _ = evidence(told, summaries, real, confidence)

    assert not any(part.any() for part in begun)
    assert learned[0].all()
    assert not learned[1].any()


def test_a_ranker_learns_to_read_what_was_imagined_and_a_placebo_gains_nothing() -> None:
    log = drawn_at_random(300)
    generated = prophecy(log)

    systems, differences = generated_effect(shop(log), generated, sure(generated), CLICKS, range(1))

    areas = {system.label: system.metrics["AUC"].mean for system in systems}
    gains = {(found.metric, found.before, found.after): found.difference for found in differences}
    assert list(areas) == [str(told) for told in Told]
    assert areas[Told.OWN] > 0.8
    assert gains["AUC", Told.NOTHING, Told.OWN].low > 0.2
    assert gains["GAUC", Told.ANOTHERS, Told.OWN].low > 0.2
    for told in (Told.ANOTHERS, Told.RANDOM):
        assert gains["AUC", Told.NOTHING, told].low < 0.02


def test_what_was_imagined_too_late_is_neither_learned_from_nor_judged() -> None:
    log = two_tastes()
    last = np.array([log.time[end - 1] for end in log.offsets[1:]])
    items = prophecy(log)

    def parts(as_of: NDArray[np.int64]) -> Parts:
        return parts_for(shop(log, Imagined(items, sure(items), as_of)))

    early, late, after = parts(last - 2), parts(last - 1), parts(last + 1)

    assert early.train.generated is not None
    assert (early.train.generated >= 0).all()
    assert late.train.generated is late.test.generated is None  # the training has none: nothing to read it by
    assert after.test.generated is None
    with pytest.raises(NothingToLearn, match="before what the ranker learns from"):
        judged_imagined(shop(log, Imagined(items, sure(items), last)), RankerConfig(click_through=CLICKS), range(1))


def test_users_whose_behaviours_came_too_late_have_none_beside_those_of_others() -> None:
    log = two_tastes()
    items = prophecy(log)
    as_of = np.array([log.time[end - 3] for end in log.offsets[1:]])
    as_of[1] += 1

    parts = parts_for(shop(log, Imagined(items, sure(items), as_of)))

    assert parts.train.generated is not None
    assert parts.train.imagined is not None
    assert parts.select.generated is not None
    assert (parts.train.generated[:3] >= 0).all(axis=1).tolist() == [True, False, True]
    assert not parts.train.imagined[1].any()
    assert (parts.select.generated[:3] >= 0).all()


def test_another_users_are_never_ones_own_and_everybodys_are_given_once() -> None:
    having = np.array([True, False, True, True, True])

    giver = derangement(having, np.random.default_rng(0))

    assert giver[1] == -1
    assert sorted(giver[having]) == [0, 2, 3, 4]
    assert all(giver[user] != user for user in range(5))
    assert derangement(np.array([True, False]), np.random.default_rng(0)).tolist() == [-1, -1]


def test_placebo_and_random_items_are_as_many_and_as_sure_and_always_the_same() -> None:
    items = np.array([[1, 2], [3, -1], [-1, -1]], dtype=np.int32)
    own = Imagined(items, np.array([[0.9, 0.5], [0.8, 0], [0, 0]], np.float32), np.array([5, 7, 0]))

    anothers, random = told_instead(own, Told.ANOTHERS, ITEMS), told_instead(own, Told.RANDOM, ITEMS)
    again = told_instead(own, Told.RANDOM, ITEMS)

    assert anothers is not None
    assert random is not None
    assert again is not None
    assert anothers.items.tolist() == [[3, -1], [1, 2], [-1, -1]]
    assert anothers.as_of.tolist() == [7, 7, 0]
    assert np.array_equal(random.items >= 0, items >= 0)
    assert np.array_equal(random.items, again.items)
    assert np.array_equal(random.confidence, own.confidence)


def test_a_stored_ranker_reads_what_was_imagined_and_one_that_never_learned_it_does_not(tmp_path: Path) -> None:
    log = drawn_at_random(200)
    items = prophecy(log)
    plain, told = shop(log), shop(log, Imagined.told(items, sure(items)))
    history, candidates, imagined = log.item[:4], np.arange(ITEMS, dtype=np.int32), np.array([7, 9], dtype=np.int32)
    changed = []
    for name, material in (("plain", plain), ("told", told)):
        parts = parts_for(material)
        model = train_ranker(material, parts, CLICKS)
        about = ClickThroughFolder(
            shape=model.config,
            config=CLICKS,
            arm=Arm.KNOWLEDGE,
            groups=groups_of(material),
            line=(1.0, 0.0),
            items=log.items,
        )
        save_click_through(tmp_path / name, model, about, auc_of(parts.select)(model))
        ranker = load_click_through(tmp_path / name, plain)
        without = ranker.score(history, candidates)
        seen = ranker.score(history, candidates, imagined, sure(imagined))
        assert np.array_equal(without, ranker.score(history, candidates, NONE))
        changed.append((without, seen))

    (never, same), (without, seen) = changed
    assert np.array_equal(never, same)
    assert set(np.argsort(-(seen - without))[:2]) == {7, 9}


def test_another_training_material_is_another_run_of_the_training(tmp_path: Path) -> None:
    log = two_tastes()
    items = prophecy(log)
    material = shop(log, Imagined.told(items, sure(items)))
    short = CLICKS.model_copy(update={"epochs": 1})
    train_ranker(material, parts_for(material), short, folder=tmp_path)

    other = replace(material, imagined=Imagined.told(items[::-1].copy(), sure(items)))
    again = train_ranker(other, parts_for(other), short, folder=tmp_path)
    fresh = train_ranker(other, parts_for(other), short)

    assert all(torch.equal(own, fresh.state_dict()[name]) for name, own in again.state_dict().items())
