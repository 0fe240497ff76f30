"""Claims that rules read from items."""

import re
import time
from types import ModuleType

import pytest

from agents.reading import count_rules, labelled_values, passages, quantity_rules, rules, vocabulary
from agents.reading.findings import CONFIDENCE
from agents.reading.rules import rule_claims
from agents.values import counts, numerals, quantities, words
from memory.category import AllowedValue, AttributeSpec, AttributeType, CategoryTemplate
from memory.schema import CatalogItem, SourceField


def allowed(**values: list[str]) -> tuple[AllowedValue, ...]:
    return tuple(AllowedValue(value=value, aliases=tuple(also)) for value, also in values.items())


def text(key: str, *aliases: str) -> AttributeSpec:
    return AttributeSpec(key=key, name=key.title(), type=AttributeType.TEXT, aliases=aliases)


def quantity(key: str, unit: str, *aliases: str) -> AttributeSpec:
    name = key.replace("_", " ").title()
    return AttributeSpec(key=key, name=name, type=AttributeType.QUANTITY, unit=unit, aliases=aliases)


def count(key: str, *aliases: str) -> AttributeSpec:
    name = key.replace("_", " ").title()
    return AttributeSpec(key=key, name=name, type=AttributeType.COUNT, aliases=aliases)


BRAND = text("brand", "Marke")
COLOR = AttributeSpec(
    key="color",
    name="Color",
    type=AttributeType.ENUM,
    many=True,
    aliases=("Farbe",),
    values=allowed(black=["schwarz"], red=["rot"], blue=["blau"], white=["weiß"], green=["grün"]),
)
MATERIAL = AttributeSpec(
    key="material", name="Material", type=AttributeType.ENUM, values=allowed(cotton=["Baumwolle"], wool=["Wolle"])
)
WIRELESS = AttributeSpec(
    key="wireless",
    name="Wireless",
    type=AttributeType.BOOLEAN,
    values=allowed(yes=["wireless", "kabellos"], no=["wired"]),
)
VOLUME = quantity("volume", "milliliter", "Inhalt")
WEIGHT = quantity("weight", "gram", "Gewicht")
LENGTH = quantity("length", "centimeter", "Länge")
WIDTH = quantity("width", "centimeter", "Breite")
HEIGHT = quantity("height", "centimeter", "Höhe")
MIN_AGE = quantity("min_age", "year", "age", "ages", "ab Jahren")
PACK = count("pack_size", "Stück")
PORTS = count("number_of_ports", "Anschlüsse")
SHOE_SIZE = AttributeSpec(key="shoe_size", name="Shoe size", type=AttributeType.NUMBER, aliases=("EU", "Größe", "size"))


def template(*specs: AttributeSpec) -> CategoryTemplate:
    return CategoryTemplate(category_id="x", path=("X",), attributes=specs, taxonomy_version="1")


def item(title: str, description: str = "", **columns: str) -> CatalogItem:
    fields = tuple(SourceField(name=name, text=value) for name, value in columns.items())
    return CatalogItem(id="1", title=title, description=description, fields=fields)


def read(of: CatalogItem, *specs: AttributeSpec) -> list[str]:
    return [f"{claim.name}={claim.normalized}" for claim in rule_claims(of, template(*specs))]


def test_a_claim_carries_its_span_value_unit_producer_and_confidence() -> None:
    (claim,) = rule_claims(item("Cola 6 x 330 ml"), template(VOLUME))

    assert (claim.value, claim.normalized, claim.unit, claim.producer) == ("330 ml", "330", "milliliter", "rule")
    assert claim.evidence is not None
    assert (claim.evidence.field, claim.evidence.start, claim.evidence.end) == ("title", 9, 15)
    assert claim.confidence == CONFIDENCE["rule"]


def test_a_multiple_gives_the_piece_and_the_pack() -> None:
    assert read(item("Cola 6 x 330 ml (1,98 L)"), VOLUME, PACK) == ["volume=330", "pack_size=6"]


def test_a_column_named_like_the_attribute_holds_its_value() -> None:
    (claim,) = rule_claims(item("Bohrer", Marke="Black+Decker"), template(BRAND))

    assert (claim.normalized, claim.producer) == ("Black+Decker", "field")


