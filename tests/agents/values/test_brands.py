"""Brands: what belongs to the name and what to the maker's legal form."""

import pytest

from agents.values.brands import without_legal_form
from agents.values.normalization import normalize, same_value
from memory.category import AllowedValue
from memory.taxonomy import starter_taxonomy

BRAND = starter_taxonomy().attributes["brand"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Bosch GmbH", "Bosch"),
        ("Apple, Inc.", "Apple"),
        ("Acme® Ltd", "Acme"),
        ("Acme Werke GmbH & Co. KG", "Acme Werke"),
        ("Acme™", "Acme"),
        ("Miele AG", "Miele"),
        ("Tiffany & Co", "Tiffany & Co"),
        ("H&M", "H&M"),
        ("GmbH", "GmbH"),
        ("ag jeans", "ag jeans"),
        ("Super ag", "Super ag"),
    ],
)
def test_a_brand_is_its_name_without_the_legal_form(written: str, name: str) -> None:
    assert normalize(written, BRAND).text == name
    assert without_legal_form(name) == name


def test_brands_are_the_same_in_any_spelling() -> None:
    assert same_value("BOSCH", "Bosch GmbH", BRAND)
    assert not same_value("Bosch", "Bosch Rexroth", BRAND)


def test_a_taxonomy_may_list_brands_in_the_spelling_that_it_wants() -> None:
    bosch = AllowedValue(value="BOSCH", aliases=("Bosch Professional",))
    listed = BRAND.model_copy(update={"values": (bosch,)})

    assert {normalize(written, listed).text for written in ("bosch", "Bosch GmbH", "BOSCH", "bosch professional")} == {
        "BOSCH"
    }
    assert normalize("Makita", listed).text == "Makita"


def test_other_texts_keep_what_looks_like_a_legal_form() -> None:
    assert normalize("Model AG", starter_taxonomy().attributes["model"]).text == "Model AG"
