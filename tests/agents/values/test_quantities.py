"""Quantities found in product texts."""

import time

import pytest

from agents.values.numerals import plain
from agents.values.quantities import Part, find_quantities
from agents.values.words import Language


def read(text: str, language: Language | None = None) -> list[str]:
    return [f"{plain(q.amount)} {q.unit}" for q in find_quantities(text, language)]


@pytest.mark.parametrize(
    ("text", "quantities"),
    [
        ("Cola 330ml", ["330 milliliter"]),
        ("Saft 1,5 L", ["1.5 liter"]),
        ("16.9 fl oz/500 ml", ["16.9 fluid_ounce", "500 milliliter"]),
        ('TV 55" OLED', ["55 inch"]),
        ("15,6 Zoll", ["15.6 inch"]),
        ("1/2-Inch Leg", ["0.5 inch"]),
        ('Rohr 1-1/4"', ["1.25 inch"]),
        ("5'11\"", ["71 inch"]),
        ("5 lb 3 oz", ["83 ounce"]),
        ("bis -5 °C", ["-5 degree_Celsius"]),
        ("20.000 mAh", ["20000 milliampere_hour"]),
        ("30 Std. Laufzeit", ["30 hour"]),
        ("１２ kg", ["12 kilogram"]),
        ("80 g/m²", ["80 gram / meter ** 2"]),
        ("20 den", ["20 denier"]),
    ],
)
def test_trade_spellings_are_read(text: str, quantities: list[str]) -> None:
    assert read(text) == quantities


@pytest.mark.parametrize(
    "text",
    [
        "4K video",
        "5G phone",
        "3 in 1 tool",
        "2 in stock",
        "size 42",
        "DF-500 W",
        "5 m/s",
        "1 l = 2,99 €",
        "iPhone 15",
        "USB 3.0",
    ],
)
def test_what_only_looks_like_a_quantity_is_left_alone(text: str) -> None:
    assert read(text) == []


def test_the_language_settles_a_point_before_three_digits() -> None:
    assert read("1.500 g", "de") == ["1500 gram"]
    assert read("1.500 g", "en") == ["1.5 gram"]
    assert read("1.500 kg", "de") == ["1.5 kilogram"]


def test_a_multiple_is_one_piece_so_many_times() -> None:
    (quantity,) = find_quantities("Wasser 6 x 1,5 L")

    assert (plain(quantity.amount), quantity.unit, quantity.times) == ("1.5", "liter", 6)


def test_the_sides_of_a_chain_share_the_last_unit() -> None:
    sides = find_quantities("Kissen 40x60x12 cm")

    assert [(plain(side.amount), side.unit, side.part) for side in sides] == [
        ("40", "centimeter", Part.SIDE),
        ("60", "centimeter", Part.SIDE),
        ("12", "centimeter", Part.SIDE),
    ]


def test_a_range_has_two_ends() -> None:
    ends = find_quantities("Spannung 100-240 V")

    assert [(plain(end.amount), end.part) for end in ends] == [("100", Part.LOW), ("240", Part.HIGH)]


def test_a_span_is_where_the_quantity_is_written() -> None:
    text = "Öl (extra) 0,75 l nativ"

    (quantity,) = find_quantities(text)

    assert text[quantity.start : quantity.end] == "0,75 l"


@pytest.mark.parametrize("pattern", ["a", "1", "1,", "1-", "1/", '"', "½", " ", "- ", "1.1.", "fl ", "x"])
def test_a_hostile_text_takes_linear_time(pattern: str) -> None:
    find_quantities("1 kg")
    text = (pattern * 40_000)[:40_000] + "!"

    started = time.process_time()
    find_quantities(text)

    assert time.process_time() - started < 2  # it takes 0.4 at worst on a calm machine; a square would take minutes
