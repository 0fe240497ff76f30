"""Where attributes are unknown although they are asked for."""

from collections.abc import Iterator

import pytest
from sqlmodel import Session

from memory.database import open_database
from memory.item_vectors.knowledge_gaps import ItemGap, knowledge_gaps
from memory.store import save_item
from tests.databases import fresh_url
from tests.memory.item_vectors.item_samples import stocked
from tests.memory.knowledge_samples import drill

CATEGORY = "Tools > Power Tools > Drills"


@pytest.fixture
def session() -> Iterator[Session]:
    """The red drill as d1, of which all but the weight is known; d2, of which nothing is; d3, never enriched."""
    with open_database(fresh_url()) as database, database.writing() as session:
        stocked(session)
        save_item(session, drill("d3"))
        yield session


def test_an_item_lacks_what_its_category_asks_for_and_nothing_is_accepted_of(session: Session) -> None:
    gaps = knowledge_gaps(session, ["voltage", "weight", "nowhere"])

    assert gaps.items == [
        ItemGap("d1", CATEGORY, ("weight",)),
        ItemGap("d2", CATEGORY, ("voltage", "weight")),
        ItemGap("d3", "", ("voltage", "weight", "nowhere")),
    ]


def test_what_was_found_is_counted_where_it_was_asked_for(session: Session) -> None:
    gaps = knowledge_gaps(session, ["voltage", "weight", "nowhere"])

    assert (gaps.version, gaps.enriched) == (1, 2)
    assert gaps.asked == {("voltage", CATEGORY): 2, ("weight", CATEGORY): 2}
    assert gaps.found == {("voltage", CATEGORY): 1}
    assert gaps.known == {"voltage": 1}
    assert gaps.others == {"brand", "color"}


def test_the_category_itself_is_known_of_what_was_enriched_and_may_be_found_of_the_rest(session: Session) -> None:
    gaps = knowledge_gaps(session, ["category", "category/1"])

    assert gaps.items == [ItemGap("d3", "", ("category", "category/1"))]
    assert gaps.known == {"category": 2, "category/1": 2}


def test_an_empty_knowledge_base_has_no_gaps() -> None:
    with open_database(fresh_url()) as database, database.session() as session:
        gaps = knowledge_gaps(session, ["voltage"])

    assert (gaps.version, gaps.enriched, gaps.items) == (0, 0, [])
