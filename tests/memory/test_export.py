"""Exports are whole, stable, valid, and harmless in a spreadsheet."""

import csv
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from memory.atomic_file import FileUnwritable
from memory.catalog import read_catalog
from memory.database import open_database
from memory.export import COLUMNS, ExportFormat, export_knowledge, unformula
from memory.rows import CorruptKnowledge
from memory.schema import CatalogItem
from memory.store import save_enrichment, save_item
from memory.text import plain_text
from memory.versions import version_for
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched, known, quoted

HOSTILE = [
    "=HYPERLINK(1)",
    "+cmd|x",
    "@sum",
    "\tx",
    "\rx",
    "＝1+1",
    'quote " comma ,',
    "line\nbreak\r\n",
    "é\u202e",
    "'='",
]


@pytest.fixture
def session() -> Iterator[Session]:
    with open_database(fresh_url()) as database, database.writing() as session:
        assert version_for(session, PROVENANCE) == 1
        yield session


@pytest.fixture
def stocked(session: Session) -> Session:
    """Two enriched items, one without claims, and one item that is not enriched."""
    item = drill("b")
    claims = [quoted(item, "c1", "colour", "red"), quoted(item, "c2", "voltage", "18", "V"), known("colour", "blue")]
    save_enrichment(session, 1, item, enriched(item, claims, rejected=[known("use", "DIY", claim_id="w2")]))
    save_enrichment(session, 1, drill("a"), enriched(drill("a"), []))
    save_item(session, drill("c"))
    return session


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_json_lines_tell_all_that_is_known_of_an_item(stocked: Session, tmp_path: Path) -> None:
    written = export_knowledge(stocked, tmp_path / "out.jsonl", ExportFormat.JSONL)

    first, second = read_jsonl(tmp_path / "out.jsonl")
    assert (written, first["id"], first["attributes"], first["rejected"]) == (2, "a", {}, [])
    assert second["category"] == {"id": "drills", "path": ["Tools", "Power Tools", "Drills"]}
    assert [(v["value"], v["source"]) for v in second["attributes"]["colour"]] == [
        ("red", "text"),
        ("blue", "world_knowledge"),
    ]
    assert second["attributes"]["voltage"] == [
        {
            "value": "18",
            "normalized": "18",
            "unit": "V",
            "source": "text",
            "evidence": {"field": "title", "start": 20, "end": 22, "quote": "18"},
            "confidence": 0.9,
            "producer": "rule",
        }
    ]
    assert [(r["name"], r["decision"], r["reason"], r["note"]) for r in second["rejected"]] == [
        ("use", "reject", "unsupported", "no")
    ]
    assert second["summary"] == "A cordless drill."
    assert second["provenance"]["prompts"] == {"critic": "f1", "summarizer": "f2"}


def test_csv_has_one_row_a_claim_and_one_for_an_item_without_claims(stocked: Session, tmp_path: Path) -> None:
    written = export_knowledge(stocked, tmp_path / "out.csv", ExportFormat.CSV)

    rows = read_csv(tmp_path / "out.csv")
    assert written == 2
    assert list(rows[0]) == list(COLUMNS)
    assert [(r["item_id"], r["attribute"], r["value"], r["decision"]) for r in rows] == [
        ("a", "", "", ""),
        ("b", "colour", "red", "accept"),
        ("b", "voltage", "18", "accept"),
        ("b", "colour", "blue", "accept"),
        ("b", "use", "DIY", "reject"),
    ]
    assert rows[2]["category_path"] == "Tools > Power Tools > Drills"


