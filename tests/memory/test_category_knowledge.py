"""How well categories are known: counted once an item, as the version that is read has it."""

from memory.category_knowledge import known_attributes, known_categories
from memory.database import Database, open_database
from memory.store import save_enrichment
from memory.versions import use, version_for
from tests.databases import fresh_url
from tests.memory.knowledge_samples import DRILLS, PROVENANCE, drill, enriched, known, quoted


def shop() -> Database:
    """Return a knowledge base of two drills, one of which an older version knows too."""
    database = open_database(fresh_url())
    first, second = drill("d1"), drill("d2", "Bosch drill 12 V")
    with database.writing() as session:
        older, newer = (version_for(session, PROVENANCE.model_copy(update={"model": name})) for name in "ab")
        save_enrichment(session, older, first, enriched(first))
        claims = [quoted(first, "c1", "brand", "Acme"), quoted(first, "c2", "color", "red")]
        save_enrichment(session, newer, first, enriched(first, claims, rejected=[known("voltage", "18")]))
        save_enrichment(session, newer, second, enriched(second))
        use(session, newer)
    return database


def test_categories_are_counted_by_what_is_read() -> None:
    with shop().session() as session:
        (found,) = known_categories(session)

    assert (found.category_id, found.path, found.items) == ("drills", DRILLS, 2)


def test_an_attribute_is_covered_by_the_items_that_have_an_accepted_value() -> None:
    with shop().session() as session:
        found = {one.attribute: one for one in known_attributes(session, "drills")}

    assert {name: one.items for name, one in found.items()} == {"brand": 2, "color": 1, "voltage": 0}
    assert (found["voltage"].accepted, found["voltage"].rejected) == (0, 1)
    assert found["brand"].confidence == (0, 0, 0, 0, 0, 0, 0, 0, 0, 2)


def test_another_category_has_none() -> None:
    with shop().session() as session:
        assert known_attributes(session, "kettles") == []
        assert len(known_attributes(session, None)) == 3
