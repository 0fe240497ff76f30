"""Findings of several producers become one list."""

from agents.extraction.merging import merged
from memory.schema import Producer
from tests.agents.extraction.bottles import TEMPLATE, bottle, claimed

ITEM = bottle("Acme Star bottle 500 ml red blue")


def told(*said: tuple[str, str, Producer]) -> list[tuple[str, str, tuple[str, ...], bool]]:
    claims = merged((claimed(ITEM, *one) for one in said), TEMPLATE)
    return [(claim.value, claim.producer, claim.seconded_by, claim.disputed) for claim in claims]


def test_a_value_that_several_find_is_one_claim_with_its_seconds() -> None:
    said = told(("brand", "Acme", "rule"), ("brand", "Acme", "student"), ("brand", "Acme", "student"))

    assert said == [("Acme", "rule", ("student",), False)]


def test_who_seconded_a_claim_seconds_the_one_that_it_becomes_part_of() -> None:
    student = claimed(ITEM, "brand", "Acme", "student")
    found = merged([claimed(ITEM, "brand", "Acme", "lookup"), student], TEMPLATE)

    (claim,) = merged([claimed(ITEM, "brand", "Acme", "model"), *found], TEMPLATE)

    assert (claim.producer, claim.seconded_by) == ("model", ("lookup", "student"))


def test_different_values_of_an_attribute_of_one_value_are_disputed() -> None:
    said = told(("brand", "Acme", "lookup"), ("brand", "Acme Star", "student"))

    assert said == [("Acme", "lookup", (), True), ("Acme Star", "student", (), True)]


def test_an_attribute_of_many_values_is_never_disputed() -> None:
    assert not any(disputed for *_, disputed in told(("color", "red", "rule"), ("color", "blue", "student")))


def test_a_value_that_was_refused_is_not_claimed_again_unless_a_rule_reads_it() -> None:
    refused = frozenset({("brand", "Acme")})

    by_student = merged([claimed(ITEM, "brand", "Acme", "student")], TEMPLATE, refused)
    by_rule = merged([claimed(ITEM, "brand", "Acme", "rule")], TEMPLATE, refused)

    assert (len(by_student), len(by_rule)) == (0, 1)
