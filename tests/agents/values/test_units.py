"""Units: which are known, and what is never computed."""

import time

import pytest

from agents.values.units import same_dimension, unit_of


@pytest.mark.parametrize(
    ("spelling", "unit"), [("ml", "milliliter"), ("Zoll", "inch"), ("meter ** 2", "meter ** 2"), ("bananas", None)]
)
def test_a_unit_is_known_by_its_spellings_and_by_its_name(spelling: str, unit: str | None) -> None:
    assert unit_of(spelling) == unit


@pytest.mark.parametrize("unit", ["liter", "kilonewton / meter ** 2", "meter ** 9"])
def test_a_unit_measures_what_it_measures(unit: str) -> None:
    assert same_dimension(unit, unit)
    assert not same_dimension(unit, "gram")


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9**9",
        "meter ** 9 ** 9 ** 9",
        "2 - 2",
        "meter - gram",
        "1 / 0",
        "(" * 500,
        "gram\0",
        "",
        "in stock",
        "¼",
        "²",
        "gram / ²",
        "m¼",
        "①",
    ],
)
def test_a_text_that_is_no_unit_is_never_computed(text: str) -> None:
    started = time.process_time()

    assert not same_dimension(text, "gram")
    assert time.process_time() - started < 1
