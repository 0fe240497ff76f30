"""The normal form of values, and what has none."""

import pytest

from agents.values.normalization import Normalized, ValueProblem, normalize, same_value
from memory.category import AllowedValue, AttributeSpec, AttributeType
from memory.schema import Reason


def spec(kind: str, unit: str | None = None, **values: list[str]) -> AttributeSpec:
    allowed = tuple(AllowedValue(value=value, aliases=tuple(words)) for value, words in values.items())
    return AttributeSpec(key="thing", name="Thing", type=AttributeType(kind), unit=unit, values=allowed)


COLOR = spec("enum", black=["schwarz", "jet black"], red=["rot"], green=["grün"])
WIRELESS = spec("boolean", yes=["wireless", "kabellos"], no=["wired"])
VOLUME = spec("quantity", "milliliter")
LENGTH = spec("quantity", "centimeter")
WEIGHT = spec("quantity", "gram")
HOURS = spec("quantity", "hour")
COUNT = spec("count")


@pytest.mark.parametrize("written", ["black", "Schwarz", "SCHWARZE", "schwarzes", "Jet-Black", "jet  black"])
def test_an_allowed_value_is_known_by_any_of_its_words(written: str) -> None:
    assert normalize(written, COLOR) == Normalized("black")


@pytest.mark.parametrize("written", ["grün", "gruen", "Gru\u0308n", "GRÜNER"])
def test_umlauts_may_be_written_in_any_way(written: str) -> None:
    assert normalize(written, COLOR).text == "green"


@pytest.mark.parametrize(
    ("written", "said"), [("yes", "yes"), ("Ja", "yes"), ("Nein", "no"), ("wireless", "yes"), ("not wireless", "no")]
)
def test_a_boolean_is_yes_or_no(written: str, said: str) -> None:
    assert normalize(written, WIRELESS).text == said


@pytest.mark.parametrize(
    ("written", "of", "text"),
    [
        ("1,5 L", VOLUME, "1500"),
        ("330ml", VOLUME, "330"),
        ("8 fl. oz.", VOLUME, "236.588236"),
        ("8 oz", VOLUME, "236.588236"),
        ('1/2"', LENGTH, "1.27"),
        ("5'11\"", LENGTH, "180.34"),
        ("1.500 g", WEIGHT, "1500"),
        ("1.500 kg", WEIGHT, "1500"),
        ("2 lbs", WEIGHT, "907.18474"),
        ("ca. 250 Gramm", WEIGHT, "250"),
        ("6 x 330 ml", VOLUME, "330"),
        ("500 ml x 2", VOLUME, "500"),
        ("5'11", LENGTH, "180.34"),
        ("5 ft 11 in", LENGTH, "180.34"),
        ("5 foot 11", LENGTH, "180.34"),
        ("6' 2½", LENGTH, "189.23"),
        ("6'2 1/2\"", LENGTH, "189.23"),
        ("1m80", LENGTH, "180"),
        ("1 1/2 in", LENGTH, "3.81"),
        ("10 ± 0.5 cm", LENGTH, "10"),
        ("10 cm +/- 1 cm", LENGTH, "10"),
        ("1,5 kg", WEIGHT, "1500"),
        ("1 500 g", WEIGHT, "1500"),
        ("1\u202f500 g", WEIGHT, "1500"),
        ("1'500 g", WEIGHT, "1500"),
        ("1 500,5 g", WEIGHT, "1500.5"),
        ("2 lb 3 oz", WEIGHT, "992.233309"),
        ("500 grammes", WEIGHT, "500"),
        ("10 stone", WEIGHT, "63502.9318"),
        ("0.5 t", WEIGHT, "500000"),
        ("2 tbsp", VOLUME, "29.5735296"),
        ("0,5 dm³", VOLUME, "500"),
        ("1:30 h", HOURS, "1.5"),
        ("1:30 min", HOURS, "0.025"),
        ("1h 30min", HOURS, "1.5"),
    ],
)
def test_a_quantity_is_a_decimal_in_the_attributes_unit(written: str, of: AttributeSpec, text: str) -> None:
    assert normalize(written, of) == Normalized(text, of.unit)


