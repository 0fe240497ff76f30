"""Behaviours in the knowledge base: added once, read strictly before a time, forgotten on request."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from sqlmodel import select

from memory.behaviors import segments
from memory.behaviors.files import open_log
from memory.behaviors.imports import imports, packed_log, store_log
from memory.behaviors.overview import KindCount, last_deeds, overview
from memory.behaviors.schema import COLUMNS, Clock, Source
from memory.behaviors.store import (
    OtherClock,
    add_behaviors,
    behaviors_of,
    delete_behaviors,
    delete_import,
)
from memory.behaviors.tables import BehaviorSegmentRow
from memory.database import Database, open_database
from memory.items import save_item
from memory.migrations import upgrade as migrations
from memory.schema import CatalogItem
from tests.databases import fresh_url, kept_at

REVISION = Path(__file__).parents[1] / "revisions" / "0009_behaviors.sql"


@pytest.fixture
def knowledge() -> Iterator[Database]:
    with open_database(fresh_url()) as database:
        yield database


def frame(*rows: tuple[str, str, int, str], source: str = "log") -> pl.DataFrame:
    return pl.DataFrame(
        [(user, item, time, kind, source, None) for user, item, time, kind in rows], schema=COLUMNS, orient="row"
    )


LOG = frame(("u1", "mug", 3, "buy"), ("u2", "mug", 1, "view"), ("u1", "pot", 2, "cart"))
IMAGINED = frame(("u1", "lamp", 4, "buy"), ("u2", "lamp", 5, "buy"), source="diffusion").with_columns(
    log_p=pl.Series([-1.5, -2.5]), nearest_item=pl.Series(["mug", None], dtype=pl.String)
)


def segment_rows(database: Database) -> list[BehaviorSegmentRow]:
    with database.session() as session:
        return list(session.exec(select(BehaviorSegmentRow)))


def test_what_was_added_is_read_in_the_order_of_the_file(knowledge: Database) -> None:
    with knowledge.writing() as session:
        added = add_behaviors(session, LOG, origin="log.csv")

    with knowledge.session() as session:
        found = behaviors_of(session)
    assert (added.rows, added.is_repeated) == (3, False)
    assert found.schema == COLUMNS
    assert found.equals(LOG)


def test_the_same_behaviours_are_added_once(knowledge: Database) -> None:
    with knowledge.writing() as session:
        first = add_behaviors(session, LOG)
        again = add_behaviors(session, LOG)
        other = add_behaviors(session, LOG.head(1))

    assert (again.import_id, again.rows, again.is_repeated) == (first.import_id, 0, True)
    assert other.rows == 1


@pytest.mark.parametrize(("as_of", "items"), [(1, []), (2, ["mug"]), (3, ["mug", "pot"]), (4, ["mug", "mug", "pot"])])
def test_nothing_is_read_that_happened_at_the_time_or_later(knowledge: Database, as_of: int, items: list[str]) -> None:
    with knowledge.writing() as session:
        add_behaviors(session, LOG)

    with knowledge.session() as session:
        found = behaviors_of(session, as_of=as_of)

    assert all(time < as_of for time in found["time"])
    assert sorted(found["item"]) == items


def test_imagined_behaviours_are_read_only_when_they_are_asked_for(knowledge: Database) -> None:
    with knowledge.writing() as session:
        add_behaviors(session, LOG)
        add_behaviors(session, IMAGINED, origin="diffusion", model_version="m1")

    with knowledge.session() as session:
        logged = behaviors_of(session)
        of_user = behaviors_of(session, sources=list(Source), users=["u1"])
        with_extras = behaviors_of(session, sources=list(Source), extras=True)

    assert set(logged["source"]) == {"log"}
    assert sorted(of_user["item"]) == ["lamp", "mug", "pot"]
    assert with_extras.filter(pl.col("item") == "lamp")["log_p"].to_list() == [-1.5, -2.5]
    assert with_extras.filter(pl.col("item") == "mug")["log_p"].to_list() == [None, None]
    assert {row.model_version for row in segment_rows(knowledge)} == {None, "m1"}


def test_a_users_imagined_behaviours_can_be_forgotten_alone(knowledge: Database) -> None:
    with knowledge.writing() as session:
        add_behaviors(session, LOG)
        add_behaviors(session, IMAGINED)
        deleted = delete_behaviors(session, user="u1", source=Source.DIFFUSION)

    with knowledge.session() as session:
        left = behaviors_of(session, sources=list(Source), extras=True)
    assert deleted == 1
    assert left.filter(pl.col("source") == "log").select(COLUMNS.names()).equals(LOG)
    assert left.filter(pl.col("source") == "diffusion").select("user", "log_p").rows() == [("u2", -2.5)]


def test_nothing_of_a_forgotten_user_is_left_in_any_segment(
    knowledge: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "MOST_ROWS", 1)
    with knowledge.writing() as session:
        add_behaviors(session, LOG)
        deleted = delete_behaviors(session, user="u1")

    assert deleted == 2
    [row] = segment_rows(knowledge)
    assert (row.rows, row.first_time, row.last_time) == (1, 1, 1)
    assert b"u1" not in row.content


def test_a_file_that_was_imported_does_not_bring_a_forgotten_user_back(knowledge: Database) -> None:
    with knowledge.writing() as session:
        add_behaviors(session, LOG)
        delete_behaviors(session, user="u1")
        again = add_behaviors(session, LOG)

    with knowledge.session() as session:
        assert set(behaviors_of(session)["user"]) == {"u2"}
    assert again.is_repeated


def test_an_import_that_is_taken_back_may_come_again(knowledge: Database) -> None:
    with knowledge.writing() as session:
        added = add_behaviors(session, LOG)
        deleted = delete_import(session, added.import_id)
        unknown = delete_import(session, 99)
        again = add_behaviors(session, LOG)

    assert (deleted, unknown, again.rows) == (3, None, 3)


def test_times_and_order_numbers_are_not_mixed(knowledge: Database) -> None:
    with knowledge.writing() as session:
        add_behaviors(session, LOG, origin="log.csv")

    with pytest.raises(OtherClock, match=r"log\.csv"), knowledge.writing() as session:
        add_behaviors(session, LOG.head(1), clock=Clock.ORDER)


def test_segments_have_a_bounded_number_of_rows(knowledge: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_ROWS", 1000)
    long = pl.concat([LOG] * 1500)

    with knowledge.writing() as session:
        add_behaviors(session, long)

    rows = [row.rows for row in segment_rows(knowledge)]
    assert (max(rows), sum(rows), len(rows)) == (1000, 4500, 5)
    with knowledge.session() as session:
        assert behaviors_of(session).equals(long)


def test_many_small_blocks_share_a_segment() -> None:
    found = list(segments.packed([LOG] * 100))

    assert [segment.rows for segment in found] == [300]


def test_a_log_is_stored_with_what_was_rejected(knowledge: Database, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user,item,time\nu1,mug,2020-05-04\nu1,,2020-05-04\n", encoding="utf-8")
    log = open_log(path)

    with knowledge.writing() as session:
        added = store_log(session, log, packed_log(log), log.content_hash)

    with knowledge.session() as session:
        [made] = imports(session)
    assert (made.id, made.rows, made.rejected, made.origin) == (added.import_id, 1, 1, str(path))


def test_a_file_read_in_another_way_is_another_import(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user,item,other,time\nu1,mug,pot,2020-05-04\n", encoding="utf-8")

    assert open_log(path).content_hash == open_log(path, {"item": "item"}).content_hash
    assert open_log(path).content_hash != open_log(path, {"item": "other"}).content_hash


def test_behaviours_are_counted_by_kind_and_source(knowledge: Database) -> None:
    with knowledge.writing() as session:
        save_item(session, CatalogItem(id="mug", title="A mug", description="", fields=()))
        add_behaviors(session, LOG)
        add_behaviors(session, IMAGINED)

    with knowledge.session() as session:
        found = overview(session)

    assert set(found.counts) == {
        KindCount(kind="view", source="log", behaviors=1),
        KindCount(kind="cart", source="log", behaviors=1),
        KindCount(kind="buy", source="log", behaviors=1),
        KindCount(kind="buy", source="diffusion", behaviors=2),
    }
    assert (found.users, found.items, found.first, found.last) == (2, 3, 1, 5)
    assert (found.unknown_items, found.unknown) == (2, ("lamp", "pot"))


def test_an_empty_knowledge_base_has_no_behaviours(knowledge: Database) -> None:
    with knowledge.session() as session:
        found = overview(session)
        read = behaviors_of(session)

    assert (found.behaviors, found.clock, found.first) == (0, None, None)
    assert (len(read), read.schema) == (0, COLUMNS)


def test_a_users_last_deeds_come_newest_first_with_titles(knowledge: Database) -> None:
    with knowledge.writing() as session:
        save_item(session, CatalogItem(id="mug", title="A mug", description="", fields=()))
        add_behaviors(session, LOG)

    with knowledge.session() as session:
        deeds = last_deeds(session, "u1", 5)

    assert [(deed.item, deed.title, deed.time) for deed in deeds] == [("mug", "A mug", 3), ("pot", None, 2)]


@pytest.mark.sqlite
def test_behaviours_of_their_first_revision_are_read(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with open_database(kept_at(path)):
        assert (migrations.FOLDER / "versions" / "0009_behaviors.py").exists()
    with sqlite3.connect(path) as rows:
        statements = REVISION.read_text(encoding="utf-8")
        rows.executescript(statements[statements.index("INSERT INTO behavior_import") :])

    with open_database(kept_at(path)) as database, database.session() as session:
        found = behaviors_of(session)

    assert found.select("user", "item", "time", "kind", "session").rows() == [
        ("u1", "d1", 1000, "view", None),
        ("u1", "d2", 2000, "buy", "s1"),
    ]
