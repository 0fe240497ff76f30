"""Which title spans are offered as brand and model."""

import pytest

from agents.reading.title_offers import is_shop_word, offered_spans, shop_words_of
from memory.category import AllowedValue, AttributeSpec, AttributeType, CategoryTemplate, TitlePosition
from memory.schema import CatalogItem, Claim, ClaimSource, Evidence

BRAND = AttributeSpec(key="brand", name="Brand", type=AttributeType.TEXT, title_position=TitlePosition.START)
MODEL = AttributeSpec(key="model", name="Model", type=AttributeType.TEXT, title_position=TitlePosition.AFTER_BRAND)
FORM = AttributeSpec(key="f", name="F", type=AttributeType.ENUM, values=(AllowedValue(value="x", aliases=("Akku",)),))
TEMPLATE = CategoryTemplate(
    category_id="drills",
    path=("Tools", "Drills"),
    also=("Schrauber",),
    taxonomy_version="t",
    attributes=(BRAND, MODEL, FORM),
)
SHOP_WORDS = shop_words_of(["Yoga Mats", "Matte", "board games", "family", "Drills", "cordless"])


def offers(title: str, spec: AttributeSpec, brand: str | None = None) -> list[str]:
    item = CatalogItem(id="1", title=title, description=brand or "")
    found = []
    if brand:
        evidence = Evidence.at(item, "description", 0, len(brand))
        found = [
            Claim(
                id="b", name="brand", value=brand, normalized=brand, source=ClaimSource.TEXT, evidence=evidence,
                confidence=1, producer="field",
            )
        ]  # fmt: skip
    return [span.text for span in offered_spans(item, spec, TEMPLATE, found, SHOP_WORDS)]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Bosch cordless drill", ["Bosch", "Bosch cordless", "Bosch cordless drill"]),
        ("LEGO® DUPLO® 10913", ["LEGO", "LEGO® DUPLO"]),
        ("Fruit of the Loom T-Shirt", ["Fruit"]),
        ("XIAOMI 10000 mAh", ["XIAOMI"]),
        ("Sony, headphones", ["Sony"]),
        ("Yogamatte TPE rutschfest", []),
        ("Family board game", []),
        ("10 x E14 bulb", []),
        ("- - -", []),
    ],
)
def test_a_brand_is_offered_from_the_titles_first_words(title: str, expected: list[str]) -> None:
    assert offers(title, BRAND) == expected


@pytest.mark.parametrize(
    ("title", "brand", "expected"),
    [
        ("Bosch GSR 12V-15 Akkuschrauber", "Bosch", ["GSR", "GSR 12V-15"]),
        ("SONY WH-1000XM4 - black", "Sony", ["WH-1000XM4"]),
        ("Resolve 2 jacket", "The North Face", ["Resolve", "Resolve 2", "Resolve 2 jacket"]),
        ("Makita Drill DHP482Z 18 V", "Makita", ["DHP482Z"]),
        ("GSR 12V-15", None, []),
    ],
)
def test_a_model_is_offered_after_the_brand_up_to_the_first_telling_word(
    title: str, brand: str | None, expected: list[str]
) -> None:
    assert offers(title, MODEL, brand) == expected


def test_an_attribute_without_a_place_in_titles_is_offered_nothing() -> None:
    assert offers("Bosch GSR", FORM) == []


def test_plurals_and_german_compounds_of_shop_words_are_shop_words() -> None:
    assert is_shop_word("Yogamatte", SHOP_WORDS)
    assert is_shop_word("drills", SHOP_WORDS)
    assert not is_shop_word("Bosch", SHOP_WORDS)
