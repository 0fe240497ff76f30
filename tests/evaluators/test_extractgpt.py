"""The ExtractGPT protocol, against cases counted by hand."""

import pytest

from evaluators.annotated import AnnotatedTitle
from evaluators.extractgpt import AnswerKinds, score_answers

MUG = AnnotatedTitle(
    title="Acme Red Mug 350 ml",
    category="Mug",
    attributes={"Brand": ("Acme",), "Colour": ("Red", "Red Mug"), "Material": (), "Size": ("350 ml",)},
)


def test_each_answer_is_of_one_of_five_kinds() -> None:
    answer = {"Brand": "Acme", "Colour": None, "Material": "clay", "Size": "350"}

    kinds = score_answers([MUG], [answer]).micro

    assert kinds == AnswerKinds(vc=1, vn=1, nv=1, vw=1)
    assert (kinds.precision, kinds.recall, kinds.f1) == (1 / 3, 1 / 3, 1 / 3)


def test_saying_that_an_absent_attribute_is_absent_costs_and_earns_nothing() -> None:
    answer = {"Brand": "Acme", "Colour": "Red", "Material": None, "Size": "350 ml"}

    kinds = score_answers([MUG], [answer]).micro

    assert kinds == AnswerKinds(vc=3, nn=1)
    assert kinds.f1 == 1


def test_any_gold_value_is_right_and_only_letter_by_letter() -> None:
    second, lower_case = {"Colour": "Red Mug"}, {"Colour": "red mug"}

    scores = [score_answers([MUG], [answer]).by_attribute["Mug", "Colour"] for answer in (second, lower_case)]

    assert scores == [AnswerKinds(vc=1), AnswerKinds(vw=1)]


def test_a_value_for_an_attribute_nobody_looked_for_counts_in_the_strict_score_alone() -> None:
    answer = {"Brand": "Acme", "Colour": "Red", "Size": "350 ml", "Handle": "one", "Lid": None}

    kinds = score_answers([MUG], [answer]).micro

    assert kinds.beside == 1
    assert kinds.f1 == 1
    assert kinds.strict_f1 == pytest.approx(6 / 7)  # precision 3/4, recall 1


def test_macro_is_the_mean_over_category_and_attribute_however_rare() -> None:
    bowl = AnnotatedTitle(title="Acme Bowl", category="Bowl", attributes={"Brand": ("Acme",), "Lid": ()})
    answers = [{"Brand": "Acme"}, {"Brand": "Acme"}, {"Brand": "Bowl"}]

    scores = score_answers([bowl, bowl, bowl.model_copy(update={"category": "Dish"})], answers)

    assert scores.micro.f1 == pytest.approx(2 / 3)
    assert scores.macro_f1 == pytest.approx(1 / 2)  # Bowl's brand 1, Dish's brand 0; the lids say nothing


def test_nothing_predicted_scores_zero_and_does_not_fail() -> None:
    kinds = score_answers([MUG], [{}]).micro

    assert (kinds.precision, kinds.recall, kinds.f1, kinds.strict_f1) == (0, 0, 0, 0)


def test_an_answer_too_few_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        score_answers([MUG, MUG], [{}])
