"""Click-through: impressions without leaks, a ranker that learns taste, scores that depend on the request alone."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from learning.config import TrainingConfig
from learning.training import fit
from memory.behaviors.sequences import Sequences
from ranker.affinity import affinities
from ranker.click_through import Impressions, Ranker, auc_of, line_of, logits_of, standardise, views_of
from ranker.impressions import Negatives, events, impressions
from ranker.model import ClickThroughRanker, ClickThroughShape, Requests
from ranker.references import Reference, ReferenceRanker
from tests.ranker.shop import ITEMS, brands, sequences, two_tastes, vectors

LEAF = np.arange(ITEMS) % 2
SHORT = TrainingConfig(epochs=6, batch_size=32, learning_rate=5e-3, patience=6)


def of_last(log: Sequences, held_out: int, *, negatives: Negatives = Negatives.UNIFORM, seed: int = 1) -> Impressions:
    """Return the impressions of each user's `held_out`-th behaviour from the end; all but the last three were seen."""
    seen = log.without_last(3)
    found = impressions(log, seen, events(log, last=0, held_out=held_out), negatives, seed, leaf=LEAF)
    return Impressions.of(found, affinities(seen, brands(), ["brand"]))


def a_ranker(features: int, *, tables: tuple[torch.Tensor, ...] = ()) -> ClickThroughRanker:
    """Return the same untrained ranker each time."""
    torch.manual_seed(0)
    sizes = tuple(table.shape[1] for table in tables)
    return ClickThroughRanker(
        ClickThroughShape(items=ITEMS, features=features, dimensions=sizes, width=8, hidden=16), tables
    )


def trained(train: Impressions, validate: Impressions) -> ClickThroughRanker:
    """Return a trained ranker."""
    model = a_ranker(train.features.shape[-1], tables=(vectors(),))
    standardise(model, train.features)
    fit(model, train, auc_of(validate), SHORT)
    return model


def test_events_are_the_places_asked_for() -> None:
    log = sequences([0, 1, 2, 3, 4], [5], [6, 7])

    held_out, many = events(log, last=0, held_out=1), events(log, last=2)

    assert (held_out.user.tolist(), held_out.place.tolist()) == ([0, 2], [4, 1])
    assert (many.user.tolist(), many.place.tolist()) == ([0, 0, 0], [1, 2, 3])


def test_an_impression_has_what_came_before_and_negatives_that_the_user_never_had() -> None:
    log = two_tastes()
    found = impressions(log, log.without_last(3), events(log, last=0, held_out=2), Negatives.UNIFORM, seed=1)

    for user in range(5):
        own = (
            log.of_user(f"u{user}") if f"u{user}" in log.users else log.item[log.offsets[user] : log.offsets[user + 1]]
        )
        assert found.history[user].tolist() == own[:5][::-1].tolist()
        assert found.candidates[user, 0] == own[5]
        assert not np.isin(found.candidates[user, 1:], own[:6]).any()
    assert not found.counted.any()


@pytest.mark.parametrize("negatives", Negatives)
def test_negatives_are_fixed_by_the_seed(negatives: Negatives) -> None:
    log = two_tastes()

    first, again, other = (of_last(log, 1, negatives=negatives, seed=seed).behind.candidates for seed in (1, 1, 2))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_hard_negatives_are_of_the_same_leaf_category() -> None:
    candidates = of_last(two_tastes(), 1, negatives=Negatives.SAME_LEAF).behind.candidates

    assert (LEAF[candidates] == LEAF[candidates[:, :1]]).mean() > 0.95


def test_popular_items_are_drawn_as_negatives_as_often_as_they_were_had() -> None:
    log = sequences(*([0, 1, 2, 3, 4] for _ in range(300)), [5, 6, 7, 8, 9])
    found = impressions(log, log, events(log, last=0, held_out=1), Negatives.POPULARITY, seed=0)

    ordinary = found.candidates[-1, 1:]
    assert np.isin(ordinary, [0, 1, 2, 3, 4]).all()


def test_batches_hold_every_example_once_and_histories_of_about_one_length() -> None:
    log = sequences(*(list(range(length)) for length in np.random.default_rng(0).integers(4, 30, 64)))
    examples = of_last(log, 1)

    batches = examples.batches(0, seed=0, size=8)

    assert sorted(np.concatenate(batches).tolist()) == list(range(len(examples.lengths)))
    assert max(np.ptp(examples.lengths[rows]) for rows in batches) <= 6
    assert not np.array_equal(batches[0], examples.batches(1, seed=0, size=8)[0])


def test_a_trained_ranker_knows_the_tastes_of_users() -> None:
    log = two_tastes()

    model = trained(of_last(log, 3), of_last(log, 2))

    assert auc_of(of_last(log, 1))(model) > 0.7  # half of the negatives are to anybody's taste: .75 at most


def test_with_shuffled_labels_there_is_nothing_to_learn() -> None:
    log = two_tastes(users=400)
    train, chance = of_last(log, 3), np.random.default_rng(0)
    clicked = np.eye(10, dtype=np.float32)[chance.integers(10, size=len(train.lengths))]

    model = trained(replace(train, labels=clicked), of_last(log, 3, seed=9))
    logits = logits_of(model, of_last(log, 1, seed=5))
    places = chance.integers(10, size=len(logits))
    hit = logits[np.arange(len(logits)), places]

    assert abs((hit[:, None] > logits).mean() + 0.5 * (hit[:, None] == logits).mean() - 0.5) < 0.03


