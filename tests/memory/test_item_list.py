"""Files of item ids."""

from pathlib import Path

import pytest

from memory.item_list import ItemListUnreadable, read_item_list, write_item_list


def test_a_list_gives_back_what_was_written_in_its_order(tmp_path: Path) -> None:
    ids = ["b 2", "größe", "a"]

    write_item_list(tmp_path / "ids.txt", ids)

    assert list(read_item_list(tmp_path / "ids.txt")) == ids
    assert (tmp_path / "ids.txt").read_bytes() == "b 2\ngröße\na\n".encode()


def test_a_list_that_a_person_wrote_may_have_empty_lines_repetitions_and_windows_line_ends(tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_bytes(b"\xef\xbb\xbfb\r\n\r\n a \r\nb\r\nu\xcc\x88\r\n")

    assert read_item_list(tmp_path / "ids.txt") == ("b", "a", "ü")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot be read: No such file"), (b"\xff\xfe\x00", "no text in UTF-8"), (b"x" * 1001, "one id a line")],
)
def test_a_file_that_holds_none_is_named_with_the_reason(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "wrong.txt"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ItemListUnreadable) as told:
        read_item_list(path)

    assert "wrong.txt" in str(told.value)
    assert reason in str(told.value)
