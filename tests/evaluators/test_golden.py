"""Golden files: what is read, and what is said of a line that is no golden item."""

import gzip
from pathlib import Path

import pytest

from evaluators.golden import BadGoldLine, GoldError, GoldItem, gold_lines, read_gold

LINE = '{"id": "1", "title": "Acme Mug", "category": "Kitchen > Mugs", "attributes": {"brand": "Acme", "lid": "n/a"}}'


def test_a_value_may_stand_alone_and_an_absent_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text(f"{LINE}\n", encoding="utf-8")

    (item,) = gold_lines(path)

    assert item == GoldItem(
        item_id="1", title="Acme Mug", category="Kitchen > Mugs", attributes={"brand": ("Acme",), "lid": ()}
    )


def test_numbers_and_yes_or_no_are_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text('{"id": "1", "attributes": {"pieces": [4, 4.5], "dishwasher": true}}', encoding="utf-8")

    (item,) = read_gold(path)

    assert item.attributes == {"pieces": ("4", "4.5"), "dishwasher": ("yes",)}


def test_a_bad_line_is_told_with_its_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    bad = [b"{", b'{"id": "2"}', b"\xff\xfe", b'{"id": "3", "attributes": {"brand": [["deep"]]}}', LINE.encode()]
    path.write_bytes(b"\n".join([LINE.encode(), *bad, b'{"item_id": "9", "attributes": {}}']))

    lines = list(gold_lines(path))

    assert [line.item_id for line in lines if isinstance(line, GoldItem)] == ["1", "9"]
    told = [line for line in lines if isinstance(line, BadGoldLine)]
    assert [(line.file, line.line) for line in told] == [(str(path), number) for number in (2, 3, 4, 5, 6)]
    assert told[1].reason == "attributes: Field required"
    assert told[4].reason == "repeats the id of line 1"


def test_a_gzipped_file_reads_like_a_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl.gz"
    path.write_bytes(gzip.compress(LINE.encode()))

    assert [item.item_id for item in read_gold(path)] == ["1"]


def test_whoever_needs_every_line_is_told_of_the_first_bad_one(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text(f"{LINE}\n[]\n", encoding="utf-8")

    with pytest.raises(GoldError, match=r"gold\.jsonl, line 2"):
        list(read_gold(path))


@pytest.mark.parametrize(
    "content", [None, b"no gzip", gzip.compress(LINE.encode())[:-9]], ids=["missing", "plain", "cut"]
)
def test_a_file_that_cannot_be_read_to_its_end_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "gold.jsonl.gz"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(GoldError, match=r"gold\.jsonl\.gz cannot be read"):
        list(gold_lines(path))
