"""The text that stands for an item."""

import pytest

from memory.item_vectors.known_items import KnownClaim, KnownDemand, KnownItem
from memory.item_vectors.parts import ALL_PARTS, Part, item_text

DRILL = KnownItem(
    id="d1",
    title="Acme drill",
    path=("Tools", "Drills"),
    summary="A drill.",
    claims=(
        KnownClaim("battery_voltage", "18", "volt", 0.9, "accept"),
        KnownClaim("color", "blue", None, 0.9, "reject"),
        KnownClaim("color", "red", None, 0.9, "accept"),
    ),
    demands=(
        KnownDemand("used_for", "hanging shelves", True, 0.9),
        KnownDemand("used_by", "children", False, 0.9),
        KnownDemand("used_in", "hanging shelves", True, 0.9),
    ),
)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([Part.TITLE], "Acme drill"),
        ([Part.ATTRIBUTES], "battery voltage: 18 volt; color: red"),
        ([Part.DEMANDS], "hanging shelves"),
        ([Part.SUMMARY], "A drill"),
        (ALL_PARTS, "Acme drill. battery voltage: 18 volt; color: red. hanging shelves. A drill"),
        ([Part.SUMMARY, Part.TITLE], "Acme drill. A drill"),
        ([], ""),
    ],
)
def test_each_part_can_be_left_out_and_the_title_comes_first(parts: list[Part], text: str) -> None:
    assert item_text(DRILL, parts) == text


def test_of_an_item_that_nothing_is_known_of_there_is_only_the_title() -> None:
    unknown = KnownItem("d2", "Hand drill")

    assert item_text(unknown, ALL_PARTS) == "Hand drill"
    assert item_text(unknown, [Part.ATTRIBUTES, Part.DEMANDS, Part.SUMMARY]) == ""
