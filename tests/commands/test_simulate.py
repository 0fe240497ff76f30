"""`reaseq simulate`: a log that reads like a shop's, and beside it the truth."""

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

from evaluators.shoppers.simulation import ShopperTruth
from tests.commands.command_line import ROOT, Ran, reaseq


def test_a_log_and_the_truth_are_written(enriched: tuple[str, Ran], tmp_path: Path) -> None:
    log, truth = tmp_path / "behaviors.csv", tmp_path / "truth.jsonl"

    ran = reaseq(
        "simulate", "--kb", enriched[0], "--shoppers", 40, "--seed", 7, "--out", log, "--truth", truth, "--json"
    )

    assert ran.code == 0, ran.all
    with log.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    truths = [ShopperTruth.model_validate_json(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    assert (ran.document["behaviors"], ran.document["hidden"]) == (len(rows), sum(len(t.hidden) for t in truths))
    assert Counter(row["user"] for row in rows).keys() <= {told.user for told in truths}
    assert {row["item"] for row in rows} <= {"K1", "K2", "K3"}
    assert all(row["time"].isdigit() and row["session"].startswith(row["user"]) for row in rows)
    assert len(truths) == 40


def test_equal_seeds_write_equal_bytes(enriched: tuple[str, Ran], tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        files = (tmp_path / f"{name}.csv", tmp_path / f"{name}.jsonl")
        reaseq("simulate", "--kb", enriched[0], "--shoppers", 5, "--out", files[0], "--truth", files[1])
        written.append([file.read_bytes() for file in files])

    assert written[0] == written[1]


def test_a_knowledge_base_that_is_missing_is_named(tmp_path: Path) -> None:
    log = tmp_path / "behaviors.csv"

    ran = reaseq("simulate", "--kb", f"sqlite:///{tmp_path}/none.db", "--out", log, "--truth", tmp_path / "t.jsonl")

    assert ran.code == 1
    assert "none.db" in ran.errors
    assert not log.exists()


def test_neither_torch_nor_polars_is_needed(enriched: tuple[str, Ran], tmp_path: Path) -> None:
    blocked = "import sys; sys.modules |= dict.fromkeys(['torch', 'polars', 'faiss', 'scipy']); import app; app.main()"
    arguments = ["simulate", "--kb", enriched[0], "--shoppers", "3", "--out", "log.csv", "--truth", "truth.jsonl"]

    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {blocked}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "log.csv").exists()
