"""A probe says what a whole query would find, and leaves errors to it."""

from pathlib import Path

from sqlalchemy import bindparam, select

from memory.database import open_database
from memory.probe import Probe
from memory.store import save_item
from memory.tables import TABLES
from tests.databases import fresh_url, kept_at
from tests.memory.knowledge_samples import drill

ITEM = TABLES.tables["item"]
OF_ID = select(ITEM.c.id).where(ITEM.c.id == bindparam("id"))


def test_a_probe_finds_what_another_connection_has_committed_since(tmp_path: Path) -> None:
    url = kept_at(tmp_path / "k.db")
    with open_database(url) as database, open_database(url) as other:
        probe = Probe(database, OF_ID, "id")
        before = probe.finds("d1")
        with other.writing() as session:
            save_item(session, drill())

        after = probe.finds("d1"), probe.finds("d2")

    assert (before, after) == (False, (True, False))


def test_a_probe_that_fails_says_yes_so_that_the_whole_query_is_asked() -> None:
    with open_database(fresh_url()) as database:
        probe = Probe(database, OF_ID, "id")
        with database.writing() as session:
            session.connection().exec_driver_sql("ALTER TABLE item RENAME TO gone")

        assert probe.finds("d1")
