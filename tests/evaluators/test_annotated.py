"""Annotated titles: reading them, and dealing them into folds."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from evaluators.annotated import AnnotatedTitle, read_annotated
from evaluators.folds import deal
from evaluators.golden import GoldError

LINE = json.dumps({"title": "Acme Mug", "category": "Mug", "attributes": {"Brand": ["Acme"], "Size": ["n/a"]}})


def test_an_attribute_that_is_not_available_has_no_values(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text(LINE + "\n\n", encoding="utf-8")

    titles = list(read_annotated(path))

    assert titles == [AnnotatedTitle(title="Acme Mug", category="Mug", attributes={"Brand": ("Acme",), "Size": ()})]


def test_a_gzipped_file_reads_like_a_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl.gz"
    path.write_bytes(gzip.compress(LINE.encode()))

    titles = list(read_annotated(path))

    assert [annotated.title for annotated in titles] == ["Acme Mug"]


def test_a_bad_line_is_named_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text(LINE + '\n{"title": "", "category": "Mug", "attributes": {}}\n', encoding="utf-8")

    with pytest.raises(GoldError, match=r"gold\.jsonl, line 2: title"):
        list(read_annotated(path))


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(LINE.encode())[:-9], gzip.compress(b"\xff\xfe\n")])
def test_a_file_that_is_no_gzipped_text_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "gold.jsonl.gz"
    path.write_bytes(content)

    with pytest.raises(GoldError, match=r"gold\.jsonl\.gz"):
        list(read_annotated(path))


def test_folds_share_each_category_evenly() -> None:
    titles = [AnnotatedTitle(title=f"{c} {n}", category=c, attributes={}) for c in "AB" for n in range(11)]

    folds = deal(titles, folds=5, seed=0)

    for category in "AB":
        sizes = Counter(fold for fold, title in zip(folds, titles, strict=True) if title.category == category)
        assert sorted(sizes.values()) == [2, 2, 2, 2, 3]
    assert folds == deal(titles, folds=5, seed=0)
    assert folds != deal(titles, folds=5, seed=1)


def test_copies_of_a_title_share_a_fold() -> None:
    titles = [AnnotatedTitle(title=f"mug {n % 7}", category="Mug", attributes={}) for n in range(14)]

    folds = deal(titles, folds=3, seed=0)

    assert folds[:7] == folds[7:]
