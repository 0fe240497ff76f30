"""Approved values are what accepted text claims say, counted once an item."""

from collections.abc import Iterator

import pytest
from sqlmodel import Session

from memory.approved_values import approved_values
from memory.database import open_database
from memory.store import save_enrichment
from memory.versions import use, version_for
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched, known, quoted


@pytest.fixture
def session() -> Iterator[Session]:
    with open_database(fresh_url()) as database, database.writing() as session:
        yield session


def test_values_are_counted_as_the_text_writes_them_by_category_and_attribute(session: Session) -> None:
    version = version_for(session, PROVENANCE)
    for item_id, title in (("a", "Acme drill Red"), ("b", "Acme drill Red"), ("c", "Bolt drill red")):
        item = drill(item_id, title=title)
        claims = [quoted(item, "1", "brand", title.split()[0]), quoted(item, "2", "color", title.split()[-1])]
        save_enrichment(session, version, item, enriched(item, claims))

    found = approved_values(session)

    assert found == {("drills", "brand"): {"Acme": 2, "Bolt": 1}, ("drills", "color"): {"Red": 2, "red": 1}}
    assert list(found["drills", "color"]) == ["Red", "red"]


def test_an_item_that_says_a_value_twice_counts_once(session: Session) -> None:
    item = drill("a", title="Acme drill red")
    twice = [quoted(item, "1", "color", "red"), quoted(item, "2", "color", "red")]

    save_enrichment(session, version_for(session, PROVENANCE), item, enriched(item, twice))

    assert approved_values(session) == {("drills", "color"): {"red": 1}}


def test_refused_claims_and_world_knowledge_are_no_approved_values(session: Session) -> None:
    item = drill("a", title="Acme drill red")
    refused = quoted(item, "2", "color", "red")

    save_enrichment(
        session,
        version_for(session, PROVENANCE),
        item,
        enriched(item, [known("material", "steel")], rejected=[refused]),
    )

    assert approved_values(session) == {}


def test_another_version_has_its_own_and_what_it_inherits(session: Session) -> None:
    first = version_for(session, PROVENANCE)
    for item_id in ("a", "b"):
        item = drill(item_id, title="Acme drill")
        save_enrichment(session, first, item, enriched(item))
    second = version_for(session, PROVENANCE.model_copy(update={"model": "other"}))
    item = drill("b", title="Acme drill")
    save_enrichment(session, second, item, enriched(item, [quoted(item, "1", "brand", "Acme drill")]))

    before, after = approved_values(session), approved_values(session, second)
    use(session, second)

    assert before == {("drills", "brand"): {"Acme": 2}}
    assert after == {("drills", "brand"): {"Acme": 1, "Acme drill": 1}}
    assert approved_values(session) == after


def test_before_the_first_run_nothing_is_approved(session: Session) -> None:
    assert approved_values(session) == {}
