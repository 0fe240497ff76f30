"""Rankers as folders: what is loaded scores as what was trained, also over a catalog that has grown since."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from learning.material import TITLE, Arm, Material, NothingToLearn
from learning.training import CHECKPOINT, Epoch
from learning.weights import ModelUnreadable
from memory.behaviors.sequences import Sequences
from ranker.click_fitting import (
    ClickThroughFolder,
    groups_of,
    load_click_through,
    parts_of,
    save_click_through,
    train_ranker,
    views,
)
from ranker.click_through import Ranker, line_of, logits_of
from ranker.config import ClickThroughConfig, NextItemConfig
from ranker.next_item_folder import fit_next_item, load_next_item, save_next_item
from tests.ranker.shop import ITEMS, brands, sequences, two_tastes, vectors

torch.set_num_threads(1)
NEXT_ITEM = NextItemConfig(candidates=20, folds=2, epochs=2)
CLICKS = ClickThroughConfig(epochs=3, batch_size=32, learning_rate=5e-3, patience=3)
HISTORY = np.array([0, 2, 4], dtype=np.int32)
EVERYTHING = np.arange(ITEMS, dtype=np.int32)


def shop(log: Sequences | None = None) -> Material:
    """Return the tiny shop with vectors of titles."""
    return Material(log or two_tastes(), brands(), {TITLE: vectors().numpy()})


def grown(material: Material, features: Sequence[int]) -> Material:
    """Return a catalog with more items at its end, one of each feature; nobody has had them."""
    log, known = material.behaviors, material.known
    ids = (*known.ids, *(f"new{number}" for number in range(len(features))))
    more = replace(
        known,
        ids=ids,
        titles=(*known.titles, *("item new" for _ in features)),
        offsets=np.arange(len(ids) + 1, dtype=np.int64),
        feature=np.concatenate([known.feature, np.array(features, dtype=np.int32)]),
        confidence=np.ones(len(ids), dtype=np.float32),
        numbers=np.zeros((len(ids), 0), dtype=np.float32),
    )
    of_all = {name: np.concatenate([own, own[: len(features)]]) for name, own in material.vectors.items()}
    return Material(replace(log, items=ids), more, of_all, material.arm)


def trained_by_clicks(material: Material, folder: Path) -> Ranker:
    """Train, save, and return the ranker as it is in memory, with all behaviours counted."""
    groups, seen = groups_of(material), material.behaviors.without_last(3)
    parts = parts_of(material, views(material, seen, groups), seen, CLICKS)
    model = train_ranker(material, parts, CLICKS)
    about = ClickThroughFolder(
        shape=model.config,
        config=CLICKS,
        arm=material.arm,
        groups=groups,
        line=line_of(logits_of(model, parts.select)),
        items=material.behaviors.items,
    )
    save_click_through(folder, model, about, 0.5)
    return Ranker(model, views(material, material.behaviors, groups), about.line)


@pytest.mark.parametrize("arm", Arm)
def test_a_loaded_ranker_of_the_next_item_scores_bit_for_bit_as_the_trained_one(arm: Arm, tmp_path: Path) -> None:
    material = shop().of_arm(arm)
    ranker = fit_next_item(material, NEXT_ITEM)
    save_next_item(tmp_path, ranker, {})

    loaded = load_next_item(tmp_path, material)

    assert loaded.config == ranker.config
    assert np.array_equal(loaded.score([HISTORY, HISTORY[:0]]), ranker.score([HISTORY, HISTORY[:0]]))


@pytest.mark.parametrize("arm", Arm)
def test_a_loaded_ranker_by_clicks_scores_bit_for_bit_as_the_trained_one(arm: Arm, tmp_path: Path) -> None:
    material = shop().of_arm(arm)
    ranker = trained_by_clicks(material, tmp_path)

    loaded = load_click_through(tmp_path, shop())  # it knows itself which arm it was

    assert np.array_equal(loaded.score(HISTORY, EVERYTHING), ranker.score(HISTORY, EVERYTHING))


def test_items_that_came_after_training_are_ranked_by_knowledge(tmp_path: Path) -> None:
    material = shop()
    save_next_item(tmp_path, fit_next_item(material, NEXT_ITEM), {})
    trained_by_clicks(material, tmp_path)
    larger = grown(material, features=[0, 1])  # one of the brand that even users like, one of the other
    liked, other = ITEMS, ITEMS + 1

    next_item, clicks = load_next_item(tmp_path, larger), load_click_through(tmp_path, larger)

    even, odd = HISTORY, HISTORY + 1
    for likes, brand, foreign in ((even, liked, other), (odd, other, liked)):
        scores = next_item.score([likes])[0]
        chances = clicks.score(likes, np.array([brand, foreign], dtype=np.int32))
        assert scores[brand] > scores[foreign]
        assert chances[0] > chances[1]


def test_an_item_that_nobody_has_had_is_first_when_knowledge_says_so(tmp_path: Path) -> None:
    """Even users have had all even items but the last one, which nobody has had; odd users like odd items."""
    chance, cold = np.random.default_rng(0), ITEMS - 2
    log = sequences(*([int(item) * 2 + user % 2 for item in chance.permutation(19)[:8]] for user in range(200)))
    save_next_item(tmp_path, fit_next_item(Material(log, brands(), {}), NEXT_ITEM), {})
    all_but_it = np.arange(0, cold, 2, dtype=np.int32)

    ranker = load_next_item(tmp_path, Material(log, brands(), {}))

    best = ranker.top(all_but_it, 1)[0]
    assert not (log.item == cold).any()
    assert best.item == cold
    assert best.reason is not None
    assert best.reason.shared[0] == ("brand", "a")


def test_a_feature_that_is_no_longer_known_says_what_it_said_on_average(tmp_path: Path) -> None:
    material = shop()
    save_next_item(tmp_path, fit_next_item(material, NEXT_ITEM), {})
    poorer = replace(material, vectors={})

    ranker = load_next_item(tmp_path, poorer)

    scores = ranker.score([HISTORY])[0]
    assert "title cosine" in ranker.config.features
    assert np.isfinite(np.delete(scores, HISTORY)).all()
    assert (np.argsort(-scores)[:5] % 2 == 0).mean() > 0.5  # the brand still speaks


def test_a_feature_that_was_not_known_in_training_is_not_read(tmp_path: Path) -> None:
    poorer = replace(shop(), vectors={})
    ranker = fit_next_item(poorer, NEXT_ITEM)
    save_next_item(tmp_path, ranker, {})

    loaded = load_next_item(tmp_path, shop())

    assert loaded.config.features == ranker.config.features
    assert np.isfinite(np.delete(loaded.score([HISTORY])[0], HISTORY)).all()


def test_a_ranker_by_clicks_whose_vectors_of_titles_are_gone_says_so(tmp_path: Path) -> None:
    trained_by_clicks(shop(), tmp_path)

    with pytest.raises(ModelUnreadable, match="other vectors of titles"):
        load_click_through(tmp_path, replace(shop(), vectors={}))


def test_titles_that_came_after_training_are_not_read_by_clicks(tmp_path: Path) -> None:
    poorer = replace(shop(), vectors={})
    ranker = trained_by_clicks(poorer, tmp_path)

    loaded = load_click_through(tmp_path, shop())

    assert np.array_equal(loaded.score(HISTORY, EVERYTHING), ranker.score(HISTORY, EVERYTHING))


def test_an_interrupted_training_by_clicks_ends_with_the_same_weights(tmp_path: Path) -> None:
    material = shop()
    seen = material.behaviors.without_last(3)
    parts = parts_of(material, views(material, seen, groups_of(material)), seen, CLICKS)
    whole = train_ranker(material, parts, CLICKS)

    def interrupt(epoch: Epoch) -> None:
        if epoch.number == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_ranker(material, parts, CLICKS, folder=tmp_path, told=interrupt)
    numbers: list[int] = []
    resumed = train_ranker(material, parts, CLICKS, folder=tmp_path, told=lambda epoch: numbers.append(epoch.number))

    assert numbers == [2]
    assert all(torch.equal(one, resumed.state_dict()[name]) for name, one in whole.state_dict().items())


def test_a_training_on_another_log_begins_anew(tmp_path: Path) -> None:
    numbers: list[int] = []
    for users in (120, 124):
        material = shop(two_tastes(users))
        seen = material.behaviors.without_last(3)
        parts = parts_of(material, views(material, seen, groups_of(material)), seen, CLICKS)
        train_ranker(material, parts, CLICKS, folder=tmp_path, told=lambda epoch: numbers.append(epoch.number))

    assert numbers == [0, 1, 2, 0, 1, 2]
    assert (tmp_path / CHECKPOINT).exists()


def test_a_log_of_too_little_is_refused() -> None:
    short = shop(sequences([0, 1, 2], [3], []))

    with pytest.raises(NothingToLearn, match="4 behaviours"):
        parts_of(short, [], short.behaviors.without_last(3), CLICKS)
    with pytest.raises(NothingToLearn, match="two behaviours"):
        fit_next_item(shop(sequences([0], [1], [2])), NEXT_ITEM)


def test_in_a_small_catalog_the_history_stays_out_and_no_more_is_ranked_than_is_left() -> None:
    ranker = fit_next_item(shop(), NEXT_ITEM.model_copy(update={"candidates": 150}))
    history = np.arange(30, dtype=np.int32)

    scores, best = ranker.score([history])[0], ranker.top(history, 100)

    assert np.isneginf(scores[history]).all()
    assert sorted(one.item for one in best) == list(range(30, ITEMS))


def test_a_history_longer_than_what_is_read_stays_out_too() -> None:
    long = np.tile(np.arange(20, dtype=np.int32), 4)[-70:]
    long[0] = 39

    scores = fit_next_item(shop(), NEXT_ITEM).score([long])[0]

    assert np.isneginf(scores[39])


def test_without_a_history_the_most_popular_item_is_first() -> None:
    log = sequences(*([user % 30, 33, (user + 7) % 30, (user + 3) % 30] for user in range(60)))

    best = fit_next_item(shop(log), NEXT_ITEM).top(HISTORY[:0], ITEMS)

    counts = np.bincount(log.item, minlength=ITEMS)[[one.item for one in best]]
    assert best[0].item == 33
    assert counts.tolist() == sorted(counts.tolist(), reverse=True)
    assert len(best) == ITEMS
    assert best[0].reason is None
