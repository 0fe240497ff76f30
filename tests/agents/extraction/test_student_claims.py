"""The student's findings become claims in the taxonomy's words."""

from functools import lru_cache

from agents.extraction.student_claims import StudentReader
from agents.student.training import train_student
from memory.category import AttributeSpec, AttributeType, CategoryTemplate
from tests.agents.extraction.bottles import bottle
from tests.agents.student.made_up_titles import ENCODER, made_up_titles


@lru_cache(maxsize=1)
def reader() -> StudentReader:
    return StudentReader(train_student(made_up_titles(60, seed=0), ENCODER), ENCODER)


def template(name: str, *keys: str) -> CategoryTemplate:
    specs = tuple(AttributeSpec(key=key, name=key.title(), type=AttributeType.TEXT) for key in keys)
    return CategoryTemplate(category_id="k.x", path=("Kitchen", name), taxonomy_version="t", attributes=specs)


def test_what_the_student_finds_is_claimed_with_its_place() -> None:
    reading = reader().read(bottle("Acme mug 350 ml, green"), template("Mug", "brand", "colour"))

    told = {claim.name: (claim.value, claim.producer) for claim in reading.claims}
    assert told == {"brand": ("Acme", "student"), "colour": ("green", "student")}
    assert all(claim.evidence and claim.evidence.quote == claim.value for claim in reading.claims)


def test_it_says_how_likely_the_title_states_an_attribute_that_it_does_not_claim() -> None:
    reading = reader().read(bottle("Acme mug 350 ml"), template("Mug", "brand", "colour"))

    stated = dict(reading.stated)
    assert "colour" not in {claim.name for claim in reading.claims}
    assert stated["colour"] < 0.5 < stated["brand"]


def test_a_category_or_an_attribute_that_it_never_saw_is_left_to_others() -> None:
    unknown = reader().read(bottle("Acme mug 350 ml"), template("Sofa", "brand"))
    partly = reader().read(bottle("Acme mug 350 ml"), template("Mug", "brand", "roast"))

    assert (unknown.claims, unknown.stated) == ((), ())
    assert [name for name, _ in partly.stated] == ["brand"]


def test_a_title_without_words_gives_nothing() -> None:
    assert reader().read(bottle("…"), template("Mug", "brand")).claims == ()