@pytest.mark.parametrize("nothing", ["n/a", "-", "unbranded", "k.A.", "Unknown"])
def test_a_placeholder_is_no_value(nothing: str) -> None:
    assert read(item("Bohrer", brand=nothing), BRAND) == []


def test_a_column_outdoes_the_title() -> None:
    assert read(item("Shirt black", color="Rot"), COLOR) == ["color=red"]


def test_the_title_outdoes_the_description() -> None:
    assert read(item("Shirt schwarz", "Also in red and blue."), COLOR) == ["color=black"]


@pytest.mark.parametrize(
    ("of", "claims"),
    [
        (item("Black+Decker Bohrer"), []),
        (item("Red Bull Cola", brand="Red Bull"), []),
        (item("Case for black phones"), []),
        (item("Hülle kompatibel mit Galaxy Blau"), []),
        (item("Shirt without red"), []),
        (item("Shirt rot/weiß"), ["color=red", "color=white"]),
        (item("Shirt", "Farbe: Blau Material: Wolle"), ["color=blue"]),
    ],
)
def test_only_the_products_own_colours_are_read(of: CatalogItem, claims: list[str]) -> None:
    assert read(of, COLOR) == claims


@pytest.mark.parametrize(
    ("description", "claims"),
    [
        ("kabellos", ["wireless=yes"]),
        ("not wireless", ["wireless=no"]),
        ("wired", ["wireless=no"]),
        ("wired, kabellos", []),
    ],
)
def test_a_boolean_is_read_with_its_denial(description: str, claims: list[str]) -> None:
    assert read(item("Maus", description), WIRELESS) == claims


@pytest.mark.parametrize(
    ("of", "claims"),
    [
        (item("Regal", "Höhe 2 m, Breite: 80 cm"), ["width=80", "height=200"]),
        (item("Regal 80 cm"), []),
        (item("Regal 80 cm breit 2 m hoch"), []),
        (item("Box 30 x 20 x 10 cm (LxBxH)"), ["length=30", "width=20", "height=10"]),
        (item("Box 30 x 20 x 10 cm"), []),
        (item('Sign 12" W x 8" H'), ["width=30.48", "height=20.32"]),
        (item("Kabel für 2 m Höhe"), []),
    ],
)
def test_a_length_goes_to_the_side_that_is_named(of: CatalogItem, claims: list[str]) -> None:
    breadth = WIDTH.model_copy(update={"aliases": ("Breite",)})

    assert read(of, LENGTH, breadth, HEIGHT) == claims


@pytest.mark.parametrize(
    ("of", "claims"),
    [
        (item("Mehl 1.000 g"), ["weight=1000"]),
        (item("Mehl 500 g", "Shipping weight: 2 kg"), ["weight=500"]),
        (item("Mehl", "Versandgewicht 2 kg"), []),
        (item("Mehl 500 g oder 750 g"), []),
        (item("Mehl 12 oz (340 g)"), ["weight=340"]),
        (item("Mehl", "500 g reichen lange"), ["weight=500"]),
        (item("Mehl", "500 g oder 750 g"), []),
        (item("Mehl", "Auch in 750 g erhältlich"), []),
        (item("Mehl 500 g", "Dose mit 750 g"), ["weight=500"]),
        (item("Waage bis 150 kg"), []),
        (item("Mehl", weight="0,5 kg"), ["weight=500"]),
        (item("Mehl", weight="500"), []),
    ],
)
def test_a_weight_is_taken_only_where_it_is_clearly_the_products(of: CatalogItem, claims: list[str]) -> None:
    assert read(of, WEIGHT) == claims


@pytest.mark.parametrize(
    "title", ["Game ages 3-6 years", "Spiel ab 3 Jahren", "Game ages 3+", "Toy 3+ years", "Age: 3 years"]
)
def test_a_minimum_age_is_the_lower_end(title: str) -> None:
    assert read(item(title), MIN_AGE) == ["min_age=3"]


@pytest.mark.parametrize(
    "title", ["12 Stück Eier", "Eier 12er-Pack", "Eggs (Pack of 12)", "Eggs 12-Count", "12 pcs eggs", "Eggs, set of 12"]
)
def test_a_pack_is_counted_by_its_words(title: str) -> None:
    assert read(item(title), PACK) == ["pack_size=12"]


