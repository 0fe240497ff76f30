"""`reaseq calibrate`, and the aids of the extractor, through the command line."""

import json
from pathlib import Path

import pytest

from tests.commands.command_line import ROOT, reaseq
from tests.commands.willing_model import willing
from tests.loopback_provider import Asked, LoopbackProvider

SAMPLE = ROOT / "memory" / "sample"
GOLD = [SAMPLE / "gold.jsonl", "--catalog", SAMPLE / "catalog.csv", "--complete"]


@pytest.fixture(autouse=True)
def _all_departments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REASEQ_TAXONOMY")  # the sample is of all of them


def test_confidences_are_fitted_and_written_with_what_that_is_worth_elsewhere(tmp_path: Path) -> None:
    out = tmp_path / "calibration.json"

    ran = reaseq("calibrate", *GOLD, "--sample", "12", "--target-precision", "0.8", "--out", out, "--json")

    assert ran.code == 0, ran.all
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written == ran.document["calibration"]
    assert written["model"] == "embedded:smollm2"
    assert written["claims"] == ran.document["held_out"]["claims"] > 20
    assert set(ran.document["held_out"]["coverage"]) == {"mean", "deviation"}


def test_a_named_calibration_leaves_unsure_claims_to_a_person_and_never_is_undone_by_abstaining_less() -> None:
    never = {"*": {"confidence": 1.01, "claims": 0, "right": 0, "lower_bound": 0}}
    Path("never.json").write_text(
        json.dumps({"model": "m", "claims": 1, "intercept": 0, "weights": {}, "thresholds": never}), encoding="utf-8"
    )

    kept = reaseq("enrich", "kettles.csv", "--limit", "1", "--calibration", "never.json", "--json").document
    free = reaseq(
        "enrich", "kettles.csv", "--limit", "1", "--calibration", "never.json", "--no-abstain", "--json"
    ).document

    assert set(kept["claims"]) == {"abstain"}
    assert set(free["claims"]) == {"accept"}
    shown = reaseq("show", "K1").all
    assert "accept" in shown or "abstain" in shown


def test_no_item_of_a_test_split_reaches_a_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        {"id": f"G{n}", "split": split, "title": f"Kettle {split} {n} 1.7 l", "category": "kitchen.kettles",
         "attributes": {"brand": f"Kettle {split} {n}"}}
        for n, split in enumerate(["train", "test", "dev", "test"])
    ]  # fmt: skip
    Path("approved.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    asked: list[Asked] = []

    def answer(question: Asked) -> object:
        asked.append(question)
        return willing(question)

    with LoopbackProvider(answer) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        ran = reaseq("evaluate", "approved.jsonl", "--model", "openai:m", "--approved", "approved.jsonl", "--json")

    assert ran.code == 0, ran.all
    extraction = [question.text for question in asked if "claims" in question.schema["properties"]]
    assert len(extraction) == 4
    for number, line in enumerate(lines):
        showing = [text for text in extraction if str(line["title"]) in text]
        # Its own question, and the others' demonstrations unless it is of the test split.
        assert len(showing) == (1 if line["split"] == "test" else 4), number


def test_settings_that_name_no_file_are_told() -> None:
    ran = reaseq("enrich", "kettles.csv", "--limit", "1", "--extractor", "missing.npz")

    assert ran.code == 1
    assert "missing.npz" in ran.errors


def test_what_a_person_approved_is_looked_up_in_other_items_and_judges_confidences() -> None:
    Path("more.csv").write_text("sku,name\nN1,New season: the ACME steel kettle 2 l\n", encoding="utf-8")
    reaseq("enrich", "kettles.csv")
    decided = reaseq("review", "accept", "K1", "brand")

    ran = reaseq("enrich", "more.csv")
    shown = reaseq("show", "N1", "--json").document
    calibrated = reaseq("calibrate", "--json")

    assert (decided.code, ran.code, calibrated.code) == (0, 0, 0), decided.all + ran.all + calibrated.all
    brands = [claim for claim in shown["enrichment"]["claims"] if claim["name"] == "brand"]
    assert [(claim["normalized"], claim["producer"]) for claim in brands] == [("ACME", "lookup")]
    assert calibrated.document["calibration"]["claims"] == 1


def test_without_a_judged_claim_there_is_nothing_to_fit() -> None:
    ran = reaseq("calibrate")

    assert ran.code == 1
    assert "no judged claim" in ran.errors
