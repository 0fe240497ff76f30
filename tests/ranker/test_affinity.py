"""Affinities: counted by hand, blind to an example's own label, the same in a matrix and in sorted pairs."""

import math

import numpy as np
import pytest

from ranker import affinity
from ranker.affinity import FEATURES, Affinity, Behind, affinities, clusters, codes_of
from tests.ranker.shop import brands, sequences, two_tastes

ITEM = np.arange(5)


def behind(history: list[int], candidates: list[int], *, counted: bool = False) -> Behind:
    """Return one example."""
    return Behind(
        np.array([history], dtype=np.int32), np.array([candidates], dtype=np.int32), np.array([counted], dtype=np.bool_)
    )


def test_near_behaviours_count_by_distance_in_both_directions() -> None:
    counted = Affinity.count("item", ITEM, sequences([0, 1, 2, 3], [1, 0], items=5), window=2, decay=0.5)

    assert counted.counts.tolist() == [
        [0, 2, 0.5, 0, 0],
        [2, 0, 1, 0.5, 0],
        [0.5, 1, 0, 1, 0],
        [0, 0.5, 1, 0, 0],
        [0, 0, 0, 0, 0],
    ]
    assert counted.behaviours.tolist() == [2, 2, 1, 1, 0]


def test_features_of_a_pair_are_those_counted_by_hand() -> None:
    counted = Affinity.count("item", ITEM, sequences([0, 1], items=5), window=1)

    recent, greatest, mean, same, popularity = counted.features(behind([1, 3, -1], [0]))[0, 0]

    near = math.log((1 + 0.5) / (1 * 1 / 2 + 0.5))
    far = math.log(0.5 / 0.5)
    assert math.isclose(recent, (near + 0.7 * far) / 1.7, rel_tol=1e-5)
    assert math.isclose(greatest, near, rel_tol=1e-5)
    assert math.isclose(mean, (near + far) / 2, rel_tol=1e-5)
    assert same == 0
    assert math.isclose(popularity, math.log(2), rel_tol=1e-5)


def test_an_example_from_the_window_does_not_see_its_own_label() -> None:
    with_it = Affinity.count("item", ITEM, sequences([0, 1, 2], [3, 2], items=5))
    without_it = Affinity.count("item", ITEM, sequences([0, 1], [3, 2], items=5))

    seen = with_it.features(behind([1, 0], [2, 4], counted=True))
    unseen = without_it.features(behind([1, 0], [2, 4]))

    assert with_it.features(behind([1, 0], [2, 4]))[0, 0, 0] > seen[0, 0, 0]
    assert seen[0, 0, -1] == unseen[0, 0, -1]
    assert np.allclose(seen[0, :, 3], unseen[0, :, 3])
    # what was counted of the pair is gone; only the expectation still knows how often the candidate occurs
    assert seen[0, 0, 1] <= unseen[0, 0, 1]


def test_candidates_that_share_the_labels_code_lose_it_alike() -> None:
    brand = np.array([0, 0, 1, 1, 1])
    counted = Affinity.count("brand", brand, sequences([0, 2], [1, 3], items=5))

    features = counted.features(behind([0], [2, 4], counted=True))[0]

    assert np.array_equal(features[0], features[1])


def test_sorted_pairs_say_what_a_matrix_says(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, item = two_tastes(), np.arange(40)
    example = behind([2, 4, 7, -1], [0, 1, 2, 3])
    dense = Affinity.count("item", item, seen).features(example)
    monkeypatch.setattr(affinity, "DENSE_CODES", 0)

    sparse = Affinity.count("item", item, seen)

    assert sparse.counts.ndim == 1
    assert np.array_equal(sparse.features(example), dense)


def test_counts_of_one_request_are_those_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(affinity, "DENSE_CODES", 0)
    counted = Affinity.count("item", np.arange(40), two_tastes())
    one = behind([2, 4, 4, 7, 39, -1], [0, 1, 2, 2, 38])
    twice = Behind(one.history.repeat(2, axis=0), one.candidates.repeat(2, axis=0), one.counted.repeat(2))

    read_at_once = counted.features(one)  # a single history: all that goes with it
    searched = counted.features(twice)  # pair by pair

    assert searched[0, :, :3].any()
    assert np.array_equal(read_at_once[0], searched[1])


def test_without_a_history_nothing_goes_with_anything() -> None:
    counted = Affinity.count("item", ITEM, sequences([0, 1], items=5))

    features = counted.features(behind([-1, -1], [0, 4]))[0]

    assert np.array_equal(features[:, :4], np.zeros((2, 4)))


def test_each_attribute_is_a_view_with_a_code_for_what_is_not_known() -> None:
    known = brands()

    assert codes_of(known, "brand")[:4].tolist() == [1, 2, 1, 2]
    assert not codes_of(known, "colour").any()
    assert [view.name for view in affinities(two_tastes(), known, ["brand"])] == ["item", "history", "brand"]
    assert len(FEATURES) == 5


def test_texts_of_one_kind_are_one_cluster() -> None:
    directions = np.eye(3, dtype=np.float32)[np.arange(30) % 3]
    noise = np.random.default_rng(0).normal(scale=0.05, size=directions.shape).astype(np.float32)
    vectors = directions + noise

    found = clusters(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), 3, seed=5)

    assert len({(code, number % 3) for number, code in enumerate(found)}) == 3