@pytest.mark.parametrize("text", ["1.234", "1500", "0.333333333", "1.5"])
def test_a_normal_form_with_its_unit_is_its_own_normal_form(text: str) -> None:
    assert normalize(f"{text} gram", WEIGHT) == Normalized(text, "gram")


@pytest.mark.parametrize(
    ("written", "number"),
    [("12", "12"), ("12 Stück", "12"), ("3er-Pack", "3"), ("500-pack", "500"), ("Pack of 12", "12"), ("40 count", "40"),
     ("set of 4", "4"), ("4-teilig", "4"), ("6x330ml", "6"), ("1,000 ct", "1000"), ("1.000 Blatt", "1000"),
     ("1'000 Stück", "1000"), ("500 ml x 2", "2")],
)  # fmt: skip
def test_a_count_is_a_whole_number(written: str, number: str) -> None:
    assert normalize(written, COUNT).text == number


@pytest.mark.parametrize(
    ("written", "of", "reason"),
    [
        ("purple", COLOR, Reason.NOT_IN_VOCABULARY),
        ("maybe", WIRELESS, Reason.NOT_IN_VOCABULARY),
        ("500", VOLUME, Reason.WRONG_UNIT),
        ("500 cd", spec("quantity", "lumen"), Reason.WRONG_UNIT),
        ("2 tons", WEIGHT, Reason.WRONG_UNIT),
        ("10 to 20 cm", LENGTH, Reason.WRONG_TYPE),
        ("500 g", VOLUME, Reason.WRONG_UNIT),
        ("a lot", VOLUME, Reason.WRONG_TYPE),
        ("10-20 g", WEIGHT, Reason.WRONG_TYPE),
        ("0 g", WEIGHT, Reason.OUT_OF_RANGE),
        ("9999999999999 gram", WEIGHT, Reason.WRONG_UNIT),
        ("1.5", COUNT, Reason.WRONG_TYPE),
        ("many", COUNT, Reason.WRONG_TYPE),
        (" ", spec("text"), Reason.WRONG_TYPE),
        ("EU 42 or 43", spec("number"), Reason.WRONG_TYPE),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_a_reason(written: str, of: AttributeSpec, reason: Reason) -> None:
    with pytest.raises(ValueProblem) as problem:
        normalize(written, of)

    assert problem.value.reason is reason


@pytest.mark.parametrize(
    ("written", "number"),
    [("42", "42"), ("42 2/3", "42.6666667"), ("42⅔", "42.6666667"), ("EU 42,5", "42.5"), ("9½ US", "9.5")]
)  # fmt: skip
def test_a_shoe_size_is_a_number_whatever_system_stands_by_it(written: str, number: str) -> None:
    assert normalize(written, spec("number")).text == number


def test_text_keeps_its_case_and_single_blanks() -> None:
    assert normalize("  Black+Decker   GmbH ", spec("text")).text == "Black+Decker GmbH"


@pytest.mark.parametrize(
    ("one", "other", "of", "same"),
    [
        ("Bosch", "BOSCH", spec("text"), True),
        ("WH-1000XM5", "WH1000XM5", spec("text"), True),
        ("Bosch", "Bosh", spec("text"), False),
        ("1000", "1000.0000001", WEIGHT, True),
        ("1 kg", "1000", WEIGHT, True),
        ("1000", "1001", WEIGHT, False),
        ("schwarz", "black", COLOR, True),
        ("red", "black", COLOR, False),
        ("6", "6er-Pack", COUNT, True),
    ],
)
def test_values_are_the_same_when_they_mean_the_same(one: str, other: str, of: AttributeSpec, same: bool) -> None:
    assert same_value(one, other, of) is same