@pytest.mark.parametrize(
    ("of", "claims"),
    [
        (item("Spiel 2-6 Spieler"), ["min_players=2", "max_players=6"]),
        (item("Spiel für 2 bis 6 Spieler"), ["min_players=2", "max_players=6"]),
        (item("Spiel 2-6"), []),
    ],
)
def test_a_range_gives_the_least_and_the_most(of: CatalogItem, claims: list[str]) -> None:
    assert read(of, count("min_players", "Spieler"), count("max_players", "Spieler")) == claims


@pytest.mark.parametrize(
    ("title", "claims"), [("Hose 13 mm 20 m", ["hose_length=20", "hose_width=13"]), ("Hose 13 mm 25 mm", [])]
)
def test_the_scale_of_a_unit_tells_attributes_apart(title: str, claims: list[str]) -> None:
    assert read(item(title), quantity("hose_length", "meter"), quantity("hose_width", "millimeter")) == claims


def test_a_more_specific_attribute_takes_its_word() -> None:
    ink = COLOR.model_copy(update={"key": "ink_color", "name": "Ink color", "many": False})

    assert read(item("Pen blue ink"), COLOR, ink) == ["ink_color=blue"]


def test_a_denied_product_word_of_a_surface_is_no_material() -> None:
    assert read(item("Jacket cotton look"), MATERIAL) == []


def test_a_count_without_its_word_is_not_taken() -> None:
    assert read(item("Eier 12 Freiland"), PACK) == []
    assert read(item("Hub 7-port, 3 LEDs"), PORTS) == ["number_of_ports=7"]


@pytest.mark.parametrize(
    ("title", "claims"), [("Schuh EU 42", ["shoe_size=42"]), ("Schuh 42", []), ("Schuh Größe 42,5", ["shoe_size=42.5"])]
)
def test_a_number_stands_by_its_name(title: str, claims: list[str]) -> None:
    assert read(item(title), SHOE_SIZE) == claims


def test_a_refused_value_gives_way_to_the_next_best() -> None:
    of = item("Jacke Wolle", "Material: Baumwolle")

    first = rule_claims(of, template(MATERIAL))
    second = rule_claims(of, template(MATERIAL), frozenset({("material", first[0].normalized)}))

    assert [claim.normalized for claim in (*first, *second)] == ["cotton", "wool"]


def test_claims_are_the_same_each_time_and_their_ids_differ() -> None:
    of = item("Cola rot/weiß 6 x 330 ml", brand="Cola")
    of_all = template(BRAND, COLOR, VOLUME, PACK)

    once, again = rule_claims(of, of_all), rule_claims(of, of_all)

    assert once == again
    assert len({claim.id for claim in once}) == len(once) == 5


ALL = template(BRAND, COLOR, MATERIAL, WIRELESS, VOLUME, WEIGHT, LENGTH, PACK, PORTS, SHOE_SIZE)


@pytest.mark.parametrize(
    "pattern", ["a", "a ", "1 ", "1x", "black ", "for ", "Farbe: ", "1 kg ", "A+", "( ", "ohne ", "-", "Größe 1 ", ","]
)
def test_a_hostile_text_takes_linear_time(pattern: str) -> None:
    rule_claims(item("1 kg"), ALL)
    hostile = (pattern * 40_000)[:40_000] + "!"

    started = time.thread_time()
    rule_claims(item("x", hostile), ALL)

    assert time.thread_time() - started < 2


def test_many_different_values_take_linear_time() -> None:
    hostile = " ".join(f"Gewicht {n} kg {n}x{n} cm {n}er-Pack" for n in range(1, 1_000))

    started = time.process_time()
    rule_claims(item("x", hostile), ALL)

    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "module",
    [words, numerals, quantities, counts, vocabulary, labelled_values, passages, rules, count_rules, quantity_rules],
)
@pytest.mark.parametrize("letter", ["a", "1", " ", "A", "-"])
def test_no_pattern_backtracks_badly(module: ModuleType, letter: str) -> None:
    patterns = [value for value in vars(module).values() if isinstance(value, re.Pattern)]
    text = letter * 20_000 + "!"

    started = time.process_time()
    for pattern in patterns:
        pattern.search(text)
        pattern.match(text, 10_000)

    assert time.process_time() - started < 0.25
