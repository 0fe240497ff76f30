"""A glance is one query on a connection that stays open, and sees what is committed by then."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from memory.database import Database, open_database
from memory.store import save_item
from tests.databases import fresh_url, kept_at
from tests.memory.knowledge_samples import drill

COUNT = text("SELECT count(*) FROM item")


def seen(database: Database) -> int:
    with database.glance() as connection:
        return int(connection.execute(COUNT).scalar_one())


def used(database: Database) -> Connection:
    with database.glance() as connection:
        return connection


def test_each_glance_sees_what_was_committed_before_it_and_nothing_else(tmp_path: Path) -> None:
    with open_database(kept_at(tmp_path / "k.db")) as database:
        before = seen(database)
        with database.writing() as session:
            save_item(session, drill())
            during = seen(database)

        assert (before, during, seen(database)) == (0, 0, 1)


def test_glances_share_one_connection_until_the_knowledge_base_is_closed(tmp_path: Path) -> None:
    with open_database(kept_at(tmp_path / "k.db")) as database:
        first = used(database)
        assert used(database) is first

    assert first.closed


@pytest.mark.sqlite
def test_glances_do_not_keep_the_log_from_being_written_back(tmp_path: Path) -> None:
    with open_database(kept_at(tmp_path / "k.db")) as database:
        seen(database)
        with database.writing() as session:
            save_item(session, drill())
        seen(database)

        with database.glance() as connection:
            busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()

    assert busy == 0


def test_a_glance_into_memory_leaves_later_writes_whole() -> None:
    with open_database(fresh_url()) as database:
        seen(database)
        with database.writing() as session:
            save_item(session, drill())

        assert seen(database) == 1
