"""What moves the ranking goes first: written by an ablation, read where values are reviewed and items made anew."""

import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.commands.command_line import Ran, reaseq

ANEW = ("--stale-only", "--max-revisions", 0)


@pytest.fixture
def kb(enriched: tuple[str, Ran], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the enriched kettles and the t-shirt."""
    path = folder / "own.db"
    shutil.copy(enriched[0].removeprefix("sqlite:///"), path)
    monkeypatch.setenv("REASEQ_KB", f"sqlite:///{path}")
    return path


def written(**gains: float) -> str:
    """Write priorities with gains whose interval is clear of zero where they are positive."""
    attributes = [
        {
            "attribute": attribute,
            "gain": gain,
            "low": gain - abs(gain) / 2,
            "high": gain + abs(gain) / 2,
            "known": 1,
            "unknown": 2,
            "unknown_by_category": {},
        }
        for attribute, gain in gains.items()
    ]
    content = {"task": "next item", "metric": "NDCG@10", "version": 1, "items": 3, "attributes": attributes}
    Path("first.json").write_text(json.dumps(content), encoding="utf-8")
    return "first.json"


def queued(*options: object) -> list[tuple[str, str]]:
    """Return (item, attribute) of what waits."""
    ran = reaseq("review", "list", *options, "--json")
    assert ran.code == 0, ran.errors
    return [(value["item"], value["attribute"]) for value in ran.document["values"]]


def stale_items() -> set[str]:
    """Return the items that are still to be made anew."""
    return {result["item_id"] for result in reaseq("stale", "--max-revisions", 0, "--json").document["first"]}


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("task", ["next-item", "click-through"])
def test_an_ablation_writes_what_each_attribute_gains_and_where_it_is_unknown(task: str) -> None:
    Path("more.csv").write_text("sku,name\nX1,steel kettle 1.7 l\nX2,plain cotton t-shirt\n", encoding="utf-8")
    assert reaseq("enrich", "more.csv", "--kb", "sqlite:///shop.db").code == 0
    options = ("--config", "small.toml", "--kb", "sqlite:///shop.db", "--task", task, "--attributes", 4)

    ran = reaseq("ranker", "ablate", *options, "--priorities", "first.json", "--json")

    assert ran.code == 0, ran.all
    priorities = json.loads(Path("first.json").read_bytes())
    effects = {effect["attribute"]: effect for effect in ran.document["attributes"]}
    found = {one["attribute"]: one for one in priorities["attributes"]}
    assert (priorities["metric"], priorities["items"]) == (ran.document["metrics"][0], 26)
    assert set(found) == set(effects)
    for attribute, one in found.items():
        difference = effects[attribute]["difference"]
        assert (one["gain"], one["low"], one["high"]) == tuple(difference[key] for key in ("difference", "low", "high"))
        assert (one["known"], one["known"] + one["unknown"]) == (effects[attribute]["items"], 26)
        assert sum(one["unknown_by_category"].values()) == one["unknown"]
    assert found["brand"]["unknown_by_category"] == {
        "Clothing > Tops > T-Shirts": 1,
        "Kitchen > Small Appliances > Kettles": 1,
    }


@pytest.mark.usefixtures("kb")
def test_values_of_what_moves_the_ranking_are_reviewed_first() -> None:
    usual = queued()
    attribute = usual[-1][1]

    first = queued("--priorities", written(**{attribute: 0.1, "nowhere": 0.2, usual[0][1]: -0.3}))

    assert usual[0][1] != attribute
    assert first == sorted(usual, key=lambda value: value[1] != attribute)
    assert queued("--priorities", "first.json", "--limit", 1) == first[:1]


@pytest.mark.usefixtures("kb")
def test_the_next_value_to_decide_is_the_one_that_moves_most(monkeypatch: pytest.MonkeyPatch) -> None:
    attribute = queued()[-1][1]
    monkeypatch.setattr(sys, "stdin", io.StringIO("q\n"))

    ran = reaseq("review", "next", "--priorities", written(**{attribute: 0.1}))

    assert ran.code == 0, ran.all
    assert f"\n{attribute} = " in ran.output
    assert f"first: {attribute}" in ran.errors


@pytest.mark.usefixtures("kb")
def test_a_run_over_what_is_stale_begins_where_most_is_to_be_gained() -> None:
    known = {item: known_of(item) for item in ("K1", "K2", "K3")}
    options = (*ANEW, "--limit", 1, "--priorities", written(power=0.1, brand=0.01))

    before = stale_items()
    first = reaseq("enrich", *options, "--json")
    left = stale_items()
    reaseq("enrich", *options)

    assert "power" in known["K1"]
    assert "power" not in known["K2"] | known["K3"]  # only a kettle is asked for its power
    assert first.code == 0, first.all
    assert first.document["enriched"] == 1
    assert (before, left) == ({"K1", "K2", "K3"}, {"K1", "K3"})
    assert stale_items() == {"K3"}  # nothing else is unknown: in order of id


@pytest.mark.usefixtures("kb")
def test_without_an_interval_clear_of_zero_the_order_is_the_usual_one_and_it_is_said() -> None:
    usual = queued()

    ran = reaseq("review", "list", "--priorities", written(color=-0.1), "--json")

    assert [(value["item"], value["attribute"]) for value in ran.document["values"]] == usual
    assert "no attribute of first.json has an interval clear of zero: the usual order" in ran.errors


DOORS: dict[str, list[Any]] = {
    "review list": ["review", "list"],
    "review next": ["review", "next"],
    "enrich": ["enrich", *ANEW],
    "enrich --dry-run": ["enrich", *ANEW, "--dry-run"],
}


@pytest.mark.usefixtures("kb")
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("file", "reason"), [("none.json", "cannot be read"), ("kettles.csv", "Invalid JSON")])
def test_a_file_without_priorities_is_named_and_nothing_is_done(door: str, file: str, reason: str) -> None:
    ran = reaseq(*DOORS[door], "--priorities", file)

    assert ran.code == 1
    assert ran.output == ""
    assert f"'{file}'" in ran.errors
    assert reason in ran.errors


def test_priorities_of_a_catalog_that_is_read_row_by_row_are_wrong_usage() -> None:
    ran = reaseq("enrich", "kettles.csv", "--priorities", written(color=0.1))

    assert ran.code == 2
    assert "--stale-only" in ran.errors


def known_of(item: str) -> set[str]:
    """Return the attributes of which a value of an item is accepted."""
    enrichment = reaseq("show", item, "--json").document["enrichment"]
    accepted = {verdict["claim_id"] for verdict in enrichment["verdicts"] if verdict["decision"] == "accept"}
    return {claim["name"] for claim in enrichment["claims"] if claim["id"] in accepted}
