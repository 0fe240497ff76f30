"""What could not be mapped is found again: counted, with examples, and nothing of it is lost."""

from collections.abc import Iterator, Sequence

import pytest
from sqlmodel import Session

from memory.database import open_database
from memory.schema import CatalogItem, Claim, Decision, Enrichment, Reason
from memory.store import enrichments, save_enrichment
from memory.unmapped_values import Example, unmapped_values
from memory.value_coverage import value_coverage
from memory.versions import version_for
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched, quoted


@pytest.fixture
def session() -> Iterator[Session]:
    with open_database(fresh_url()) as database, database.writing() as session:
        yield session


def refused(item: CatalogItem, claims: Sequence[Claim], reason: Reason, accepted: Sequence[Claim] = ()) -> Enrichment:
    made = enriched(item, accepted, rejected=claims)
    verdicts = [
        verdict if verdict.decision is Decision.ACCEPT else verdict.model_copy(update={"reason": reason})
        for verdict in made.verdicts
    ]
    return made.model_copy(update={"verdicts": tuple(verdicts)})


def learn(session: Session, item_id: str, color: str, reason: Reason = Reason.NOT_IN_VOCABULARY) -> None:
    item = drill(item_id, title=f"Acme drill {color}")
    version = version_for(session, PROVENANCE)
    brand = quoted(item, "1", "brand", "Acme")
    save_enrichment(session, version, item, refused(item, [quoted(item, "2", "color", color)], reason, [brand]))


def test_spellings_of_one_value_are_counted_together_with_examples(session: Session) -> None:
    for item_id, color in (("a", "Galaxy"), ("b", "galaxy"), ("c", "Galaxy"), ("d", "Lava")):
        learn(session, item_id, color)

    galaxy, lava = unmapped_values(session)

    assert (galaxy.attribute, galaxy.value, galaxy.spellings) == ("color", "Galaxy", ("Galaxy", "galaxy"))
    assert (galaxy.claims, galaxy.items, galaxy.categories) == (3, 3, {"drills": 3})
    assert galaxy.examples[0] == Example(item_id="a", field="title", quote="Galaxy")
    assert galaxy.waiting == {"a", "b", "c"}
    assert (lava.value, lava.items) == ("Lava", 1)


def test_a_value_refused_for_two_reasons_is_two_entries(session: Session) -> None:
    learn(session, "a", "Galaxy")
    learn(session, "b", "Galaxy", Reason.WRONG_TYPE)

    assert {value.reason for value in unmapped_values(session)} == {Reason.NOT_IN_VOCABULARY, Reason.WRONG_TYPE}


def test_what_was_refused_for_other_reasons_or_accepted_is_not_unmapped(session: Session) -> None:
    learn(session, "a", "Galaxy", Reason.UNSUPPORTED)

    assert unmapped_values(session) == []


def test_an_item_with_an_accepted_value_of_the_attribute_waits_for_none(session: Session) -> None:
    item = drill("a", title="Acme drill red Galaxy")
    claims = [quoted(item, "2", "color", "Galaxy")]
    accepted = [quoted(item, "1", "color", "red")]
    save_enrichment(
        session, version_for(session, PROVENANCE), item, refused(item, claims, Reason.NOT_IN_VOCABULARY, accepted)
    )

    (value,) = unmapped_values(session)

    assert value.items == 1
    assert value.waiting == set()


def test_they_are_narrowed_by_category_and_attribute(session: Session) -> None:
    learn(session, "a", "Galaxy")

    assert unmapped_values(session, category="drills", attribute="color")
    assert not unmapped_values(session, category="saws")
    assert not unmapped_values(session, attribute="brand")


def test_reading_them_loses_nothing(session: Session) -> None:
    learn(session, "a", "Galaxy")
    before = list(enrichments(session))

    unmapped_values(session)

    assert list(enrichments(session)) == before


def test_coverage_counts_the_items_of_a_category_and_those_with_a_value(session: Session) -> None:
    learn(session, "a", "Galaxy")
    learn(session, "b", "Lava")

    coverage = value_coverage(session)

    assert coverage.items == {"drills": 2}
    assert coverage.covered == {("drills", "brand"): 2}