def test_parquet_has_the_same_rows_with_types(stocked: Session, tmp_path: Path) -> None:
    written = export_knowledge(stocked, tmp_path / "it's [one].parquet", ExportFormat.PARQUET)

    with duckdb.connect() as connection:
        path = str(tmp_path / "it's [[]one].parquet")
        described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()
        rows = connection.execute("SELECT * FROM read_parquet(?)", [path]).fetchall()
    assert written == 2
    assert {column: type_ for column, type_, *_ in described} == COLUMNS
    voltage = dict(zip(COLUMNS, rows[2], strict=True))
    assert voltage["category_path"] == ["Tools", "Power Tools", "Drills"]
    assert (voltage["attribute"], voltage["start"], voltage["end"], voltage["confidence"]) == ("voltage", 20, 22, 0.9)
    assert dict(zip(COLUMNS, rows[0], strict=True))["attribute"] is None
    assert [path.name for path in tmp_path.iterdir()] == ["it's [one].parquet"]


@pytest.mark.parametrize("export_format", ExportFormat)
def test_nothing_known_is_a_valid_file(session: Session, tmp_path: Path, export_format: ExportFormat) -> None:
    written = export_knowledge(session, tmp_path / "out", export_format)

    assert written == 0
    assert (tmp_path / "out").is_file()


@pytest.mark.parametrize("export_format", ExportFormat)
def test_equal_knowledge_learnt_at_another_time_gives_equal_bytes(tmp_path: Path, export_format: ExportFormat) -> None:
    for name in ("one", "two"):
        with open_database(fresh_url()) as database, database.writing() as session:
            version_for(session, PROVENANCE)
            for item_id in ("a", "b", "c") if name == "one" else ("c", "b", "a"):
                seconds = time.perf_counter()
                enrichment = enriched(drill(item_id)).model_copy(update={"seconds": seconds})
                save_enrichment(session, 1, drill(item_id), enrichment)
            export_knowledge(session, tmp_path / name, export_format)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("hostile", HOSTILE)
def test_json_lines_and_parquet_give_hostile_text_back_unchanged(
    session: Session, tmp_path: Path, hostile: str
) -> None:
    item = drill(title=f"{hostile} drill")
    save_enrichment(session, 1, item, enriched(item, [known("use", hostile)], summary=hostile))

    export_knowledge(session, tmp_path / "out.jsonl", ExportFormat.JSONL)
    export_knowledge(session, tmp_path / "out.parquet", ExportFormat.PARQUET)

    (read,) = read_jsonl(tmp_path / "out.jsonl")
    assert (read["title"], read["attributes"]["use"][0]["value"], read["summary"]) == (
        f"{hostile} drill",
        hostile,
        hostile,
    )
    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT title, value, summary FROM read_parquet(?)", [str(tmp_path / "out.parquet")]
        ).fetchall()
    assert rows == [(f"{hostile} drill", hostile, hostile)]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_csv_gives_hostile_text_back_behind_one_apostrophe_at_most(
    session: Session, tmp_path: Path, hostile: str
) -> None:
    item = drill(title=f"{hostile} drill")
    save_enrichment(session, 1, item, enriched(item, [known("use", hostile)], summary=hostile))

    export_knowledge(session, tmp_path / "out.csv", ExportFormat.CSV)

    (row,) = read_csv(tmp_path / "out.csv")
    assert row["value"] == row["summary"] == unformula(hostile)
    assert row["value"].removeprefix("'") == hostile or row["value"] == hostile


STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)


