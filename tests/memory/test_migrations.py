"""Stored knowledge bases follow the tables, from every revision, and through a kill at any statement."""

import multiprocessing
import os
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event

from memory import database_revision
from memory.database import known_revisions, open_database
from memory.item_vectors.parts import Part
from memory.item_vectors.vectors import ItemVectors
from memory.migrations import upgrade as migrations
from memory.reviews import all_rulings
from memory.store import counts, enrichment_of, failures, save_enrichment
from memory.tables import TABLES
from memory.versions import version_for, versions
from memory.work import claim
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched

pytestmark = pytest.mark.sqlite

ROWS = Path(__file__).parent / "revisions"  # one SQL file a revision: what a knowledge base of that time holds

ADDS_A_COLUMN_BY_REBUILDING = """
import sqlalchemy as sa
from alembic import op

revision = "9999_next"
down_revision = "{head}"


def upgrade() -> None:
    op.create_table("later", sa.Column("id", sa.Integer(), primary_key=True))
    with op.batch_alter_table("item", recreate="always") as item:
        item.add_column(sa.Column("colour", sa.String(), server_default="red", nullable=False))
"""


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def fetch(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def create_at(path: Path, revision: str) -> None:
    """Create a knowledge base as the code of `revision` did, with rows in every table."""
    engine = create_engine(url_of(path))
    with engine.begin() as connection:
        migrations.upgrade(connection, revision)
    engine.dispose()
    with sqlite3.connect(path) as rows:
        rows.executescript((ROWS / f"{revision}.sql").read_text(encoding="utf-8"))


def copied(path: Path, name: str) -> Path:
    return Path(shutil.copy(path, path.with_name(name)))


def open_killed_at(path: Path, statement_number: int) -> int:
    """Open the knowledge base in a child that kills itself at a statement; return the child's exit code."""

    def child() -> None:
        seen = 0

        def count(*_: object) -> None:
            nonlocal seen
            seen += 1
            if seen == statement_number:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(Engine, "after_cursor_execute", count)
        open_database(url_of(path)).dispose()

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    return process.exitcode or 0


@pytest.fixture
def next_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the code know one more revision, which rebuilds the item table."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.FOLDER, folder)
    script = ADDS_A_COLUMN_BY_REBUILDING.format(head=known_revisions()[-1])
    (folder / "versions" / "9999_next.py").write_text(script)
    monkeypatch.setattr(migrations, "FOLDER", folder)
    monkeypatch.setattr(database_revision, "REVISIONS", folder / "versions")


def test_the_file_names_are_the_chain_of_revisions() -> None:
    script = ScriptDirectory.from_config(migrations.alembic_config())

    chain = [revision.revision for revision in script.walk_revisions()]

    assert chain[::-1] == known_revisions()


def test_the_newest_revision_is_the_tables(tmp_path: Path) -> None:
    open_database(url_of(tmp_path / "new.db")).dispose()
    engine = create_engine(url_of(tmp_path / "new.db"))

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        differences = compare_metadata(context, TABLES)

    engine.dispose()
    assert differences == []


def test_a_decision_of_its_first_revision_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    create_at(path, "0006_reviews")

    with open_database(url_of(path)) as opened, opened.session() as session:
        [ruling] = all_rulings(session)["d1"]

    assert (ruling.reviewer, ruling.judged and ruling.judged.value, ruling.right and ruling.right.value) == (
        "Ann",
        "blue",
        "red",
    )
    assert [claim.right for claim in ruling.claims] == [False]


@pytest.mark.parametrize("revision", known_revisions())
def test_a_knowledge_base_of_any_revision_opens_with_all_it_knew(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "old.db"
    create_at(path, revision)

    with open_database(url_of(path)) as opened, opened.session() as session:
        known = enrichment_of(session, "d1")
        told = counts(session)

    assert known is not None
    assert [(claim.name, claim.normalized) for claim in known.enrichment.accepted] == [("brand", "acme")]
    assert (told.items, told.enriched, told.failed, told.rejected, told.model_calls) == (2, 1, 1, 1, 1)
    assert fetch(path, "PRAGMA integrity_check") == [("ok",)]
    assert fetch(path, "SELECT version_num FROM alembic_version") == [(known_revisions()[-1],)]


def test_what_was_known_before_there_were_versions_is_the_first_of_them(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    create_at(path, "0001_first_tables")

    with open_database(url_of(path)) as opened, opened.writing() as session:
        known = enrichment_of(session, "d1")
        assert known is not None
        same = version_for(session, known.enrichment.provenance)
        told = failures(session)
        claims = claim(session, same, [known.item, drill("d2", title="Hand drill")], "a", 0.0, 60.0)

    assert (same, [failure.reason for failure in told]) == (1, ["timeout"])
    assert ([item.id for item in claims.done], [item.id for item in claims.failed]) == (["d1"], ["d2"])


def test_results_of_several_configurations_from_before_there_were_versions_are_nobodys(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    create_at(path, "0001_first_tables")
    with sqlite3.connect(path) as rows:
        columns = [
            row[1] for row in rows.execute("PRAGMA table_info(enrichment)") if row[1] not in {"item_id", "model"}
        ]
        names = ", ".join(columns)
        rows.execute(f"INSERT INTO enrichment (item_id, model, {names}) SELECT 'd2', 'other', {names} FROM enrichment")

    with open_database(url_of(path)) as opened, opened.writing() as session:
        [mixed] = versions(session)
        known = enrichment_of(session, "d1")
        assert known is not None
        made = version_for(session, known.enrichment.provenance)

    assert (mixed.provenance, mixed.current, mixed.results, made) == (None, True, 2, 2)


def test_vectors_of_their_first_revision_are_read(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    create_at(path, "0010_item_vectors")

    with open_database(url_of(path)) as opened, opened.session() as session:
        vectors = ItemVectors.load(session)

    assert (vectors.ids, vectors.encoder, vectors.parts) == (("d1",), "minilm", (Part.TITLE, Part.ATTRIBUTES))
    assert vectors.vectors.tolist() == [[1.0, 0.0]]


def test_a_knowledge_base_without_results_gets_no_version(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    create_at(path, "0001_first_tables")
    with sqlite3.connect(path) as rows:
        rows.executescript("DELETE FROM item_failure; DELETE FROM verdict; DELETE FROM evidence; DELETE FROM claim;")
        rows.execute("DELETE FROM enrichment")

    with open_database(url_of(path)) as opened, opened.session() as session:
        assert versions(session) == []
        assert counts(session).items == 2


def test_a_kill_while_the_tables_are_made_leaves_a_file_that_opens(tmp_path: Path) -> None:
    kills = 0
    while open_killed_at(path := tmp_path / f"{kills}.db", 3 * kills + 1) == -signal.SIGKILL:
        kills += 1
        tables = fetch(path, "SELECT name FROM sqlite_master WHERE type = 'table'")

        open_database(url_of(path)).dispose()

        assert len(tables) in {0, len(TABLES.tables) + 1}  # nothing, or all and Alembic's own
        assert fetch(path, "PRAGMA integrity_check") == [("ok",)]

    assert 3 * kills > len(TABLES.tables)


@pytest.mark.usefixtures("next_revision")
def test_rebuilding_a_table_keeps_the_rows_that_hang_on_it(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    create_at(path, known_revisions()[-2])

    open_database(url_of(path)).dispose()

    assert fetch(path, "SELECT id, colour FROM item ORDER BY id") == [("d1", "red"), ("d2", "red")]
    assert fetch(path, "SELECT count(*) FROM verdict") == [(1,)]
    assert fetch(path, "PRAGMA foreign_key_check") == []


@pytest.mark.usefixtures("next_revision")
def test_a_kill_at_any_statement_of_a_later_migration_keeps_the_old_state_or_the_new_one(tmp_path: Path) -> None:
    create_at(tmp_path / "old.db", known_revisions()[-2])
    kills = 0
    while open_killed_at(path := copied(tmp_path / "old.db", f"{kills}.db"), kills + 1) == -signal.SIGKILL:
        kills += 1

        open_database(url_of(path)).dispose()

        assert fetch(path, "SELECT id, colour FROM item ORDER BY id") == [("d1", "red"), ("d2", "red")]
        assert fetch(path, "SELECT count(*) FROM verdict") == [(1,)]
        assert fetch(path, "PRAGMA integrity_check") == [("ok",)]

    assert kills > 5


def test_a_kill_while_results_move_into_versions_keeps_the_old_state_or_the_new_one(tmp_path: Path) -> None:
    create_at(tmp_path / "old.db", "0001_first_tables")
    kills = 0
    while open_killed_at(path := copied(tmp_path / "old.db", f"{kills}.db"), 7 * kills + 1) == -signal.SIGKILL:
        kills += 1

        with open_database(url_of(path)) as opened, opened.session() as session:
            assert (counts(session).enriched, counts(session).failed, counts(session).accepted_claims) == (1, 1, 1)
        assert fetch(path, "PRAGMA integrity_check") == [("ok",)]

    assert kills > 5


def test_foreign_keys_are_enforced_again_after_a_migration() -> None:
    with open_database("sqlite://") as opened, opened.writing() as session:
        version_for(session, PROVENANCE)
        save_enrichment(session, 1, drill(), enriched(drill()))

        session.connection().exec_driver_sql("DELETE FROM item")

        assert counts(session).accepted_claims == 0
