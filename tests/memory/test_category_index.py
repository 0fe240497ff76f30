"""The search for an item's category."""

from pathlib import Path

import numpy as np
import pytest

from memory.category import Category
from memory.category_index import CategoryIndex
from memory.encoder import MiniLmEncoder
from tests.memory.counting_encoder import CountingEncoder

CATEGORIES = (
    Category(id="tea", path=("Grocery", "Tea"), also=("green tea", "Kräutertee")),
    Category(id="drills", path=("Tools", "Cordless Drills"), also=("drill driver", "Akkuschrauber")),
    Category(id="kettles", path=("Kitchen", "Kettles"), also=("Wasserkocher", "water kettle")),
    Category(id="shoes", path=("Shoes", "Running Shoes"), also=("Laufschuhe", "jogging shoes")),
    Category(id="hoses", path=("Garden", "Garden Hoses"), also=("Gartenschlauch",)),
    Category(id="cases", path=("Electronics", "Phone Cases"), also=("Handyhülle", "Schutzhülle")),
    Category(id="phones", path=("Electronics", "Smartphones"), also=("Handy", "mobile phone", "iPhone")),
)


@pytest.fixture(scope="module")
def index() -> CategoryIndex:
    return CategoryIndex.build(CATEGORIES, MiniLmEncoder(), None)


@pytest.mark.parametrize(
    ("title", "category"),
    [
        ("MAKITA 18V BRUSHLESS DRILL KIT", "drills"),
        ("Oolong, loose leaves for infusion", "tea"),
        ("WMF Bueno Pro WASSERKOCHER Edelstahl 1,7 l", "kettles"),
        ("ASICS Damenlaufschuhe Gr. 40", "shoes"),
        ("Gardena Schlauch 20 m", "hoses"),
        ("Bosch Akku-Schrauber", "drills"),
        ("Schutzhuelle / Schutzhülle für iPhone 13", "cases"),
    ],
)
def test_the_best_category_of_a_title(index: CategoryIndex, title: str, category: str) -> None:
    best, *_ = index.search(title)

    assert best.category_id == category


def test_a_description_tells_what_the_title_does_not(index: CategoryIndex) -> None:
    title, description = "Yogi Classic 17 x 2.2 g", "Herbal tea with cinnamon and ginger"

    without, *_ = index.search(title)
    best, *_ = index.search(title, description=description)

    assert best.category_id == "tea"
    assert best.score > without.score


def test_candidates_come_best_first_and_no_more_than_asked_for(index: CategoryIndex) -> None:
    three, all_of_them = index.search("green tea", k=3), index.search("green tea", k=50)

    assert all_of_them[:3] == three
    assert len(all_of_them) == len(CATEGORIES)
    assert [c.score for c in all_of_them] == sorted((c.score for c in all_of_them), reverse=True)
    assert all(-1 <= c.score <= 1 for c in all_of_them)


def test_of_equal_categories_the_first_in_the_taxonomy_is_the_first() -> None:
    twins = [Category(id=name, path=("Grocery", "Tea")) for name in ("b", "a", "c")]
    index = CategoryIndex.build(twins, MiniLmEncoder(), None)

    found = index.search("tea bags")

    assert [candidate.category_id for candidate in found] == ["b", "a", "c"]


def test_an_empty_taxonomy_has_no_candidates() -> None:
    index = CategoryIndex.build([], MiniLmEncoder(), None)

    assert index.search("tea") == ()


def test_a_title_without_a_single_word_still_has_candidates(index: CategoryIndex) -> None:
    assert len(index.search("🦄 !!! 4711")) == len(index.search("")) == len(CATEGORIES)


def test_categories_are_encoded_once_for_a_cache(tmp_path: Path) -> None:
    first = CategoryIndex.build(CATEGORIES, CountingEncoder(), tmp_path)
    encoder = CountingEncoder()

    second = CategoryIndex.build(CATEGORIES, encoder, tmp_path)

    assert encoder.encoded == 0
    assert np.array_equal(first.phrases, second.phrases)


def test_text_of_megabytes_is_searched_quickly(index: CategoryIndex) -> None:
    huge = "tea " * 1_000_000 + "x" * 1_000_000

    best, *_ = index.search(huge, description=huge)

    assert best.category_id == "tea"
