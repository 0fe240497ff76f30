"""A knowledge base in PostgreSQL: opening it, what it is like, and what can be wrong with it."""

import multiprocessing
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import InternalError

from memory import database_errors
from memory.all_tables import TABLES
from memory.database import (
    DatabaseBusy,
    DatabaseMissing,
    DatabaseUnreadable,
    open_database,
    open_existing_database,
)
from memory.reviews import all_rulings, save_ruling
from memory.rulings import HumanRuling, RulingDecision, StatedValue
from memory.schema import SourceField, UngroundedProposal
from memory.store import counts, enrichment_of, item_of, save_enrichment, save_item
from memory.versions import version_for
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched
from tests.postgres_server import PostgresServer

pytestmark = pytest.mark.postgres


def test_the_newest_revision_is_the_tables(postgres: PostgresServer) -> None:
    with open_database(fresh_url()) as database, database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        differences = compare_metadata(context, TABLES)

    lengthened = {("model_call", "id"), ("batch_question", "since")}
    assert [one for one in differences if not (isinstance(one, list) and one[0][2:4] in lengthened)] == []


def test_texts_are_in_the_order_of_their_bytes_and_json_can_be_asked(postgres: PostgresServer) -> None:
    url = fresh_url()
    query = (
        "SELECT table_name, column_name, data_type, collation_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
        " AND (data_type = 'json'"
        " OR collation_name IS DISTINCT FROM 'C' AND data_type IN ('text', 'character varying'))"
    )

    assert postgres.execute(query, url.rpartition("/")[2]) == []


def test_ids_come_in_the_same_order_as_from_sqlite(postgres: PostgresServer) -> None:
    ids = ["a", "B", "ä", "Z", "_", "10", "9", "é", "\U0001f600", "\uffe5"]
    orders = []
    for url in (fresh_url(), "sqlite://"):
        with open_database(url) as database, database.writing() as session:
            for item_id in ids:
                save_item(session, drill(item_id))
            orders.append(session.execute(text("SELECT id FROM item ORDER BY id")).scalars().all())

    assert orders[0] == orders[1]


def test_no_text_loses_a_row(postgres: PostgresServer) -> None:
    hostile = "NUL \0, ␛0000, 'quoted'"
    item = drill().model_copy(update={"fields": (SourceField(name=hostile, text=hostile),)})
    item = type(item)(**item.model_dump(exclude={"content_hash"}) | {"fields": item.fields})
    proposal = UngroundedProposal(name=hostile, value=hostile, quote=hostile, round=0)
    enrichment = enriched(item).model_copy(update={"ungrounded": (proposal,), "summary": hostile})
    stated = StatedValue(value=hostile, normalized=hostile)

    with open_database(fresh_url()) as database, database.writing() as session:
        save_enrichment(session, version_for(session, PROVENANCE), item, enrichment)
        ruling = save_ruling(
            session,
            HumanRuling(
                item_id="d1", content_hash=item.content_hash, category_id="c", attribute=hostile, many=False,
                decision=RulingDecision.ACCEPT, judged=stated, right=stated, note=hostile,
            ),
        )  # fmt: skip

        known = enrichment_of(session, "d1")
        assert known is not None
        assert known.enrichment.ungrounded == (proposal,)
        assert known.enrichment.summary == hostile
        assert known.item.fields == item.fields
        assert all_rulings(session)["d1"] == (ruling,)


def test_a_session_for_reading_sees_one_view_and_cannot_write(postgres: PostgresServer) -> None:
    with open_database(fresh_url()) as database:
        with database.session() as reader:
            before = counts(reader).items
            with database.writing() as session:
                save_item(session, drill())
            during = counts(reader).items
        with database.session() as later:
            after = counts(later).items

        with pytest.raises((InternalError, DatabaseUnreadable), match="read-only"), database.session() as session:
            save_item(session, drill("d2"))

    assert (before, during, after) == (0, 0, 1)


def test_what_cannot_be_opened_is_named_and_the_password_is_not(postgres: PostgresServer) -> None:
    good = postgres.url_of("nowhere")
    wrong = {
        good: 'database "nowhere" does not exist; make it with createdb',
        good.replace(postgres.password, "s3cret"): "password authentication failed",
        good.replace(f":{postgres.port}/", ":1/"): "refused",
        good.rpartition("/")[0]: "names no database",
        good.replace("://", "//"): "is no database URL",
        "mysql://user:s3cret@host/name": "no database that reaseq knows",
    }
    for url, problem in wrong.items():
        with pytest.raises(DatabaseUnreadable, match=problem) as caught:
            open_database(url)

        assert postgres.password not in str(caught.value)
        assert "s3cret" not in str(caught.value)


def test_a_database_without_a_knowledge_base_is_not_made_one_by_reading(postgres: PostgresServer) -> None:
    url = postgres.url("bare")

    with pytest.raises(DatabaseMissing, match=r"no knowledge base at .*bare"):
        open_existing_database(url)

    assert postgres.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "bare") == [(0,)]


def test_a_database_of_another_program_is_refused(postgres: PostgresServer) -> None:
    url = postgres.url("shop")
    postgres.execute("CREATE TABLE orders (id int)", "shop")

    with pytest.raises(DatabaseUnreadable, match="orders"):
        open_database(url)


def test_a_user_who_may_only_read_is_told_so(postgres: PostgresServer) -> None:
    url = fresh_url()
    name = url.rpartition("/")[2]
    postgres.execute("DROP ROLE IF EXISTS reader")
    postgres.execute("CREATE ROLE reader LOGIN PASSWORD 'reads'")
    postgres.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", name)

    with open_database(url.replace(f"postgres:{postgres.password}", "reader:reads")) as database:
        with database.session() as session:
            assert counts(session).items == 0
        with pytest.raises(DatabaseUnreadable, match="read-only for this user"), database.writing() as session:
            save_item(session, drill())
    postgres.execute("DROP OWNED BY reader", name)


def test_a_lock_held_too_long_is_named(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_errors, "BUSY_SECONDS", 0.2)

    with open_database(fresh_url()) as database, database.writing():  # noqa: SIM117 - one after the other
        with pytest.raises(DatabaseBusy, match="held by another process"), database.writing() as session:
            save_item(session, drill())


def open_at(url: str, moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))
    open_database(url).dispose()


def test_four_processes_may_make_one_knowledge_base_at_once(postgres: PostgresServer) -> None:
    url, fork = postgres.url("raced"), multiprocessing.get_context("fork")
    processes = [fork.Process(target=open_at, args=(url, time.monotonic() + 0.2)) for _ in range(4)]

    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * 4


def test_opening_one_in_sqlite_imports_nothing_of_postgresql(tmp_path: Path) -> None:
    import subprocess
    import sys

    program = (
        "import sys; from memory.database import open_database; open_database(sys.argv[1]).dispose();"
        "print('psycopg' in sys.modules, 'memory.postgres_engine' in sys.modules)"
    )

    said = subprocess.run(
        [sys.executable, "-c", program, f"sqlite:///{tmp_path}/k.db"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.split() == ["False", "False"]


def test_an_item_comes_back(postgres: PostgresServer) -> None:
    with open_database(fresh_url(), durability="full") as database:
        database.write(lambda session: save_item(session, drill()))

        assert database.read(lambda session: item_of(session, "d1")) == drill()
