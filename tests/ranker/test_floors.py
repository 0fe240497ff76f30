"""Floors: each says what it counts, and without titles those of titles tell nothing apart."""

import numpy as np

from learning.material import TITLE, Arm, Material
from learning.whitening import Matrix
from ranker.floors import floors_of
from tests.ranker.shop import ITEMS, brands, sequences, vectors

HISTORY = np.array([0, 1], dtype=np.int32)
NAMES = ("popularity", "item-kNN", "Markov", "TF-IDF of the title", "kNN + TF-IDF", "whitened MiniLM")


def shop() -> Material:
    """After 1 comes 2; 5 is had most; item 9 has the vector of item 1."""
    table = vectors().numpy().copy()
    table[9] = table[1]
    log = sequences(*([[0, 1, 2]] * 5), *([[item, 5] for item in range(20, 35)]))
    return Material(log, brands(), {TITLE: table})


def best(scores: Matrix) -> int:
    """Return the item that stands highest, the history left out."""
    return int(np.where(np.isin(np.arange(ITEMS), HISTORY), -np.inf, scores).argmax())


def test_each_floor_finds_what_it_counts() -> None:
    found = {name: scores([HISTORY])[0] for name, scores, _ in floors_of(shop())}

    assert all(own.shape == (ITEMS,) and np.isfinite(own).all() for own in found.values())
    assert best(found["popularity"]) == 5
    assert [best(found[name]) for name in ("item-kNN", "Markov", "Markov + kNN + MiniLM")] == [2, 2, 2]
    assert best(found["whitened MiniLM"]) == 9


def test_several_histories_are_scored_as_each_alone() -> None:
    other = np.array([5, 20, 7], dtype=np.int32)

    for _, scores, _ in floors_of(shop()):
        both = scores([HISTORY, other])
        assert np.allclose(both, np.concatenate([scores([HISTORY]), scores([other])]), atol=1e-6)


def test_without_titles_their_floors_tell_nothing_apart() -> None:
    found = {name: scores([HISTORY])[0] for name, scores, _ in floors_of(shop().of_arm(Arm.LOG))}

    assert set(NAMES) <= set(found)
    assert not found["TF-IDF of the title"].any()
    assert not found["whitened MiniLM"].any()
