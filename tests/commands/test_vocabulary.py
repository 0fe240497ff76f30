"""What could not be mapped is listed, proposals are made of it, and no file of the taxonomy is touched."""

from pathlib import Path

import pytest

from memory.taxonomy import load_taxonomy
from tests.commands.command_line import reaseq

ROWS = """sku,title,Farbe,Material
K1,Acme kettle 1.7 l,Galaxieblau,Edelstal
K2,Acme kettle 1 l,galaxieblau,Bambus
K3,Acme kettle 2 l,\x1b[31mLava,Glas
K4,Acme kettle 2 l,rot,Glas
"""


@pytest.fixture
def strange(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a knowledge base of kettles in strange colours."""
    (folder / "strange.csv").write_text(ROWS, encoding="utf-8")
    monkeypatch.setenv("REASEQ_KB", "sqlite:///strange.db")
    assert reaseq("enrich", "strange.csv").code == 0
    return folder


def test_unmapped_values_are_listed_with_their_items_and_the_nearest_allowed_ones(strange: Path) -> None:
    ran = reaseq("unmapped", "--json")

    first = ran.document["unmapped"][0]
    assert (first["attribute"], first["reason"], first["items"]) == ("color", "not_in_vocabulary", 2)
    assert {example["quote"].lower() for example in first["examples"]} == {"galaxieblau"}
    assert len(first["nearest"]) == 3
    assert (ran.document["values"], ran.document["claims"]) == (2, 3)


def test_a_misspelt_column_is_shown_with_what_it_was_taken_for_and_how_near_it_came(strange: Path) -> None:
    ran = reaseq("show", "K1")

    assert "stainless steel (≈ 0.9" in ran.output
    assert "Edelstal" in ran.output


def test_hostile_values_reach_no_terminal(strange: Path) -> None:
    ran = reaseq("unmapped")

    assert "Lava" in ran.output
    assert "\x1b[31mLava" not in ran.output


def test_the_list_is_narrowed_and_limited(strange: Path) -> None:
    assert "galaxieblau" in reaseq("unmapped", "--attribute", "color", "--limit", "1").output.lower()
    assert "1 more" in reaseq("unmapped", "--limit", "1").errors
    assert "could be mapped" in reaseq("unmapped", "--category", "clothing.jeans").errors


def test_proposals_say_what_they_gain_and_change_no_file(strange: Path, departments: Path) -> None:
    before = {file: file.read_bytes() for file in departments.iterdir()}

    document = reaseq("taxonomy", "propose", "--json", "--out", "proposed.yaml").document

    (proposal,) = document["proposals"]
    assert (proposal["attribute"], proposal["kind"], proposal["value"]) == ("color", "value", "galaxieblau")
    assert (proposal["coverage"], proposal["coverage_after"]) == (0.25, 0.75)
    assert {file: file.read_bytes() for file in departments.iterdir()} == before
    assert "galaxieblau" in (strange / "proposed.yaml").read_text(encoding="utf-8")


def test_a_person_who_merges_a_proposal_gets_the_coverage_that_it_promised(
    strange: Path, departments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    colors = (departments / "attributes.yaml").read_text(encoding="utf-8")
    merged = strange / "merged"
    merged.mkdir()
    for file in departments.iterdir():
        (merged / file.name).write_bytes(file.read_bytes())
    (merged / "attributes.yaml").write_text(
        colors.replace("      black: [", "      galaxieblau: []\n      black: [", 1)
    )
    monkeypatch.setenv("REASEQ_TAXONOMY", str(merged))

    assert reaseq("enrich", "strange.csv").code == 0

    unmapped = reaseq("unmapped", "--json").document["unmapped"]
    assert "galaxieblau" in {value.value for value in load_taxonomy(merged).attributes["color"].values}
    assert ["Lava" in value["value"] for value in unmapped] == [True]


def test_nothing_to_propose_is_said(strange: Path) -> None:
    assert "nothing to propose" in reaseq("taxonomy", "propose", "--attribute", "power").errors


def test_a_template_is_shown_with_examples_of_the_knowledge_base_and_without_one(
    strange: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = reaseq("taxonomy", "show", "kitchen.kettles", "--json").document["properties"]
    table = reaseq("taxonomy", "show", "kitchen.kettles")
    monkeypatch.setenv("REASEQ_KB", "sqlite:///none.db")
    unknown = reaseq("taxonomy", "show", "kitchen.kettles", "--json").document["properties"]

    assert known["color"]["examples"] == [["red"]]
    assert "examples" not in unknown["color"]
    assert known["capacity"]["unit"] == "liter"
    assert "What they mean" in table.output
    assert not (strange / "none.db").exists()


def test_an_unknown_category_is_an_error_that_names_it(strange: Path) -> None:
    ran = reaseq("taxonomy", "show", "kitchen.kettls")

    assert ran.code == 1
    assert "kitchen.kettls" in ran.errors