def test_behaviours_of_the_future_change_no_score() -> None:
    log = two_tastes()
    rows = [log.item[start:end].tolist() for start, end in zip(log.offsets, log.offsets[1:], strict=False)]
    planted = sequences(*([*row[:-1], 39 - row[-1]] for row in rows))  # another last behaviour for everybody
    model = trained(of_last(log, 3), of_last(log, 2))

    before, after = of_last(log, 2), of_last(planted, 2)

    assert np.array_equal(before.behind.history, after.behind.history)
    assert np.array_equal(before.features, after.features)
    assert np.array_equal(logits_of(model, before), logits_of(model, after))


def test_one_request_scores_as_its_candidates_do_one_by_one() -> None:
    log = two_tastes()
    model = trained(of_last(log, 3), of_last(log, 2))
    ranker = Ranker(model, affinities(log.without_last(3), brands(), ["brand"]))
    history, candidates = np.tile(log.item[:7], 20).astype(np.int32), np.arange(ITEMS, dtype=np.int32)

    together = ranker.score(history, candidates)
    alone = [ranker.score(history, candidates[[place]])[0] for place in range(ITEMS)]

    assert len(history) > model.config.retrieved
    assert np.allclose(together, alone, atol=1e-5)
    assert ((together > 0) & (together < 1)).all()


def test_an_item_without_behaviours_or_history_is_scored_from_knowledge_alone() -> None:
    log = two_tastes()
    model = trained(of_last(log, 3), of_last(log, 2))
    ranker = Ranker(model, affinities(log.without_last(3), brands(), ["brand"]))

    assert np.isfinite(ranker.score(np.zeros(0, dtype=np.int32), np.arange(ITEMS, dtype=np.int32))).all()


def test_generated_behaviours_count_by_confidence_and_none_are_as_no_branch() -> None:
    model = a_ranker(0, tables=(vectors(),)).eval()
    history, candidates, none = torch.tensor([[1, 3]]), torch.tensor([[0, 5, 7]]), torch.zeros(1, 3, 0)
    plain = Requests(history, candidates, none)

    with torch.no_grad():
        without = model(plain)
        empty = model(replace(plain, generated=torch.tensor([[-1, -1]]), confidence=torch.ones(1, 2)))
        sure = model(replace(plain, generated=torch.tensor([[8, 9]]), confidence=torch.tensor([[1.0, 1e-6]])))
        alone = model(replace(plain, generated=torch.tensor([[8, 9]]), confidence=torch.tensor([[1e-6, 1.0]])))

    assert torch.allclose(without, empty)
    assert not torch.allclose(without, sure)
    assert not torch.allclose(sure, alone)


def test_while_training_some_requests_lose_their_generated_behaviours() -> None:
    model = a_ranker(0, tables=(vectors(),)).train()
    many = Requests(
        torch.zeros(400, 1, dtype=torch.int64), torch.zeros(400, 1, dtype=torch.int64), torch.zeros(400, 1, 0)
    )

    kept = model._kept(replace(many, generated=torch.ones(400, 2, dtype=torch.int64)))

    assert kept is not None
    assert 0.15 < (kept < 0).all(dim=1).float().mean() < 0.35


def test_calibration_finds_the_line_that_probabilities_lie_on() -> None:
    evidence = np.random.default_rng(0).normal(size=(40_000, 10))
    evidence[:, 0] += 1  # one of ten is clicked, one deviation higher: log odds are x - 1/2 + log(1/9)

    slope, shift = line_of((3 * evidence + 1).astype(np.float32))

    assert math.isclose(slope, 1 / 3, rel_tol=0.03)
    assert math.isclose(shift, -0.5 - math.log(9) - 1 / 3, rel_tol=0.03)


def test_a_model_without_counted_features_is_trained_on_ids_alone() -> None:
    log = two_tastes()
    train, bare = of_last(log, 3), np.zeros((120, 10, 0), dtype=np.float16)
    model = ReferenceRanker(Reference.DIN, ITEMS)

    standardise(model, bare)

    assert logits_of(model, replace(train, features=bare)).shape == (120, 10)


@pytest.mark.parametrize("kind", Reference)
def test_each_reference_model_learns_the_tastes_too(kind: Reference) -> None:
    log = two_tastes(users=200)
    train, validate = of_last(log, 3), of_last(log, 2)
    torch.manual_seed(0)
    model = ReferenceRanker(kind, ITEMS, train.features.shape[-1], width=8)
    standardise(model, train.features)

    fit(model, train, auc_of(validate), SHORT)

    assert auc_of(of_last(log, 1))(model) > 0.65


def test_an_attribute_that_few_items_have_is_no_view() -> None:
    known = brands()

    assert views_of(known) == ("brand",)
    assert views_of(known.rows([*known.ids[:1], *(f"unknown {number}" for number in range(200))])) == ()
