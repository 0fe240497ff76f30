"""Knows what the bundled sample catalog and its gold promise each other and the starter taxonomy."""

import csv
from collections import Counter
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from memory.category import AttributeSpec, AttributeType
from memory.record import Record
from memory.taxonomy import Taxonomy, starter_taxonomy
from memory.text import plain_text

SAMPLE = Path(__file__).parents[2] / "memory" / "sample"
COLUMNS = ["sku", "name", "description", "brand", "price", "extra_info"]


class GoldLine(Record):
    item_id: str
    split: str
    category: str
    attributes: dict[str, list[str]]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (SAMPLE / "catalog.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def gold() -> list[GoldLine]:
    lines = (SAMPLE / "gold.jsonl").read_text(encoding="utf-8").splitlines()
    return [TypeAdapter(GoldLine).validate_json(line) for line in lines]


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return starter_taxonomy()


def values_of(gold: list[GoldLine], taxonomy: Taxonomy) -> list[tuple[str, AttributeSpec, str]]:
    """Return (item id, attribute, value) of each gold value; an attribute that its category lacks fails here."""
    found = []
    for line in gold:
        template = taxonomy.template(line.category)
        for key, values in line.attributes.items():
            spec = template.spec(key)
            assert spec is not None, f"{line.item_id}: {line.category} does not ask for {key!r}"
            found += [(line.item_id, spec, value) for value in values]
    return found


def is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def test_the_catalog_has_at_least_eighty_different_products(rows: list[dict[str, str]]) -> None:
    contents = {tuple(row[column] for column in COLUMNS[1:]) for row in rows}

    assert list(rows[0]) == COLUMNS
    assert [row["sku"] for row in rows] == [f"S{number:03d}" for number in range(1, len(rows) + 1)]
    assert len(contents) == len(rows) >= 80


def test_each_product_has_a_title(rows: list[dict[str, str]]) -> None:
    assert [row["sku"] for row in rows if not plain_text(row["name"])] == []


def test_each_product_has_exactly_one_gold_line(rows: list[dict[str, str]], gold: list[GoldLine]) -> None:
    assert [line.item_id for line in gold] == [row["sku"] for row in rows]


def test_forty_items_are_held_back_and_every_category_is_among_them(gold: list[GoldLine]) -> None:
    sizes = Counter(line.category for line in gold)
    held_back = Counter(line.category for line in gold if line.split == "test")

    assert Counter(line.split for line in gold) == {"dev": 80, "test": 40}
    assert set(held_back) == set(sizes)
    assert all(1 <= count <= max(1, sizes[category] // 2) for category, count in held_back.items())


def test_gold_categories_are_leaves_of_the_starter_taxonomy(gold: list[GoldLine], taxonomy: Taxonomy) -> None:
    named = {line.category for line in gold}

    assert len(named) >= 12
    assert [category for category in sorted(named) if not taxonomy.categories[category].leaf] == []


def test_no_gold_attribute_is_empty_or_says_the_same_twice(gold: list[GoldLine]) -> None:
    lists = [(line.item_id, key, values) for line in gold for key, values in line.attributes.items()]

    assert [entry for entry in lists if not entry[2] or len(set(entry[2])) < len(entry[2])] == []


def test_gold_enum_and_boolean_values_are_allowed(gold: list[GoldLine], taxonomy: Taxonomy) -> None:
    chosen = [
        (item_id, spec.key, value)
        for item_id, spec, value in values_of(gold, taxonomy)
        if spec.type in (AttributeType.ENUM, AttributeType.BOOLEAN)
        and value not in {allowed.value for allowed in spec.values}
    ]

    assert chosen == []


def test_gold_quantities_are_numbers_in_the_unit_of_the_attribute(gold: list[GoldLine], taxonomy: Taxonomy) -> None:
    wrong = []
    for item_id, spec, value in values_of(gold, taxonomy):
        if spec.type is AttributeType.QUANTITY:
            number, _, unit = value.partition(" ")
            if unit != spec.unit or not is_number(number):
                wrong.append((item_id, spec.key, value))

    assert wrong == []


def test_gold_counts_are_whole_numbers_and_numbers_are_plain(gold: list[GoldLine], taxonomy: Taxonomy) -> None:
    values = values_of(gold, taxonomy)
    counts = [value for _, spec, value in values if spec.type is AttributeType.COUNT]
    numbers = [value for _, spec, value in values if spec.type is AttributeType.NUMBER]

    assert [value for value in counts if not value.isdecimal()] == []
    assert [value for value in numbers if not is_number(value)] == []


def test_gold_text_values_are_verbatim_in_the_row(
    rows: list[dict[str, str]], gold: list[GoldLine], taxonomy: Taxonomy
) -> None:
    texts = {row["sku"]: [plain_text(row[column]) for column in COLUMNS[1:]] for row in rows}

    made_up = [
        (item_id, spec.key, value)
        for item_id, spec, value in values_of(gold, taxonomy)
        if spec.type is AttributeType.TEXT and not any(value in text for text in texts[item_id])
    ]

    assert made_up == []
