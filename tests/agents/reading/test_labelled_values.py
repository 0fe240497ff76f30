"""Labelled values found in texts."""

import pytest

from agents.reading.labelled_values import find_introduced, find_labels
from agents.values.words import words
from memory.category import AttributeSpec, AttributeType

COLOR = AttributeSpec(key="color", name="Color", type=AttributeType.TEXT, aliases=("Farbe",))
WEIGHT = AttributeSpec(key="net_weight", name="Net weight", type=AttributeType.TEXT, aliases=("weight", "Gewicht"))


def labelled(text: str, spec: AttributeSpec = COLOR) -> list[str]:
    return [text[label.value_start : label.value_end] for label in find_labels(text, words(text), spec)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Farbe: rot", ["rot"]),
        ("Farbe : rot; Größe: M", ["rot"]),
        ("Farbe: rot Material: Holz", ["rot"]),
        ("COLOR - light blue. Washable.", ["light blue"]),
        ("Color = black | Size = M", ["black"]),
        ("Farbe (außen): gelb", ["gelb"]),
        ("Farbe rot", []),
        ("Farbe:", []),
        ("Colorful: yes", []),
    ],
)
def test_a_value_reaches_from_its_label_to_the_next_break(text: str, values: list[str]) -> None:
    assert labelled(text) == values


def test_a_longer_label_is_another_label() -> None:
    assert labelled("Shipping weight: 3 kg, Net weight: 2 kg", WEIGHT) == ["2 kg"]


def test_a_value_of_any_length_is_cut() -> None:
    (value,) = labelled("Farbe: " + "rot" * 1_000)

    assert len(value) <= 120


ORIGIN = AttributeSpec(key="origin", name="Origin", type=AttributeType.TEXT, aliases=("made in", "Modell"))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Made in South Africa by hand", ["South Africa"]),
        ("made in small batches", []),
        ("Modell BT-220 neu", ["BT-220"]),
        ("Modell neu", []),
    ],
)
def test_a_name_may_introduce_a_value_without_a_colon(text: str, values: list[str]) -> None:
    found = find_introduced(text, words(text), ORIGIN)

    assert [text[label.value_start : label.value_end] for label in found] == values


def test_an_abbreviation_ends_no_value() -> None:
    assert labelled("Gewicht: ca. 900 g. Neu", WEIGHT) == ["ca. 900 g"]
