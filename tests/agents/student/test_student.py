"""The student, trained on made-up titles: what it reads, and how it is kept."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from agents.student.model_file import StudentFileInvalid, load_student, save_student
from agents.student.student import Student
from agents.student.training import TrainingError, TrainingStep, train_student
from evaluators.annotated import AnnotatedTitle
from evaluators.extractgpt import score_answers
from tests.agents.student.made_up_titles import ENCODER, made_up_titles


@pytest.fixture(scope="module")
def student() -> Student:
    return train_student(made_up_titles(60, seed=0), ENCODER)


def test_titles_it_has_not_seen_are_read(student: Student) -> None:
    gold = made_up_titles(40, seed=9)

    found = [student.read(annotated.title, annotated.category, ENCODER) for annotated in gold]

    answers = [{f.attribute: f.value for f in findings if f.is_stated} for findings in found]
    assert score_answers(gold, answers).micro.strict_f1 > 0.95


def test_a_brand_never_seen_is_found_by_where_it_stands(student: Student) -> None:
    findings = student.read("Quixotry travel mug 350 ml, green", "Mug", ENCODER)

    read = {finding.attribute: finding.value for finding in findings if finding.is_answer}
    assert read == {"Brand": "Quixotry", "Size": "350 ml", "Colour": "green"}


def test_every_finding_is_a_span_of_the_title(student: Student) -> None:
    title = "  Acme – mug\t350 ml, dark  blue 🙂 \ud800"

    findings = student.read(title, "Mug", ENCODER)

    assert [finding.attribute for finding in findings] == ["Brand", "Colour", "Size"]
    assert all(title[f.start : f.end] == f.value for f in findings)
    assert all(0 <= f.share <= 1 and 0 <= f.stated <= 1 for f in findings)


@pytest.mark.parametrize(("title", "category"), [("Acme mug", "Sofa"), ("…", "Mug"), (" ", "Mug")])
def test_an_unknown_category_and_a_title_without_words_give_nothing(
    student: Student, title: str, category: str
) -> None:
    assert student.read(title, category, ENCODER) == []


def test_the_same_titles_make_the_same_student() -> None:
    titles = made_up_titles(12, seed=2)

    one, other = (train_student(titles, ENCODER, most_steps=3) for _ in range(2))

    for name, array in one.segmenter.items():
        np.testing.assert_array_equal(array, other.segmenter[name])


def test_each_step_of_training_is_told_and_lessens_the_loss() -> None:
    steps: list[TrainingStep] = []

    train_student(made_up_titles(12, seed=2), ENCODER, most_steps=4, report=steps.append)

    assert [(step.reader, step.number) for step in steps] == [
        (reader, number) for reader in ("chooser", "segmenter") for number in range(1, 5)
    ]
    assert steps[3].loss < steps[0].loss


def test_without_annotated_attributes_there_is_nothing_to_learn() -> None:
    bare = AnnotatedTitle(title="Acme mug", category="Mug", attributes={})

    with pytest.raises(TrainingError, match="no title"):
        train_student([bare], ENCODER)


def test_a_student_reads_the_same_after_it_was_kept_in_a_file(student: Student, tmp_path: Path) -> None:
    path = tmp_path / "student.npz"

    save_student(student, path)
    loaded = load_student(path)

    for annotated in made_up_titles(10, seed=5):
        before, after = (s.read(annotated.title, "Mug", ENCODER) for s in (student, loaded))
        assert [(f.attribute, f.value) for f in before] == [(f.attribute, f.value) for f in after]
        assert [f.share for f in after] == pytest.approx([f.share for f in before], abs=0.02)


def test_a_file_that_is_no_student_is_named(student: Student, tmp_path: Path) -> None:
    path = tmp_path / "student.npz"
    save_student(student, path)
    whole = path.read_bytes()

    for content in (b"", b"text", whole[: len(whole) // 2], whole[:400] + b"\0" * 40 + whole[440:]):
        path.write_bytes(content)

        with pytest.raises(StudentFileInvalid, match=r"student\.npz"):
            load_student(path)


def test_a_pickle_in_the_file_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "student.npz"
    np.savez(path, header=np.array([{"format": "reaseq-student/2"}], dtype=object))

    with pytest.raises(StudentFileInvalid, match="allow_pickle"):
        load_student(path)


def test_a_student_of_an_earlier_format_is_refused(student: Student, tmp_path: Path) -> None:
    path, old = tmp_path / "student.npz", tmp_path / "old.npz"
    save_student(student, path)
    with np.load(path) as arrays:
        header = json.loads(arrays["header"].tobytes()) | {"format": "reaseq-student/1"}
        np.savez(old, **{**arrays, "header": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)})

    with pytest.raises(StudentFileInvalid, match=r"old\.npz is no student of this version: .*reaseq-student/2"):
        load_student(old)


def test_a_header_that_points_beyond_its_lists_is_refused(student: Student, tmp_path: Path) -> None:
    path, forged = tmp_path / "student.npz", tmp_path / "forged.npz"
    save_student(student, path)
    with zipfile.ZipFile(path) as archive, np.load(path) as arrays:
        assert "header.npy" in archive.namelist()
        header = json.loads(arrays["header"].tobytes())
        header["categories"][0]["token_features"][0] = 10**9
        changed = {**arrays, "header": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)}
    np.savez(forged, **changed)

    with pytest.raises(StudentFileInvalid, match="beyond"):
        load_student(forged)


def test_who_is_only_asked_for_what_is_there_answers_though_unsure_whether_it_is(student: Student) -> None:
    asked = made_up_titles(60, seed=0)
    stated_alone = [
        annotated.model_copy(update={"attributes": {n: v for n, v in annotated.attributes.items() if v}})
        for annotated in asked
    ]

    never_in_vain = train_student(stated_alone, ENCODER)

    title = "Acme mug 350 ml"
    colours = [
        next(f for f in s.read(title, "Mug", ENCODER) if f.attribute == "Colour") for s in (student, never_in_vain)
    ]
    assert (student.absent_asked, never_in_vain.absent_asked) == (1, 0)
    assert colours[0].stated_if_asked == pytest.approx(colours[0].stated)
    assert colours[1].stated_if_asked == 1
    assert [colour.is_stated for colour in colours] == [False, False]
