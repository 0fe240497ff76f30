"""A catalog in pieces: every row is in one of them, and reads as it does in the whole file."""

import csv
import gzip
import random
from pathlib import Path

import pytest

from memory import catalog_pieces
from memory.catalog import RejectedRow, read_catalog
from memory.catalog_files.places import catalog_files
from memory.catalog_files.source import CatalogError
from memory.catalog_pieces import items_in, line_of, planned
from memory.schema import CatalogItem
from tests.object_store import object_store

HOSTILE = (
    'id,title,note\r\n1,Kettle,plain\r\n2,"two\nlines, and ""quotes""",x\r\n\r\n3,too,many,cells\r\n'
    '4,"never closed,x\r\n5,Cup,é\r\n6,Pot,last'
)


@pytest.fixture(params=[1, 2, 64])
def rows_a_piece(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(catalog_pieces, "ROWS", request.param)
    return int(request.param)


def _by_pieces(path: Path, limit: int | None = None) -> list[CatalogItem | RejectedRow]:
    return [row for piece in planned([str(path)], limit=limit) for row in items_in(piece)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_hostile_rows_read_as_in_the_whole_file(tmp_path: Path, rows_a_piece: int, encoding: str) -> None:
    path = tmp_path / "items.csv"
    path.write_bytes(HOSTILE.encode(encoding))

    rows = _by_pieces(path)

    assert rows == list(read_catalog(path))
    assert [row.line for row in rows if isinstance(row, RejectedRow)] == [6, 7]


def test_json_lines_and_packed_files_read_as_in_the_whole_file(tmp_path: Path, rows_a_piece: int) -> None:
    lines = tmp_path / "items.jsonl"
    lines.write_text('{"id": 1, "title": "a"}\n{"id": 2, "title": "b", "more": 1e5}\nno json\n\n{"id": 3}\n')
    packed = tmp_path / "items.csv.gz"
    packed.write_bytes(gzip.compress(HOSTILE.encode()))

    for path in (lines, packed):
        assert _by_pieces(path) == list(read_catalog(path))


def test_parquet_reads_as_in_the_whole_file(tmp_path: Path, rows_a_piece: int) -> None:
    import duckdb

    path = tmp_path / "items.parquet"
    rows = "SELECT i AS id, 'item ' || i AS title, DATE '2026-01-01' AS made FROM range(150) r(i)"
    duckdb.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 100)")

    assert _by_pieces(path) == list(read_catalog(path))


def test_random_quotes_never_move_a_border_into_a_cell(tmp_path: Path, rows_a_piece: int) -> None:
    path = tmp_path / "items.csv"
    draw = random.Random(7)
    for _ in range(40):
        rows = ("".join(draw.choices('a,"\n\r', [6, 3, 2, 2, 1], k=12)) for _ in range(30))
        path.write_text("id,title\n" + "\n".join(rows), newline="")

        pieces, whole = _by_pieces(path), list(read_catalog(path))

        assert [row for row in pieces if isinstance(row, CatalogItem)] == _first_of_each(whole, pieces)
        assert len(pieces) == len(whole)


def _first_of_each(
    whole: list[CatalogItem | RejectedRow], pieces: list[CatalogItem | RejectedRow]
) -> list[CatalogItem]:
    """Return the whole file's items, and those that only a whole file tells to be repeats."""
    repeats = {row.line for row in whole if isinstance(row, RejectedRow) and " line " in row.reason}
    repeats |= {row.line for row in whole if isinstance(row, RejectedRow) and row.reason.startswith("repeats")}
    return [
        piece
        for piece, row in zip(pieces, whole, strict=True)
        if isinstance(piece, CatalogItem)
        and (piece == row or (isinstance(row, RejectedRow) and row.line in repeats and row.item_id == piece.id))
    ]


def test_a_limit_counts_rows_over_all_files(tmp_path: Path, rows_a_piece: int) -> None:
    for name in ("a", "b"):
        with (tmp_path / f"{name}.csv").open("w", newline="") as out:
            csv.writer(out).writerows([("id", "title"), *((f"{name}{n}", "x") for n in range(5))])

    files = catalog_files(str(tmp_path / "*.csv"))
    ids = [row.id for p in planned(files, limit=7) for row in items_in(p) if isinstance(row, CatalogItem)]

    assert ids == ["a0", "a1", "a2", "a3", "a4", "b0", "b1"]


def test_a_url_and_a_pattern_of_urls_lead_to_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,title\n1,x\n")

    assert catalog_files(f"file://{tmp_path}/*.csv") == [str(tmp_path / "a.csv")]
    with pytest.raises(CatalogError, match="no file"):
        catalog_files(f"file://{tmp_path}/*.tsv")


def _in_a_bucket(url: str) -> list[CatalogItem | RejectedRow]:
    return [row for piece in planned(catalog_files(url)) for row in items_in(piece)]


def test_an_object_store_gives_the_rows_that_the_files_have(
    tmp_path: Path, rows_a_piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    parts = tmp_path / "2026" / "parts"
    parts.mkdir(parents=True)
    (parts / "a b.csv").write_bytes(HOSTILE.encode())
    (parts / "c.tsv").write_text("id\ttitle\n7\tLamp\n")
    (parts / "d.csv.gz").write_bytes(gzip.compress(b"id,title\n8,Rug\n"))
    (tmp_path / "2026" / "other.csv").write_text("id,title\n9,Not asked for\n")

    with object_store(tmp_path) as store:
        one = _in_a_bucket(f"s3://catalogs/2026/parts/a b.csv?{store}")
        every = _in_a_bucket(f"s3://catalogs/2026/parts/*?{store}")

        with pytest.raises(CatalogError, match="no file"):
            catalog_files(f"s3://catalogs/2026/*.xml?{store}")
        with pytest.raises(CatalogError, match="cannot be read"):
            _in_a_bucket(f"s3://catalogs/2026/missing.csv?{store}")

    local = list(read_catalog(parts / "a b.csv"))
    assert [_said(row) for row in one] == [_said(row) for row in local]
    assert [row.id for row in every if isinstance(row, CatalogItem)][-2:] == ["7", "8"]
    assert len(every) == len(local) + 2


def _said(row: CatalogItem | RejectedRow) -> CatalogItem | tuple[int, str]:
    return row if isinstance(row, CatalogItem) else (row.line, row.reason)


def test_a_url_with_a_secret_is_refused_and_not_repeated() -> None:
    with pytest.raises(CatalogError) as refused:
        catalog_files("s3://key:hunter2@catalogs/items.csv")

    assert "hunter2" not in str(refused.value)


def test_a_piece_knows_the_line_of_an_item(tmp_path: Path, rows_a_piece: int) -> None:
    path = tmp_path / "items.csv"
    path.write_bytes(HOSTILE.encode())

    lines = {row.id: line_of(p, row.id) for p in planned([str(path)]) for row in items_in(p) if hasattr(row, "id")}

    assert lines["5"] == 8