@settings(max_examples=8, deadline=None)
@given(st.lists(STORABLE | st.sampled_from(HOSTILE), min_size=1, max_size=12))
def test_every_text_is_read_again_as_it_was_known(texts: list[str]) -> None:
    names = [f"i{number:02}" for number in range(len(texts))]
    with tempfile.TemporaryDirectory() as folder, open_database(fresh_url()) as database, database.writing() as session:
        version_for(session, PROVENANCE)
        for name, told in zip(names, texts, strict=True):
            item = drill(name, title=f"{told} drill")
            save_enrichment(session, 1, item, enriched(item, [known("use", told)], summary=told))
        paths = {kind: Path(folder) / f"out.{kind.value}" for kind in ExportFormat}
        for kind, path in paths.items():
            export_knowledge(session, path, kind)

        lines = read_jsonl(paths[ExportFormat.JSONL])
        cells = read_csv(paths[ExportFormat.CSV])
        with duckdb.connect() as connection:
            columns = "SELECT title, value, summary FROM read_parquet(?) ORDER BY item_id"
            rows = connection.execute(columns, [str(paths[ExportFormat.PARQUET])]).fetchall()
        again = [row for row in read_catalog(paths[ExportFormat.JSONL]) if isinstance(row, CatalogItem)]

    assert [(o["title"], o["attributes"]["use"][0]["value"], o["summary"]) for o in lines] == rows
    assert [tuple(map(formula_again, (c["title"], c["value"], c["summary"]))) for c in cells] == rows
    assert rows == [(f"{told} drill", told, told) for told in texts]
    titles = {name: plain_text(f"{told} drill").split() for name, told in zip(names, texts, strict=True)}
    assert {item.id: item.title.split() for item in again} == titles  # a title is one line there


def formula_again(cell: str) -> str:
    """Return what `unformula` was given: one apostrophe before a formula sign is its own."""
    return re.sub(r"\A'(?='*[=+\-@\t\r\n＝＋－＠])", "", cell)


@pytest.mark.parametrize("export_format", ExportFormat)
def test_what_no_reader_accepts_becomes_the_replacement_character(
    session: Session, tmp_path: Path, export_format: ExportFormat
) -> None:
    save_enrichment(session, 1, drill(), enriched(drill(), [known("use", "a\0b")], summary="lone \ud800"))

    export_knowledge(session, tmp_path / "out", export_format)

    content = (tmp_path / "out").read_bytes()
    assert "a\ufffdb".encode() in content
    assert "lone \ufffd".encode() in content


@pytest.mark.parametrize(
    "formula", ["=1+1", "+1+1", "-1+1", "@x", "\tx", "\rx", "\nx", "＝1", "＋x", "－x", "＠x", "-5 C!A1", "'=x"]
)
def test_a_formula_gets_an_apostrophe(formula: str) -> None:
    assert unformula(formula) == f"'{formula}"


@pytest.mark.parametrize(
    "plain", ["-5 C", "-5", "+1.5", "-1,5 kg", "-20°C", "-5 m/s", "-1e-5", "5=5", "'quoted'", "", "a-b"]
)
def test_numbers_and_plain_text_stay_readable(plain: str) -> None:
    assert unformula(plain) == plain


@pytest.mark.parametrize(
    "long", ["-" + "1" * 40_000 + "!", "-1" + " " * 40_000 + "!", "'" * 40_000 + "!", "-1e" + "1" * 40_000 + "!"]
)
def test_a_hostile_cell_costs_no_time(long: str) -> None:
    start = time.thread_time()

    unformula(long)

    assert time.thread_time() - start < 0.05


def test_an_export_that_fails_leaves_the_old_file_and_no_other(stocked: Session, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text("old")
    stocked.connection().exec_driver_sql("UPDATE evidence SET quote = 'other'")

    with pytest.raises(CorruptKnowledge):
        export_knowledge(stocked, tmp_path / "out.jsonl", ExportFormat.JSONL)

    assert (tmp_path / "out.jsonl").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


@pytest.mark.parametrize("export_format", ExportFormat)
def test_a_file_that_cannot_be_written_is_named(stocked: Session, tmp_path: Path, export_format: ExportFormat) -> None:
    for path in (tmp_path, tmp_path / "nowhere" / "out", Path("/dev/null")):
        with pytest.raises(FileUnwritable, match=path.name):
            export_knowledge(stocked, path, export_format)


def test_a_link_is_followed_not_replaced(stocked: Session, tmp_path: Path) -> None:
    (tmp_path / "real.jsonl").write_text("old")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "real.jsonl")

    export_knowledge(stocked, tmp_path / "link.jsonl", ExportFormat.JSONL)

    assert (tmp_path / "link.jsonl").is_symlink()
    assert len(read_jsonl(tmp_path / "real.jsonl")) == 2
