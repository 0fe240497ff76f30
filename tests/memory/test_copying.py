"""Copying a whole knowledge base into an empty one."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlmodel import Session

from memory import copying
from memory.all_tables import TABLES
from memory.bulk_insert import insert_many
from memory.copying import CopyRefused, copy_knowledge
from memory.database import Database, known_revisions, open_database
from memory.ledger import record_call
from memory.store import counts, enrichment_of, save_item
from memory.versions import version_for
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE, drill
from tests.memory.test_ledger import call
from tests.memory.test_migrations import ROWS


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Database]:
    """A knowledge base in SQLite with rows in every table, and an answer that no other file could hold."""
    path = tmp_path / "full.db"
    open_database(f"sqlite:///{path}").dispose()
    with sqlite3.connect(path) as rows:
        rows.executescript((ROWS / f"{known_revisions()[-1]}.sql").read_text(encoding="utf-8"))
    with open_database(f"sqlite:///{path}") as database:
        hostile = "NUL \0 and half \ud800 of a pair ␛0000"
        database.write(lambda session: record_call(session, call(hostile, content=hostile)))
        yield database


def test_every_table_is_copied_and_equal_on_both_sides_and_back(source: Database, tmp_path: Path) -> None:
    with open_database(fresh_url()) as there, open_database(f"sqlite:///{tmp_path}/back.db") as back:
        out = copy_knowledge(source, there)
        home = copy_knowledge(there, back)

        with there.session() as session:
            known, told = enrichment_of(session, "d1"), counts(session)
    with source.session() as session:
        was = enrichment_of(session, "d1")

    assert {one.table for one in out} == set(inspect(source.engine).get_table_names()) - {"alembic_version"}
    assert min(one.rows for one in out if one.table not in {"score", "prompt_text"}) > 0
    assert out == home
    assert known == was
    assert (told.items, told.model_calls) == (2, 2)


def _last_numbers(session: Session) -> tuple[int, int]:
    query = text("SELECT (SELECT max(id) FROM model_call), (SELECT max(id) FROM version)")
    calls, versions = session.execute(query).one()
    return calls, versions


def test_what_comes_after_a_copy_is_numbered_on(source: Database) -> None:
    with open_database(fresh_url()) as there:
        copy_knowledge(source, there)
        calls, made = there.read(_last_numbers)

        there.write(lambda session: record_call(session, call()))
        there.write(lambda session: version_for(session, PROVENANCE))

        assert there.read(_last_numbers) == (calls + 1, made + 1)


def test_a_target_that_holds_something_is_refused_and_left_as_it_is(source: Database) -> None:
    with open_database(fresh_url()) as there:
        there.write(lambda session: save_item(session, drill("mine")))

        with pytest.raises(CopyRefused, match="holds something already"):
            copy_knowledge(source, there)

        assert there.read(lambda session: counts(session).items) == 1


def test_a_copy_that_is_interrupted_leaves_the_target_empty(source: Database) -> None:
    def interrupt(table: str, _: int) -> None:
        if table == "claim":
            raise KeyboardInterrupt

    with open_database(fresh_url()) as there:
        with pytest.raises(KeyboardInterrupt):
            copy_knowledge(source, there, interrupt)

        assert there.read(lambda session: counts(session).items) == 0
        copy_knowledge(source, there)


def test_a_row_that_arrives_otherwise_is_found_and_nothing_is_stored(
    source: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(session: object, table: object, rows: object) -> int:
        changed = ((row | {"title": "!"} if "title" in row else row) for row in rows)  # type: ignore[attr-defined]
        return honest(session, table, changed)  # type: ignore[arg-type]

    honest = insert_many
    monkeypatch.setattr(copying, "insert_many", careless)

    with open_database(fresh_url()) as there:
        with pytest.raises(CopyRefused, match=r"(item|trace) in .* is not what was copied"):
            copy_knowledge(source, there)

        assert there.read(lambda session: counts(session).items) == 0


def test_the_tables_that_are_copied_are_all_tables() -> None:
    with open_database("sqlite://") as database:
        assert set(inspect(database.engine).get_table_names()) == {*TABLES.tables, "alembic_version"}
