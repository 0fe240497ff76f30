"""What holds for the normal form of any number in any unit, however it is written."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agents.values.normalization import ValueProblem, normalize
from agents.values.numerals import plain, read_numeral
from agents.values.units import convert, dimension, known_spellings, known_units, named_unit, same_dimension, unit_of
from agents.values.whole_values import whole_quantity
from memory.category import AttributeSpec, AttributeType

UNITS = known_units()
AMOUNTS = st.decimals(min_value="0.01", max_value="99999", places=2).filter(lambda amount: amount > 0)
SIGNED_UNITS = {unit for unit in UNITS if "degree" in unit}
PAIRS = [(a, b) for a in UNITS for b in UNITS if a < b and same_dimension(a, b)]
# Inches as "in" end a phrase, kelvins are colours of light, and the ounce of a liquid is another one.
PECULIAR = {"kelvin", "ounce"}
TEXTS = st.text(max_size=60)


def quantity(unit: str) -> AttributeSpec:
    return AttributeSpec(key="thing", name="Thing", type=AttributeType.QUANTITY, unit=unit)


@given(AMOUNTS, st.sampled_from(UNITS))
def test_a_normal_form_with_its_unit_is_its_own_normal_form(amount: Decimal, unit: str) -> None:
    normal = normalize(f"{plain(amount)} {unit}", quantity(unit))

    assert normal == normalize(f"{normal.text} {normal.unit}", quantity(unit))
    assert Decimal(normal.text) == amount


@given(AMOUNTS, st.sampled_from([unit for unit in UNITS if unit not in PECULIAR]), st.data())
def test_an_amount_in_any_spelling_of_a_unit_has_the_normal_form_of_the_amount(
    amount: Decimal, unit: str, data: st.DataObject
) -> None:
    spelling = data.draw(st.sampled_from(known_spellings(unit)))

    normal = normalize(f"{amount:.2f} {spelling}", quantity(unit))

    assert (normal.text, normal.unit) == (plain(amount), unit)


@given(AMOUNTS, st.sampled_from(PAIRS))
def test_converting_there_and_back_gives_the_amount_again(amount: Decimal, pair: tuple[str, str]) -> None:
    there = convert(amount, pair[0], pair[1])

    assert plain(convert(there, pair[1], pair[0])) == plain(amount)


@given(AMOUNTS, st.sampled_from([pair for pair in PAIRS if not SIGNED_UNITS & set(pair)]))
def test_conversion_keeps_proportions(amount: Decimal, pair: tuple[str, str]) -> None:
    one, three = convert(amount, *pair), convert(3 * amount, *pair)

    assert plain(one * 3) == plain(three)


@pytest.mark.parametrize("unit", UNITS)
def test_pint_knows_what_every_unit_of_the_trade_measures(unit: str) -> None:
    assert unit_of(unit) == unit
    assert dimension(unit)


@given(st.integers(1_000, 999_999_999), st.sampled_from([",", ".", "'", "’"]))
def test_a_number_with_grouped_thousands_is_that_number(number: int, mark: str) -> None:
    written = f"{number:,}".replace(",", mark)

    assert read_numeral(written, "de" if mark == "." else "en", "fine" if mark == "." else None) == number


@given(st.decimals(min_value="1000", max_value="999999", places=2), st.booleans())
def test_a_number_with_thousands_and_decimals_is_the_same_in_german_and_english(number: Decimal, german: bool) -> None:
    english = f"{number:,.2f}"
    written = english.translate(str.maketrans(",.", ".,")) if german else english

    assert read_numeral(written) == number


@given(st.integers(0, 60), st.integers(1, 15), st.sampled_from([2, 4, 8, 16, 32]))
def test_a_mixed_fraction_is_the_sum_of_its_parts(whole: int, top: int, bottom: int) -> None:
    assert read_numeral(f"{whole} {top}/{bottom}") == whole + Decimal(top) / bottom


@given(
    st.integers(1, 9),
    st.integers(0, 11),
    st.sampled_from(["{}'{}\"", "{}'{}", "{} ft {} in", "{}' {}", "{} feet {} inches"]),
)
def test_feet_with_inches_are_one_length(feet: int, inches: int, written: str) -> None:
    assert normalize(written.format(feet, inches), quantity("inch")).text == str(12 * feet + inches)


@given(TEXTS, st.sampled_from(UNITS))
def test_a_value_of_any_text_has_a_normal_form_that_is_its_own_or_a_reason_why_not(text: str, unit: str) -> None:
    try:
        normal = normalize(text, quantity(unit))
    except ValueProblem:
        return

    assert normalize(f"{normal.text} {normal.unit}", quantity(unit)) == normal


@given(TEXTS | st.text("aglm²³¹¼½①٣/ °µΩ*-_", max_size=8))
@example("¼")
def test_any_text_may_be_asked_for_as_a_unit_or_a_whole_value(text: str) -> None:
    unit, whole = named_unit(text), whole_quantity(text)

    assert unit is None or same_dimension(unit, unit)
    assert whole is None or whole.amount >= 0
