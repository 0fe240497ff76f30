"""Cached vectors, and the search for an item's category."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from memory.atomic_file import FileUnwritable
from memory.category import Category
from memory.encoder import MiniLmEncoder, Vectors
from memory.vectors import CategoryIndex, embed_cached


class CountingEncoder:
    """Unit vectors from a text's letters; counts the texts that it encodes."""

    dimensions = 26

    def __init__(self, name: str = "letters@1") -> None:
        self.name = name
        self.encoded = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.encoded += len(texts)
        counts = np.array([[text.lower().count(chr(97 + i)) + 0.01 for i in range(26)] for text in texts])
        return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True), dtype=np.float32)


def test_texts_are_encoded_once_and_then_read_from_the_cache(tmp_path: Path) -> None:
    encoder = CountingEncoder()

    first = embed_cached(["tea", "mug"], encoder, tmp_path / "new" / "folder")
    second = embed_cached(["tea", "mug"], encoder, tmp_path / "new" / "folder")

    assert encoder.encoded == 2
    assert np.array_equal(first, second)


@pytest.mark.parametrize("texts", [["mug", "tea"], ["tea", "mu", "g"], ["teamug"], ["tea"]])
def test_other_texts_or_another_order_have_their_own_cache(tmp_path: Path, texts: list[str]) -> None:
    embed_cached(["tea", "mug"], CountingEncoder(), tmp_path)
    encoder = CountingEncoder()

    vectors = embed_cached(texts, encoder, tmp_path)

    assert np.array_equal(vectors, CountingEncoder().encode(texts))
    assert encoder.encoded == len(texts)


def test_another_encoder_has_its_own_cache(tmp_path: Path) -> None:
    embed_cached(["tea"], CountingEncoder("letters@1"), tmp_path)
    encoder = CountingEncoder("letters@2")

    embed_cached(["tea"], encoder, tmp_path)

    assert encoder.encoded == 1


def test_without_a_cache_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    vectors = embed_cached(["tea"], CountingEncoder(), None)

    assert vectors.shape == (1, 26)
    assert list(tmp_path.iterdir()) == []


def damaged_caches(whole: bytes) -> dict[str, bytes]:
    """Contents that a cache file must not be believed with."""
    zeros = np.zeros(26, dtype="<f4").tobytes()
    return {
        "empty": b"",
        "cut off": whole[:-7],
        "longer": whole + b"\0",
        "no header": b"\0" * len(whole),
        "a pickle": b"\x80\x04cos\nsystem\n(S'false'\ntR.".ljust(len(whole)),
        "a vector of zeros": whole[: -len(zeros)] + zeros,
        "not a number": whole[:-4] + np.float32("nan").tobytes(),
    }


@pytest.mark.parametrize("damage", damaged_caches(b"").keys())
def test_a_damaged_cache_is_made_anew(tmp_path: Path, damage: str) -> None:
    expected = embed_cached(["tea", "mug"], CountingEncoder(), tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damaged_caches(whole)[damage])

    vectors = embed_cached(["tea", "mug"], CountingEncoder(), tmp_path)

    assert np.array_equal(vectors, expected)
    assert file.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [file]


def test_a_cache_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")

    with pytest.raises(FileUnwritable, match="cache"):
        embed_cached(["tea"], CountingEncoder(), tmp_path / "cache")


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
