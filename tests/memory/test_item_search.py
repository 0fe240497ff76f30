"""The index of items: what is found, and that it follows what is stored."""

from pathlib import Path

import pytest

from memory.database import Database, open_database
from memory.item_search import ItemSearch
from memory.items import save_items
from memory.schema import CatalogItem
from tests.databases import kept_at


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(kept_at(tmp_path / "items.db"))


@pytest.fixture
def search(database: Database, tmp_path: Path) -> ItemSearch:
    stored(database, A1="Acme steel kettle 1.7 l red", A2="Café grinder, rot", B1="Plain T-shirt red")
    return ItemSearch(database, tmp_path / "cache")


def stored(database: Database, **titles: str) -> None:
    with database.writing() as session:
        save_items(session, [CatalogItem(id=item_id, title=title) for item_id, title in titles.items()])


def ids(search: ItemSearch, text: str, *, limit: int = 10, after: int = 0) -> list[str]:
    return [found.id for found in search.find(text, limit, after)]


def test_words_are_found_by_their_first_letters_in_any_order(search: ItemSearch) -> None:
    assert ids(search, "red ket") == ["A1"]


def test_case_and_accents_do_not_matter(search: ItemSearch) -> None:
    assert ids(search, "CAFE") == ["A2"]


def test_an_id_is_found_by_its_beginning_before_words_are(search: ItemSearch, database: Database) -> None:
    stored(database, Z9="B1 battery")
    search.refresh(now=True)

    assert ids(search, "B1") == ["B1", "Z9"]


def test_without_words_all_items_come_by_id(search: ItemSearch) -> None:
    assert ids(search, " ") == ["A1", "A2", "B1"]


def test_pages_follow_each_other(search: ItemSearch) -> None:
    assert ids(search, "", limit=2) + ids(search, "", limit=2, after=2) == ["A1", "A2", "B1"]


@pytest.mark.parametrize("text", ['"', "NEAR(", "title:red OR", "*", "-", "'; DROP TABLE known", "\x00", "red NOT"])
def test_what_is_typed_is_never_a_query(search: ItemSearch, text: str) -> None:
    found = ids(search, text)

    assert set(found) <= {"A1", "A2", "B1"}
    assert ids(search, "kettle") == ["A1"]


def test_what_is_stored_later_is_found_after_a_look(search: ItemSearch, database: Database) -> None:
    assert ids(search, "teapot") == []
    stored(database, C1="Blue teapot", A1="Acme steel pan")
    search.refresh(now=True)

    assert ids(search, "teapot") == ["C1"]
    assert ids(search, "kettle") == []
    assert ids(search, "pan") == ["A1"]


def test_another_search_of_the_same_knowledge_base_uses_what_is_there(database: Database, tmp_path: Path) -> None:
    stored(database, A1="Acme kettle")
    first = ItemSearch(database, tmp_path / "cache")
    first.refresh()

    second = ItemSearch(database, tmp_path / "cache")

    assert ids(second, "kettle") == ["A1"]
    assert len(list((tmp_path / "cache").glob("items-*.db"))) == 1
