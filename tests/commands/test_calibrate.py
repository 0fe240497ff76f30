"""`reaseq calibrate`, and the aids of the extractor, through the command line."""

import json
import shutil
from pathlib import Path

import pytest

from commands.aids import aids_in
from commands.settings import Settings
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
        for n, split in enumerate(["train", "test", "dev", "Test"])
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
        assert len(showing) == (1 if str(line["split"]).lower() == "test" else 4), number


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


def test_a_calibration_that_is_no_better_elsewhere_is_told() -> None:
    reaseq("enrich", "kettles.csv")
    for item, attribute in [("K1", "color"), ("K2", "color"), ("K3", "color"), ("K1", "brand"), ("K2", "brand")]:
        reaseq("review", "accept" if item == "K1" else "reject", item, attribute)

    ran = reaseq("calibrate")

    assert ran.code == 0, ran.all
    assert "no better than what producers say" in ran.all


def test_without_a_judged_claim_there_is_nothing_to_fit() -> None:
    ran = reaseq("calibrate")

    assert ran.code == 1
    assert "no judged claim" in ran.errors


def test_a_knowledge_base_of_decisions_that_is_named_has_to_be_there() -> None:
    ran = reaseq("calibrate", "--reviews", "sqlite:///typo.db")

    assert ran.code == 1
    assert "typo.db" in ran.errors


def test_what_aids_will_not_do_is_told_before_the_run() -> None:
    Path("other.json").write_text(
        json.dumps({"model": "openai:other", "claims": 1, "intercept": 0, "weights": {}}), encoding="utf-8"
    )

    another = reaseq("enrich", "kettles.csv", "--limit", "1", "--calibration", "other.json")
    unused = reaseq("trace", "kettles.csv", "--item", "K1", "--approved-catalog", "kettles.csv")

    assert (another.code, unused.code) == (0, 0)
    assert "other.json was fitted on claims of openai:other, not of embedded:smollm2" in another.errors
    assert "nothing without --approved" in unused.errors


def test_texts_prompts_and_models_of_aids_make_results_stale() -> None:
    Path("gold.jsonl").write_text('{"id": "K1", "attributes": {"brand": "ACME"}}\n', encoding="utf-8")
    shutil.copytree(ROOT / "prompts", "mine")
    edited = Path("mine", "attribute_extractor.md")  # the embedded model has a stand-in for it, a stronger one has not
    aids = [
        "--approved",
        "gold.jsonl",
        "--approved-catalog",
        "texts.csv",
        "--escalate",
        "openai:m",
        "--prompts",
        "mine",
    ]
    reaseq("enrich", "kettles.csv", "--limit", "1")
    shutil.copy("kettles.csv", "texts.csv")
    first = {cause["why"] for cause in reaseq("stale", *aids, "--json").document["causes"]}
    before = provenance_print(aids)

    Path("texts.csv").write_text("sku,name\nK1,ACME kettle in other words\n", encoding="utf-8")
    other_texts = provenance_print(aids)
    edited.write_text(edited.read_text(encoding="utf-8") + "\nBe brief.\n", encoding="utf-8")
    other_prompt = provenance_print(aids)

    assert {"look_up", "demonstrations", "escalation"} <= {name for why in first for name in why.split("; ")}
    assert before["look_up"] != other_texts["look_up"]
    assert before["demonstrations"] != other_texts["demonstrations"]
    assert other_texts["escalation"] != other_prompt["escalation"]


def provenance_print(aids: list[str]) -> dict[str, str]:
    options = dict(zip(aids[::2], aids[1::2], strict=True))
    return dict(
        aids_in(
            Settings(
                approved=Path(options["--approved"]),
                approved_catalog=Path(options["--approved-catalog"]),
                escalate=options["--escalate"],
                prompts=Path(options["--prompts"]),
            )
        )
    )


def test_an_escalation_that_is_left_out_needs_no_price() -> None:
    Path("reaseq.toml").write_text('without = ["escalation"]\n', encoding="utf-8")

    ran = reaseq("enrich", "kettles.csv", "--limit", "1", "--budget", "1", "--escalate", "openai:unheard-of")

    assert ran.code == 0, ran.all


def test_a_stronger_model_that_cannot_be_is_told_without_a_run() -> None:
    ran = reaseq("enrich", "kettles.csv", "--dry-run", "--escalate", "foo")

    assert ran.code == 1
    assert "'foo' names no model" in ran.errors


def test_versions_name_the_aids_that_tell_them_apart() -> None:
    Path("other.json").write_text(
        json.dumps({"model": "embedded:smollm2", "claims": 1, "intercept": 0, "weights": {}}), encoding="utf-8"
    )
    reaseq("enrich", "kettles.csv", "--limit", "1")
    reaseq("enrich", "kettles.csv", "--limit", "1", "--calibration", "other.json", "--cascade")

    shown = " ".join(reaseq("kb", "versions").output.split())

    assert "another calibration" in shown
    assert "with cascade" in shown
    assert "((" not in shown


def test_lines_of_gold_and_of_approved_items_that_cannot_be_read_are_told() -> None:
    good = '{"id": "K1", "title": "ACME steel kettle 1.7 l", "attributes": {"brand": "ACME"}}'
    Path("some.jsonl").write_text(f"{good}\nno gold\n", encoding="utf-8")

    learnt = reaseq("enrich", "kettles.csv", "--limit", "1", "--approved", "some.jsonl")
    fitted = reaseq("calibrate", "some.jsonl")

    assert (learnt.code, fitted.code) == (0, 0), learnt.all + fitted.all
    assert "left out: some.jsonl, line 2" in learnt.errors
    assert "left out: some.jsonl, line 2" in fitted.errors
