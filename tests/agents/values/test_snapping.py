"""Words that are no allowed value are taken for the nearest one, or for none."""

import pytest

from agents.values.snapping import likeness, nearest, normalize_or_snap, snap
from memory.category import AllowedValue, AttributeSpec, AttributeType
from memory.encoder import MiniLmEncoder
from memory.taxonomy import starter_taxonomy

ATTRIBUTES = starter_taxonomy().attributes
COLOR = ATTRIBUTES["color"]
ENCODER = MiniLmEncoder()


def enum(**values: list[str]) -> AttributeSpec:
    allowed = tuple(AllowedValue(value=value, aliases=tuple(words)) for value, words in values.items())
    return AttributeSpec(key="thing", name="Thing", type=AttributeType.ENUM, values=allowed)


@pytest.mark.parametrize(
    ("written", "value"),
    [("anthrazt", "anthracite"), ("Burgundi", "burgundy"), ("turqoise", "turquoise"), ("MULTICOLOUERD", "multicolor")],
)
def test_a_misspelt_word_is_taken_for_what_it_is_by_spelling_alone(written: str, value: str) -> None:
    snapped = snap(written, COLOR)

    assert snapped is not None
    assert snapped.value == value
    assert 0.83 <= snapped.score < 1


@pytest.mark.parametrize(("written", "value"), [("gunmetal grey", "grey"), ("bottle green", "green")])
def test_a_shade_is_taken_for_its_colour_where_the_meaning_agrees(written: str, value: str) -> None:
    snapped = snap(written, COLOR, ENCODER)

    assert snapped is not None
    assert snapped.value == value
    assert snap(written, COLOR) is None


@pytest.mark.parametrize(
    ("written", "of"),
    [
        ("midi", enum(mini=[], maxi=[])),
        ("danish layout", enum(spanish=["spanish layout"])),
        ("unsalted nuts", enum(salted=["salted nuts"])),
        ("without leather", enum(leather=[])),
        ("usb type-b", enum(a=["usb type-a"], c=["usb type-c"])),
        ("xxxl", enum(xl=[], xxl=[])),
        ("banana", COLOR),
        ("2.5 GHz", enum(fast=["2.4 GHz"], faster=["5 GHz"])),
        ("x" * 1_000, COLOR),
        ("", COLOR),
        ("²", COLOR),
    ],
)
def test_what_is_near_no_value_or_means_the_opposite_is_taken_for_none(written: str, of: AttributeSpec) -> None:
    assert snap(written, of, ENCODER) is None


def test_a_word_between_two_values_is_taken_for_neither() -> None:
    assert snap("forestgreem", enum(one=["forestgreen"], other=["forestgreet"])) is None


def test_only_enums_have_values_to_be_taken_for() -> None:
    assert snap("anthrazt", ATTRIBUTES["brand"], ENCODER) is None
    assert nearest("anthrazt", ATTRIBUTES["brand"], ENCODER) == []


def test_an_allowed_word_has_no_score_and_a_strange_one_keeps_itself() -> None:
    assert normalize_or_snap("dunkelblau", COLOR) == (("navy", None), None)
    assert normalize_or_snap("banana", COLOR, ENCODER) == (("banana", None), None)


def test_the_nearest_values_come_with_scores_the_best_first() -> None:
    near = nearest("gunmetal", COLOR, ENCODER)

    assert len(near) == 3
    assert [value.score for value in near] == sorted((value.score for value in near), reverse=True)
    assert all(0 < value.score < 1 for value in near)


def test_phrases_are_as_alike_as_their_least_like_words() -> None:
    assert likeness(("dark", "green"), ("dark", "green")) == 1
    assert likeness(("dark", "green"), ("light", "green")) == 0
    assert likeness(("multi", "colour"), ("multicolour",)) == 1
