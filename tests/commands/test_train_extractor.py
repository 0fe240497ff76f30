"""`reaseq train-extractor`, with the real encoder."""

import json
from pathlib import Path

from agents.student.model_file import load_student
from memory.encoder import MiniLmEncoder
from tests.agents.student.made_up_titles import made_up_titles
from tests.commands.command_line import Ran, reaseq


def test_a_student_is_trained_and_written_to_a_file(tmp_path: Path) -> None:
    gold, out = tmp_path / "gold.jsonl", tmp_path / "student.npz"
    titles = made_up_titles(40, seed=0)
    lines = [annotated.model_dump(mode="json") for annotated in titles]
    gold.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    ran = reaseq("train-extractor", gold, "--out", out, "--json")

    assert ran.code == 0, ran.all
    assert (ran.document["titles"], ran.document["categories"], ran.document["attributes"]) == (40, 1, 3)
    encoder = MiniLmEncoder()
    student = load_student(out)
    assert student.encoder == encoder.name
    found = {f.attribute: f.value for f in student.read("Quixotry mug 70 ml, green", "Mug", encoder) if f.is_stated}
    assert found == {"Brand": "Quixotry", "Size": "70 ml", "Colour": "green"}


def test_a_bad_gold_file_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    gold, out = tmp_path / "gold.jsonl", tmp_path / "student.npz"
    gold.write_text('{"title": "Acme mug"}\n', encoding="utf-8")

    ran = reaseq("train-extractor", gold, "--out", out)

    assert ran.code == 1
    assert "line 1: category" in ran.errors
    assert not out.exists()


def test_a_student_learns_from_verified_knowledge(enriched: tuple[str, Ran], tmp_path: Path) -> None:
    out = tmp_path / "student.npz"

    ran = reaseq("train-extractor", "--from-kb", "--kb", enriched[0], "--out", out, "--json")

    assert ran.code == 0, ran.all
    student = load_student(out)
    assert ran.document["titles"] == 3
    assert {category.split(".")[0] for category in student.categories} <= {"kitchen", "clothing"}
    assert "brand" in {name for known in student.categories.values() for name in known.attributes}
    told = reaseq("trace", "kettles.csv", "--item", "K1", "--extractor", out)
    assert told.code == 0, told.all


def test_gold_and_a_knowledge_base_exclude_each_other(tmp_path: Path) -> None:
    assert reaseq("train-extractor", "--out", tmp_path / "student.npz").code == 2
