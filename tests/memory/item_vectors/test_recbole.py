"""A folder that RecBole reads: parsed here by its rules, which are those of pandas with tabs."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import polars as pl
import pytest
import yaml

from memory.behaviors.schema import COLUMNS
from memory.behaviors.store import add_behaviors
from memory.database import Database, open_database
from memory.item_vectors.building import build_vectors
from memory.item_vectors.recbole import export_recbole, one_token, plain_id, words
from memory.store import save_item
from tests.databases import fresh_url
from tests.memory.counting_encoder import CountingEncoder
from tests.memory.item_vectors.item_samples import keep, stocked
from tests.memory.knowledge_samples import drill, enriched, known

Value = str | float | list[str] | list[float]
TYPES = {"token", "token_seq", "float", "float_seq"}
HOSTILE_TITLE = '"Best" drill\tof\u2028 all "times\x0b'


@pytest.fixture
def database() -> Iterator[Database]:
    with open_database(fresh_url()) as database:
        with database.writing() as session:
            stocked(session)
        yield database


def bought(*rows: tuple[str, str, int]) -> pl.DataFrame:
    return pl.DataFrame([(*row, "buy", "log", None) for row in rows], schema=COLUMNS, orient="row")


def exported(database: Database, folder: Path, as_of: int | None = None) -> Path:
    with database.session() as session:
        export_recbole(session, folder, name="items", as_of=as_of)
    return folder / folder.name


def parsed(path: Path) -> list[dict[str, Value]]:
    """Read an atomic file as RecBole does: a typed header, fields between tabs, quotation marks as in CSV."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    fields = [name.split(":") for name in header]
    assert all(len(field) == 2 and field[1] in TYPES for field in fields), header
    assert len({name for name, _ in fields}) == len(fields)
    assert all(len(row) == len(fields) for row in rows)
    return [{name: value(cell, kind) for (name, kind), cell in zip(fields, row, strict=True)} for row in rows]


def value(cell: str, kind: str) -> Value:
    match kind:
        case "token_seq":
            return [token for token in cell.split(" ") if token]
        case "float_seq":
            return [float(number) for number in cell.split(" ") if number]
        case "float":
            return float(cell) if cell else math.nan
    return cell


def test_items_have_title_category_demands_and_a_field_an_attribute(database: Database, tmp_path: Path) -> None:
    item, other = parsed(exported(database, tmp_path / "shop").with_suffix(".item"))

    assert item == {
        "item_id": "d1",
        "title": ["Acme", "cordless", "drill", "18", "V", "red"],
        "category": "Tools_>_Power_Tools_>_Drills",
        "categories": ["Tools", "Power_Tools", "Drills"],
        "demands": ["used_for:_hanging_shelves", "not_used_for:_mixing_paint"],
        "brand": ["acme"],
        "color": ["red"],
        "voltage_volt": 18.0,
    }
    assert (other["brand"], other["color"]) == ([], [])
    assert isinstance(other["voltage_volt"], float)
    assert math.isnan(other["voltage_volt"])


def test_behaviours_come_with_their_times(database: Database, tmp_path: Path) -> None:
    with database.writing() as session:
        add_behaviors(session, bought(("u1", "d2", 2000), ("u1", "d1", 1000), ("u2", "d1", 3000)))

    rows = parsed(exported(database, tmp_path / "shop").with_suffix(".inter"))

    assert [(row["user_id"], row["item_id"], row["timestamp"], row["kind"]) for row in rows] == [
        ("u1", "d2", 2000.0, "buy"),
        ("u1", "d1", 1000.0, "buy"),
        ("u2", "d1", 3000.0, "buy"),
    ]


def test_as_of_a_moment_later_behaviours_and_knowledge_are_left_out(database: Database, tmp_path: Path) -> None:
    with database.writing() as session:
        add_behaviors(session, bought(("u1", "d1", 1000), ("u1", "d2", 2000)))

    stem = exported(database, tmp_path / "shop", as_of=2000)

    assert [row["item_id"] for row in parsed(stem.with_suffix(".inter"))] == ["d1"]
    assert parsed(stem.with_suffix(".item")) == []


def test_vectors_come_back_as_they_were(database: Database, tmp_path: Path) -> None:
    built = build_vectors(database, CountingEncoder())

    rows = parsed(exported(database, tmp_path / "shop").with_suffix(".itememb"))

    assert [row["iid"] for row in rows] == list(built.ids)
    assert np.array_equal(np.array([row["item_emb"] for row in rows], dtype=np.float32), built.vectors)


def test_the_settings_name_fields_that_there_are(database: Database, tmp_path: Path) -> None:
    build_vectors(database, CountingEncoder())

    stem = exported(database, tmp_path / "shop")

    settings = yaml.safe_load(stem.with_suffix(".yaml").read_text())
    for suffix, fields in settings["load_col"].items():
        header = stem.with_suffix(f".{suffix}").read_text().splitlines()[0]
        assert {name.split(":")[0] for name in header.split("\t")} >= set(fields)
    assert settings["preload_weight"] == {"iid": "item_emb"}
    assert settings["additional_feat_suffix"] == ["itememb"]


def test_without_vectors_the_settings_ask_for_none(database: Database, tmp_path: Path) -> None:
    stem = exported(database, tmp_path / "shop")

    assert not stem.with_suffix(".itememb").exists()
    assert set(yaml.safe_load(stem.with_suffix(".yaml").read_text())["load_col"]) == {"inter"}


def test_hostile_titles_values_and_ids_stay_in_their_fields(database: Database, tmp_path: Path) -> None:
    item = drill('i 1"', HOSTILE_TITLE)
    with database.writing() as session:
        keep(session, item, enriched(item, [known('odd:\t"name', 'a "b\tc\nd'), known("title", "x", "w2")]))
        save_item(session, drill("NA", "nan"))
        add_behaviors(session, bought(("null", 'i 1"', 1), ("u%1", "NA", 2)))

    stem = exported(database, tmp_path / "shop")

    rows = {unquote(str(row["item_id"])): row for row in parsed(stem.with_suffix(".item"))}
    users = [unquote(str(row["user_id"])) for row in parsed(stem.with_suffix(".inter"))]
    assert set(rows) == {"d1", "d2", 'i 1"', "NA"}
    assert rows['i 1"']["title"] == ["'Best'", "drill", "of", "all", "'times"]
    assert (rows['i 1"']["odd_name"], rows['i 1"']["title_"]) == (["a_'b_c_d"], ["x"])
    assert users == ["null", "u%1"]


@pytest.mark.parametrize("text", ["NA", "nan", "null", "None", "a b", 'a"b', "50%", "a\u2028b", "-nan", "#N/A N/A"])
def test_an_id_is_one_field_no_missing_value_and_comes_back(text: str) -> None:
    plain = plain_id(text)

    assert unquote(plain) == text
    assert not set(plain) & set(' \t\n"\u2028')
    assert plain != text


@pytest.mark.parametrize("text", ["d1", "B00-1_x.y", "Ä1", "nana", "None1", ""])
def test_an_ordinary_id_stays_as_it_is(text: str) -> None:
    assert plain_id(text) == text


@pytest.mark.parametrize("text", ["NA", "None", "null"])
def test_a_value_that_pandas_takes_for_missing_is_none(text: str) -> None:
    assert one_token(text) == words(text) == f"{text}_"
