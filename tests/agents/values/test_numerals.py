"""Numbers read as English and German shops write them."""

from decimal import Decimal

import pytest

from agents.values.numerals import Grain, plain, read_numeral
from agents.values.words import Language


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1,5", "1.5"),
        ("1.5", "1.5"),
        ("1.234,5", "1234.5"),
        ("1,234.5", "1234.5"),
        ("1.000.000", "1000000"),
        ("0.500", "0.5"),
        (".5", "0.5"),
        ("1/2", "0.5"),
        ("1-1/4", "1.25"),
        ("2 1/2", "2.5"),
        ("½", "0.5"),
        ("1½", "1.5"),
        ("１２", "12"),
        ("007", "7"),
    ],
)
def test_a_clear_number_needs_no_language(written: str, number: str) -> None:
    assert {read_numeral(written, spoken) for spoken in ("de", "en", None)} == {Decimal(number)}


@pytest.mark.parametrize(
    ("written", "language", "grain", "number"),
    [
        ("1.500", None, "fine", "1500"),
        ("1.500", "de", "fine", "1500"),
        ("1.500", "en", "fine", "1.5"),
        ("1.500", "de", "coarse", "1.5"),
        ("1.500", "de", None, "1500"),
        ("1.500", None, None, "1.5"),
        ("1,500", "de", "coarse", "1.5"),
        ("1,500", "de", "fine", "1500"),
        ("1,500", "en", "coarse", "1500"),
        ("1,500", None, None, "1500"),
    ],
)
def test_three_digits_after_one_sign_are_settled_by_unit_and_language(
    written: str, language: Language | None, grain: Grain | None, number: str
) -> None:
    assert read_numeral(written, language, grain) == Decimal(number)


@pytest.mark.parametrize("written", ["1/0", "1,2.3,4", "1.23.456", "", "x"])
def test_what_is_no_number_is_not_guessed(written: str) -> None:
    assert read_numeral(written) is None


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1.500", "1.5"),
        ("1500.0", "1500"),
        ("1E+3", "1000"),
        ("0.3333333333333", "0.333333333"),
        ("0.000001", "0.000001"),
    ],
)
def test_a_number_is_written_without_exponent_or_closing_zeros(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text
