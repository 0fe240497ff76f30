"""Knowledge and vectors as typed Parquet."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from memory.atomic_file import FileUnwritable
from memory.database import Database, open_database
from memory.item_vectors.building import build_vectors
from memory.item_vectors.feature_files import FEATURES, VectorsTooNew, export_features
from memory.versions import UnknownVersion
from tests.databases import fresh_url
from tests.memory.counting_encoder import CountingEncoder
from tests.memory.item_vectors.item_samples import keep, stocked, stored_at
from tests.memory.knowledge_samples import drill, enriched, known

MAY, JUNE, JULY = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))
JUNE_MS = int(JUNE.timestamp() * 1000)


@pytest.fixture
def database() -> Iterator[Database]:
    with open_database(fresh_url()) as database:
        with database.writing() as session:
            stocked(session)
        yield database


def exported(database: Database, out: Path, **options: int) -> pl.DataFrame:
    with database.session() as session:
        return pl.read_parquet(export_features(session, out, name="items", **options).features)


def test_a_row_is_a_value_with_its_number_its_unit_and_its_verdict(database: Database, tmp_path: Path) -> None:
    frame = exported(database, tmp_path / "f.parquet")

    rows = frame.filter(pl.col("item") == "d1", pl.col("attribute").is_in(["voltage", "color"])).rows()
    assert frame.schema == FEATURES
    assert rows == [
        ("d1", "voltage", "18", 18.0, "volt", 0.9, "accept", True, 1),
        ("d1", "color", "red", None, None, 0.9, "accept", True, 1),
        ("d1", "color", "drill", None, None, 0.9, "reject", False, 1),
    ]


def test_category_and_demands_are_attributes_of_their_own(database: Database, tmp_path: Path) -> None:
    frame = exported(database, tmp_path / "f.parquet").filter(pl.col("item") == "d1")

    values = dict(frame.filter(pl.col("known")).select("attribute", "value").rows())
    assert values["category"] == "Tools > Power Tools > Drills"
    assert values["category/1"] == "Tools"
    assert "used_for: everyday use" not in frame["value"].to_list()  # it was refused
    assert {"used_for: hanging shelves", "not used_for: mixing paint"} <= set(frame["value"])


def test_what_the_category_asks_for_and_nobody_knows_is_masked(database: Database, tmp_path: Path) -> None:
    frame = exported(database, tmp_path / "f.parquet").filter(pl.col("verdict").is_null())

    masked = frame.select("item", "attribute").rows()
    assert masked == [("d1", "weight"), ("d2", "brand"), ("d2", "voltage"), ("d2", "color"), ("d2", "weight")]
    assert not frame["known"].any()
    assert frame["value"].is_null().all()


def test_vectors_are_lists_of_fixed_size_beside_it(database: Database, tmp_path: Path) -> None:
    built = build_vectors(database, CountingEncoder())

    exported(database, tmp_path / "folder")

    frame = pl.read_parquet(tmp_path / "folder" / "vectors.parquet")
    about = pl.read_parquet_metadata(tmp_path / "folder" / "vectors.parquet")
    assert frame.schema == {"item": pl.String(), "vector": pl.Array(pl.Float32, 26)}
    assert frame["item"].to_list() == list(built.ids)
    assert np.array_equal(frame["vector"].to_numpy(), built.vectors)
    assert (about["reaseq.encoder"], about["reaseq.version"]) == ("letters@1", "1")


def test_without_vectors_there_is_no_second_file(database: Database, tmp_path: Path) -> None:
    with database.session() as session:
        written = export_features(session, tmp_path / "f.parquet", name="items")

    assert (written.items, written.vectors) == (2, None)
    assert [path.name for path in tmp_path.iterdir()] == ["f.parquet"]


def test_equal_knowledge_gives_equal_bytes(database: Database, tmp_path: Path) -> None:
    build_vectors(database, CountingEncoder())

    exported(database, tmp_path / "a.parquet")
    exported(database, tmp_path / "b.parquet")

    for suffix in (".parquet", ".vectors.parquet"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_as_of_a_moment_only_earlier_knowledge_is_written(database: Database, tmp_path: Path) -> None:
    with database.writing() as session:
        stored_at(session, "d1", MAY)
        stored_at(session, "d2", JULY)

    frame = exported(database, tmp_path / "f.parquet", as_of=JUNE_MS)

    assert set(frame["item"]) == {"d1"}


def test_vectors_that_may_know_more_are_refused(database: Database, tmp_path: Path) -> None:
    build_vectors(database, CountingEncoder())

    with pytest.raises(VectorsTooNew, match="2026-06-01"):
        exported(database, tmp_path / "f.parquet", as_of=JUNE_MS)

    assert list(tmp_path.iterdir()) == []
    build_vectors(database, CountingEncoder(), as_of=JUNE_MS)
    exported(database, tmp_path / "f.parquet", as_of=JUNE_MS)


def test_a_version_that_is_not_there_writes_nothing(database: Database, tmp_path: Path) -> None:
    with pytest.raises(UnknownVersion):
        exported(database, tmp_path / "f.parquet", version_id=9)

    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_leaves_the_old_file(database: Database, tmp_path: Path) -> None:
    (tmp_path / "f.parquet").write_text("old")
    (tmp_path / "f.vectors.parquet").mkdir()
    build_vectors(database, CountingEncoder())

    with pytest.raises(FileUnwritable, match="vectors"):
        exported(database, tmp_path / "f.parquet")

    assert (tmp_path / "f.parquet").read_text() == "old"


def test_text_that_parquet_cannot_hold_is_replaced(database: Database, tmp_path: Path) -> None:
    item = drill("d4")
    with database.writing() as session:
        keep(session, item, enriched(item, [known("color", "re\0d")]))

    frame = exported(database, tmp_path / "f.parquet")

    assert "re\N{REPLACEMENT CHARACTER}d" in frame["value"].to_list()
