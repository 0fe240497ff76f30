"""Sizes: sides, systems, jeans."""

import pytest

from agents.values.normalization import ValueProblem, normalize, same_value
from memory.category import AttributeSpec
from memory.schema import Reason
from memory.taxonomy import starter_taxonomy

ATTRIBUTES = starter_taxonomy().attributes
BED, LETTER = ATTRIBUTES["mattress_size"], ATTRIBUTES["size"]
EU, US, UK = ATTRIBUTES["shoe_size"], ATTRIBUTES["shoe_size_us"], ATTRIBUTES["shoe_size_uk"]
WAIST, INSEAM = ATTRIBUTES["waist_size"], ATTRIBUTES["inseam_length"]


@pytest.mark.parametrize("written", ["90x200cm", "90×200 cm", "90 cm x 200 cm", "90 X 200 cm".lower(), "90*200cm"])
def test_sides_are_written_in_one_way(written: str) -> None:
    assert normalize(written, BED).text == "90 x 200 cm"
    assert same_value(written, "90 x 200 cm", BED)


@pytest.mark.parametrize("written", ["Queen", "90 x 200 cm, white", "90 cm x 20 inch", "90", "4 x bed"])
def test_a_size_that_is_not_sides_alone_stays_as_it_is(written: str) -> None:
    assert normalize(written, BED).text == written


@pytest.mark.parametrize(
    ("written", "of", "number"),
    [("EU 42.5", EU, "42.5"), ("42 2/3", EU, "42.6666667"),
     ("US 9.5", US, "9.5"), ("9 UK", UK, "9"), ("Gr. 42", EU, "42")],
)  # fmt: skip
def test_a_shoe_size_is_the_number_of_its_own_system(written: str, of: AttributeSpec, number: str) -> None:
    assert normalize(written, of).text == number


@pytest.mark.parametrize(("written", "of"), [("US 9", EU), ("UK 8", US), ("EU 42", UK)])
def test_a_shoe_size_of_another_system_is_refused(written: str, of: AttributeSpec) -> None:
    with pytest.raises(ValueProblem) as problem:
        normalize(written, of)

    assert problem.value.reason is Reason.WRONG_UNIT


@pytest.mark.parametrize("written", ["W32/L34", "32x34", "32/34", "W32 L34", "w32 / l34"])
def test_jeans_have_a_waist_and_an_inseam(written: str) -> None:
    assert (normalize(written, WAIST).text, normalize(written, INSEAM).text) == ("32", "34")


@pytest.mark.parametrize(("written", "size"), [("Large", "L"), ("X-Large", "XL"), ("medium", "M"), ("XXL", "2XL")])
def test_letter_sizes_are_known_by_their_words(written: str, size: str) -> None:
    assert normalize(written, LETTER).text == size
