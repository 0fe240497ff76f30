"""Vectors of a small catalog: alike items stay alike, however few there are."""

import numpy as np

from diffusion.reading import dimensions_for, reading_of
from learning.material import TITLE, Material
from tests.ranker.shop import ITEMS, brands, two_tastes


def test_in_a_small_catalog_items_of_one_kind_are_more_alike_than_others() -> None:
    chance = np.random.default_rng(0)
    kind = np.arange(ITEMS) % 4
    vectors = (np.eye(64)[kind] + 0.1 * chance.normal(size=(ITEMS, 64))).astype(np.float32)

    [found] = reading_of(Material(two_tastes(), brands(), {TITLE: vectors})).known.vectors

    cosines = (found @ found.T).numpy()
    same = kind[:, None] == kind
    others = ~np.eye(ITEMS, dtype=bool)
    assert cosines[same & others].mean() > 0.2
    assert cosines[~same].mean() < 0.1


def test_dimensions_are_a_power_of_two_at_most_a_fourth_of_the_items() -> None:
    assert [dimensions_for(items) for items in (1, 24, 120, 511, 512, 100_000)] == [2, 4, 16, 64, 128, 128]
