"""Allowed words found in texts."""

import pytest

from agents.reading.vocabulary import Hit, find_values, stems_of, vocabulary, whole_value
from agents.values.words import Language, language, words
from memory.category import AllowedValue, AttributeSpec, AttributeType


def spec(kind: str = "enum", **values: list[str]) -> AttributeSpec:
    allowed = tuple(AllowedValue(value=value.replace("_", " "), aliases=tuple(also)) for value, also in values.items())
    return AttributeSpec(key="thing", name="Thing", type=AttributeType(kind), values=allowed)


COLOR = spec(black=["schwarz"], gold=[], rose_gold=["roségold"], red=["rot"], blue=["navy blue"], sand=[])
SIZE = spec(S=[], M=[], L=[], XL=[])
VEGAN = spec("boolean", yes=["vegan"], no=["contains milk"])


def values(text: str, of: AttributeSpec, spoken: Language | None = None) -> list[str]:
    return [hit.value for hit in find_values(text, words(text), of, spoken) if not hit.negated]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ring Rose Gold", ["rose gold"]),
        ("navy-blue jacket", ["blue"]),
        ("goldfish", []),
        ("Roségold / SCHWARZ", ["rose gold", "black"]),
        ("eine rote Jacke", ["red"]),
    ],
)
def test_whole_words_are_found_the_longest_first(text: str, found: list[str]) -> None:
    assert values(text, COLOR) == found


def test_german_endings_are_forgiven_where_german_is_spoken() -> None:
    assert values("schwarzer Koffer", COLOR, "de") == ["black"]
    assert values("belt sander", COLOR, "en") == []


@pytest.mark.parametrize("text", ["men's shirt", "5 L canister", "Model S", "L-shaped", "s"])
def test_a_lone_letter_is_no_size(text: str) -> None:
    assert values(text, SIZE) == []


@pytest.mark.parametrize(("text", "size"), [("Shirt (M)", "M"), ("Shirt, L", "L"), ("Shirt XL blue", "XL")])
def test_a_letter_set_apart_is_a_size(text: str, size: str) -> None:
    assert values(text, SIZE) == [size]


@pytest.mark.parametrize("text", ["without black", "ohne schwarz", "no real black", "black-free", "kein Schwarz"])
def test_a_denied_word_is_marked(text: str) -> None:
    (hit,) = find_values(text, words(text), COLOR, None)

    assert hit.negated


def test_a_denial_ends_with_its_clause() -> None:
    assert values("ohne Deckel, schwarz", COLOR) == ["black"]


def test_a_denied_yes_is_a_no_and_its_span_holds_the_denial() -> None:
    text = "nicht vegan"

    assert find_values(text, words(text), VEGAN, "de") == [Hit(0, len(text), "no", negated=True)]


@pytest.mark.parametrize(
    ("text", "value"), [("Schwarze", "black"), ("NAVY  BLUE", "blue"), ("black cat", None), ("", None)]
)
def test_a_whole_text_means_a_value_or_none(text: str, value: str | None) -> None:
    assert whole_value(text, words(text), COLOR) == value


@pytest.mark.parametrize(
    ("text", "spoken"), [("Kaffee mit Milch und Zucker", "de"), ("coffee with milk", "en"), ("Sony WH-1000XM5", None)]
)
def test_a_text_tells_its_language_by_its_small_words(text: str, spoken: str | None) -> None:
    assert language(text) == spoken


@pytest.mark.parametrize("text", ["Roségold", "schwarzer Koffer", "eine rote Jacke", "navy-blue jacket"])
def test_the_stems_of_a_text_meet_the_vocabulary_wherever_a_value_is_found(text: str) -> None:
    assert values(text, COLOR, "de") != []
    assert not stems_of(words(text)).isdisjoint(vocabulary(COLOR).entries)


def test_the_stems_of_a_text_without_a_value_do_not_meet_the_vocabulary() -> None:
    assert stems_of(words("goldfish in a bowl")).isdisjoint(vocabulary(COLOR).entries)
