"""`--json`: one document on standard output, for every command that prints results."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

import app
from tests.agents.student.made_up_titles import made_up_titles
from tests.commands.command_line import ROOT, Ran, reaseq
from tests.commands.test_imagined import imagined_of

SAMPLE = ROOT / "memory" / "sample"
COMMANDS: dict[str, list[str]] = {
    "demo": ["--limit", "1", "--kb", "sqlite:///demo.db"],
    "enrich": ["kettles.csv", "--limit", "1", "--kb", "sqlite:///own.db"],
    "evaluate": [str(SAMPLE / "gold.jsonl"), "--catalog", str(SAMPLE / "catalog.csv"), "--sample", "1"],
    "calibrate": [str(SAMPLE / "gold.jsonl"), "--catalog", str(SAMPLE / "catalog.csv"), "--sample", "4"],
    "train-extractor": ["titles.jsonl", "--out", "student.npz"],
    "runs": [],
    "failures": [],
    "stale": [],
    "behaviors import": ["clicks.csv"],
    "behaviors show": [],
    "behaviors delete": ["--user", "ann"],
    "ranker train": ["--config", "small.toml"],
    "ranker evaluate": ["--config", "small.toml"],
    "ranker rank": ["--user", "u00001"],
    "ranker ablate": ["--config", "small.toml", "--attributes", "0"],
    "ranker plan": ["first.json"],
    "benchmark beyond-log": ["--data", "log.csv", "--controls-only"],
    "ranker export": ["--onnx", "clicks.onnx"],
    "impact": ["--max-revisions", "1", "--no-ranking"],
    "impact list": [],
    "impact show": [],
    "impact ship": ["--force"],
    "impact rollback": [],
    "diffusion train": ["--config", "diffusion.toml"],
    "diffusion evaluate": ["--config", "diffusion.toml"],
    "diffusion generate": ["--held-out", "8"],
    "diffusion show": ["u00001"],
    "diffusion forget": ["u00001"],
    "diffusion allow": ["u00001"],
    "simulate": ["--shoppers", "5", "--out", "log.csv", "--truth", "truth.jsonl"],
    "vectors build": [],
    "vectors list": [],
    "vectors neighbors": ["S00"],
    "vectors align": ["--epochs", "1"],
    "review list": [],
    "review accept": ["K1", "color"],
    "review correct": ["K1", "color", "blue"],
    "review reject": ["K1", "color"],
    "review export": ["--out", "gold.jsonl"],
    "unmapped": [],
    "taxonomy show": ["kitchen.kettles"],
    "taxonomy propose": ["--out", "proposed.yaml"],
    "kb versions": [],
    "kb diff": ["1", "1"],
    "kb use": ["1"],
    "kb prune": [],
    "kb copy": ["sqlite:///own.db", "sqlite:///copied.db"],
    "trace": ["kettles.csv", "--item", "K1"],
    "replay": ["1", "--from", "critic"],
    "traces": [],
    "traces show": ["1"],
    "traces prune": [],
    "show": ["K1", "--graph"],
    "graph": ["K1"],
    "export": ["--format", "csv", "--out", "out.csv"],
    "models": [],
    "settings": [],
    "prompts list": [],
    "prompts show": ["critic"],
    "prompts render": ["critic", "--item", "S001"],
    "prompts lint": ["--item", "S001"],
    "prompts diff": ["critic", "--other", str(ROOT / "prompts"), "--item", "S001"],
    "prompts history": ["attribute_extractor"],
    "prompts new": ["critic", "--from", "critic", "--prompts", "own-prompts"],
    "prompts export": ["critic", "critic.prompty"],
    "prompts import": ["critic.prompty", "--as", "critic", "--prompts", "own-prompts"],
}

MAY_BE_EMPTY = {"prompts lint"}  # the bundled prompts have no findings
IMPACT = ["impact", "--max-revisions", "1", "--no-ranking"]
BEFORE: dict[str, list[str]] = {
    "ranker plan": ["ranker", "ablate", "--config", "small.toml", "--attributes", "1", "--priorities", "first.json"],
    "ranker export": ["ranker", "train", "--config", "small.toml"],
    **{f"impact {name}": IMPACT for name in ("list", "show", "ship", "rollback")},
    "replay": ["trace", "kettles.csv", "--item", "K1"],
    "traces": ["trace", "kettles.csv", "--item", "K1"],
    "traces show": ["trace", "kettles.csv", "--item", "K1"],
    "prompts import": ["prompts", "export", "critic", "critic.prompty"],
    "ranker rank": ["ranker", "train", "--config", "small.toml"],
    "diffusion generate": ["diffusion", "train", "--config", "diffusion.toml", "--held-out", "8"],
    "vectors list": ["vectors", "build"],
    "vectors neighbors": ["vectors", "build"],
    "vectors align": ["vectors", "build"],
}


def test_every_command_that_has_the_option_is_tested_here() -> None:
    assert set(commands_with_json()) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_output_is_one_document(
    command: str, enriched: tuple[str, Ran], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REASEQ_KB", enriched[0])
    if command.startswith(("benchmark", "ranker", "vectors", "diffusion")):
        monkeypatch.setenv("REASEQ_KB", request.getfixturevalue("shop"))
        Path("diffusion.toml").write_text("epochs = 1\nwidth = 16\nlayers = 1\nnegatives = 0\n", encoding="utf-8")
    if command == "diffusion show":
        imagined_of("u00001", "sqlite:///shop.db")
    if command.startswith(("review", "behaviors", "trace", "replay", "kb copy", "impact")):
        shutil.copy(enriched[0].removeprefix("sqlite:///"), "own.db")  # what is decided there stays
        monkeypatch.setenv("REASEQ_KB", "sqlite:///own.db")
    if before := BEFORE.get(command):
        assert reaseq(*before).code == 0
    if command == "behaviors import":
        Path("clicks.csv").write_text("user,item,time\nann,K1,2026-03-01\n", encoding="utf-8")
    if command == "demo":
        monkeypatch.delenv("REASEQ_TAXONOMY")  # its sample is of all departments
    if command == "train-extractor":
        lines = [annotated.model_dump_json() for annotated in made_up_titles(12, seed=0)]
        Path("titles.jsonl").write_text("\n".join(lines), encoding="utf-8")

    ran = reaseq(*command.split(), *COMMANDS[command], "--json")

    assert ran.code == 0, ran.errors
    assert ran.document or command in MAY_BE_EMPTY


def test_a_trace_gives_what_each_step_found_as_data() -> None:
    document = reaseq("trace", "kettles.csv", "--item", "K1", "--json").document

    updates = {step["node"]: step["update"] for step in document["steps"]}
    assert updates["category_expert"]["category"]["category_id"] == "kitchen.kettles"
    assert {claim["name"] for claim in updates["attribute_extractor"]["claims"]} >= {"brand", "color"}
    assert {verdict["decision"] for verdict in updates["critic"]["verdicts"]} == {"accept"}
    assert document["enrichment"]["summary"] == updates["summarizer"]["summary"]


def test_a_failure_leaves_standard_output_empty() -> None:
    ran = reaseq("show", "K9", "--json")

    assert ran.code == 1
    assert ran.output == ""


def test_a_file_name_that_is_no_text_is_still_told(enriched: tuple[str, Ran]) -> None:
    ran = reaseq("export", "--format", "jsonl", "--out", "\udcff.jsonl", "--kb", enriched[0], "--json")

    assert ran.code == 0
    assert ran.document["file"] == "?.jsonl"


def commands_with_json() -> Iterator[str]:
    """Yield the names of the commands that have `--json`."""
    waiting = [("", typer.main.get_command(app.app))]
    while waiting:
        name, command = waiting.pop()
        if isinstance(command, TyperGroup):
            waiting += [(f"{name} {inner}".strip(), sub) for inner, sub in command.commands.items()]
        if any("--json" in parameter.opts for parameter in command.params):
            yield name
