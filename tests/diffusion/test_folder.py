"""A stored model: asked again it says the same, also when the catalog and what is known of it have grown."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from diffusion.config import DiffusionConfig
from diffusion.fitted import fit_autoregressive, fit_diffusion
from diffusion.folder import load_diffusion, save_diffusion
from diffusion.histories import Histories
from diffusion.imagination import Imagination
from diffusion.imagining import ImaginingConfig, imagine
from learning.material import TITLE, Material
from learning.weights import ModelUnreadable
from memory.item_vectors.knowledge_table import KnowledgeTable
from tests.ranker.shop import ITEMS, brands, two_tastes, vectors

SMALL = DiffusionConfig(epochs=8, width=16, layers=1, heads=1, batch_size=32, negatives=0, learning_rate=5e-3)


@pytest.fixture(scope="module")
def material() -> Material:
    return Material(two_tastes(), brands(), {TITLE: vectors().numpy()})


@pytest.fixture(scope="module")
def fitted(material: Material) -> Imagination:
    torch.set_num_threads(1)
    return fit_diffusion(material, SMALL)


def grown(material: Material) -> Material:
    """The shop with one item more, and a feature that is sorted before those that were there."""
    known, behaviors = material.known, material.behaviors
    more = KnowledgeTable(
        ids=(*known.ids, "new"),
        titles=(*known.titles, "a new one"),
        features=(("age", "old"), *known.features),
        offsets=np.append(known.offsets + np.minimum(np.arange(ITEMS + 1), 2), ITEMS + 3),
        feature=np.concatenate([[0, 1, 0, 2], known.feature[2:] + 1, [1]]).astype(np.int32),
        confidence=np.ones(ITEMS + 3, dtype=np.float32),
        numeric=(),
        numbers=np.zeros((ITEMS + 1, 0), dtype=np.float32),
        version=2,
    )
    own = np.concatenate([material.vectors[TITLE], material.vectors[TITLE][:1]])
    return Material(replace(behaviors, items=(*behaviors.items, "new")), more, {TITLE: own})


def histories(material: Material) -> list[NDArray[np.int32]]:
    return [material.behaviors.of_user(user)[:-1] for user in material.behaviors.users]


def test_it_learns_which_taste_a_user_has(fitted: Imagination, material: Material) -> None:
    items, sure = fitted.suggest(histories(material), 5)

    right = items % 2 == (np.arange(len(items)) % 2)[:, None]
    assert right.mean() > 0.9
    assert bool((sure[:, :-1] >= sure[:, 1:]).all())


def test_the_twin_learns_it_as_well(material: Material) -> None:
    items, _ = fit_autoregressive(material, SMALL).suggest(histories(material), 5)

    assert (items % 2 == (np.arange(len(items)) % 2)[:, None]).mean() > 0.9


def test_the_twin_does_not_read_what_comes_after_a_place(material: Material) -> None:
    twin = fit_autoregressive(material, SMALL.model_copy(update={"epochs": 1}))
    one, other = [np.array([0, 2, 4], dtype=np.int32)], [np.array([0, 2, 39], dtype=np.int32)]

    told = [twin.log_chances(Histories.of_items(own, 50), torch.tensor([2])) for own in (one, other)]

    assert torch.equal(told[0], told[1])


def test_no_item_of_the_history_and_no_barred_item_is_suggested(fitted: Imagination, material: Material) -> None:
    asked = histories(material)[:20]
    barred = np.zeros((20, ITEMS), dtype=np.bool_)
    barred[:, :20] = True

    items, _ = fitted.suggest(asked, ITEMS, exclude=barred, slots=3)

    for row, history in enumerate(asked):
        kept = items[row][items[row] >= 0]
        assert len(kept) == 20 - (history >= 20).sum()
        assert not set(kept.tolist()) & (set(history.tolist()) | set(range(20)))


def test_what_is_imagined_is_new_to_the_user_and_the_same_for_the_same_seed(
    fitted: Imagination, material: Material
) -> None:
    users = np.arange(10)

    first, second = (imagine(fitted, material.behaviors, users, ImaginingConfig(), seed=3) for _ in range(2))

    assert first.item == second.item
    for user, item in zip(first.user, first.item, strict=True):
        assert int(item[1:]) not in material.behaviors.of_user(user).tolist()
    assert set(first.slot) <= {"future", "gap"}
    assert all(0 < own <= 1 for own in first.confidence.tolist())


def test_a_user_imagines_the_same_alone_as_among_others(fitted: Imagination, material: Material) -> None:
    every = imagine(fitted, material.behaviors, np.arange(20), ImaginingConfig(), seed=3)

    for row in (0, 7, 19):
        alone = imagine(fitted, material.behaviors, np.array([row]), ImaginingConfig(), seed=3)
        rows = [place for place, user in enumerate(every.user) if user == material.behaviors.users[row]]
        assert alone.item == tuple(every.item[place] for place in rows)
        assert np.allclose(alone.log_p, every.log_p[rows], atol=1e-4)


def test_the_likeliest_next_behaviours_are_new_the_surest_first_with_their_chances(
    fitted: Imagination, material: Material
) -> None:
    users, config = np.arange(20), ImaginingConfig(next=True, count=5)

    found = imagine(fitted, material.behaviors, users, config)

    assert set(zip(found.slot, found.position.tolist(), strict=True)) == {("next", 1)}
    assert np.allclose(np.exp(found.log_p), found.confidence)
    assert np.array_equal(found.agreement, found.confidence)
    for row, user in enumerate(material.behaviors.users[:20]):
        own, history = found.item[5 * row : 5 * row + 5], material.behaviors.of_user(user)
        sure = found.confidence[5 * row : 5 * row + 5]
        chances = fitted.log_chances(Histories.of(material.behaviors, users[row : row + 1], 50), lengths_of(history))
        chances[0, history.astype(np.int64)] = -torch.inf
        best = chances[0].topk(5)
        assert [int(item[1:]) for item in own] == best.indices.tolist()
        assert np.allclose(sure, best.values.exp().numpy(), atol=1e-5)


def lengths_of(history: NDArray[np.int32]) -> torch.Tensor:
    return torch.tensor([len(history)])


def test_the_likeliest_are_no_more_than_there_are_items(fitted: Imagination, material: Material) -> None:
    found = imagine(fitted, material.behaviors, np.arange(1), ImaginingConfig(next=True, count=2 * ITEMS))

    history = set(material.behaviors.of_user(material.behaviors.users[0]).tolist())
    assert {int(item[1:]) for item in found.item} == set(range(ITEMS)) - history


def test_rarity_divides_chances_by_counts(fitted: Imagination, material: Material) -> None:
    asked = Histories.of(material.behaviors, np.arange(6), 50)
    counts = torch.from_numpy(np.bincount(material.behaviors.item, minlength=ITEMS)).clamp(min=1)
    rarer = replace(fitted, config=fitted.config.model_copy(update={"rarity": 0.5}))

    plain, told = (own.log_chances(asked, asked.lengths).exp() for own in (fitted, rarer))

    wanted = plain / counts**0.5
    assert len(torch.unique(counts)) > 1
    assert torch.allclose(told, wanted / wanted.sum(dim=1, keepdim=True), atol=1e-5)


def test_a_stored_model_says_the_same(fitted: Imagination, material: Material, tmp_path: Path) -> None:
    save_diffusion(tmp_path, fitted, material.behaviors.items, 0.5)

    loaded = load_diffusion(tmp_path, replace(material, behaviors=material.behaviors))

    items, _ = fitted.suggest(histories(material), 5)
    again, _ = loaded.suggest(histories(material), 5)
    # company is counted anew, of those as well who only chose the epoch: nearly the same
    assert (items[:, 0] == again[:, 0]).mean() > 0.8


def test_what_is_known_may_grow_after_a_model_was_stored(
    fitted: Imagination, material: Material, tmp_path: Path
) -> None:
    save_diffusion(tmp_path, fitted, material.behaviors.items, 0.5)

    before, after = load_diffusion(tmp_path, material), load_diffusion(tmp_path, grown(material))

    rows = torch.arange(2, ITEMS)  # of which nothing new is known
    with torch.no_grad():
        assert torch.allclose(before.model.table(rows), after.model.table(rows), atol=1e-5)
    vectors_before, vectors_after = before.reading.known.vectors[0], after.reading.known.vectors[0]
    assert torch.allclose(vectors_before, vectors_after[:ITEMS], atol=1e-5)


def test_a_model_of_other_vectors_is_refused(fitted: Imagination, material: Material, tmp_path: Path) -> None:
    save_diffusion(tmp_path, fitted, material.behaviors.items, 0.5)

    with pytest.raises(ModelUnreadable, match="other kinds of item vectors"):
        load_diffusion(tmp_path, replace(material, vectors={}))
