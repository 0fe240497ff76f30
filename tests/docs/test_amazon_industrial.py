"""The tutorial's script: both forms of the public shop give the same files, and a missing shop says where it is."""

import csv
import json
import subprocess
import sys
from pathlib import Path

from tests.docs.made_up_shop import ITEMS, histories, items, write_prepared, write_upstream

SCRIPT = Path(__file__).parents[2] / "scripts" / "amazon_industrial.py"
FILES = ("catalog.csv", "gold.jsonl", "behaviours.csv")


def written(data: Path, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--data", str(data), "--out", str(out), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_both_forms_of_the_shop_give_the_same_files(tmp_path: Path) -> None:
    write_upstream(tmp_path / "upstream")
    write_prepared(tmp_path / "prepared")

    forms = {form: written(tmp_path / form, tmp_path / f"{form}-out") for form in ("upstream", "prepared")}

    assert {form: result.returncode for form, result in forms.items()} == {"upstream": 0, "prepared": 0}, forms
    for name in FILES:
        made = (sorted((tmp_path / f"{form}-out" / name).read_text().splitlines()) for form in forms)
        assert next(made) == next(made), name


def test_the_catalog_has_no_brands_and_the_gold_only_those_that_the_texts_state(tmp_path: Path) -> None:
    write_prepared(tmp_path / "shop")

    written(tmp_path / "shop", tmp_path)

    catalog = {row["id"]: row for row in csv.DictReader((tmp_path / "catalog.csv").open(encoding="utf-8"))}
    gold = {row["id"]: row["attributes"] for row in map(json.loads, (tmp_path / "gold.jsonl").open(encoding="utf-8"))}
    stated = {key: {"brand": item["brand"]} for key, item in items().items() if item["brand"] in item["title"]}
    assert len(catalog) == ITEMS
    assert {*catalog["84"]} == {"id", "title", "description"}
    assert "['" not in catalog["84"]["description"]
    assert gold == stated


def test_fewer_items_are_those_that_were_bought_most_often(tmp_path: Path) -> None:
    write_prepared(tmp_path / "shop")
    bought = [item for own in histories().values() for item in own]

    written(tmp_path / "shop", tmp_path, "--items", "5")

    kept = {row["id"] for row in csv.DictReader((tmp_path / "catalog.csv").open(encoding="utf-8"))}
    rows = [*csv.DictReader((tmp_path / "behaviours.csv").open(encoding="utf-8"))]
    assert min(map(bought.count, kept)) >= max(bought.count(item) for item in items().keys() - kept)
    assert len(rows) == sum(map(bought.count, kept))


def test_a_missing_shop_says_where_to_get_it(tmp_path: Path) -> None:
    result = written(tmp_path / "nowhere", tmp_path)

    assert result.returncode == 1
    assert "https://github.com/AkaliKong/MiniOneRec" in result.stderr
