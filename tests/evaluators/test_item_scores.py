"""One item's score: each value is of one kind, a failed item found nothing, near categories count in part."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.annotated import AnnotatedTitle
from evaluators.extractgpt import AnswerKinds, score_answers, value_kinds
from evaluators.golden import GoldItem
from evaluators.hierarchy import PathOverlap, path_overlap
from evaluators.item_scores import SAME_DEMAND, Grading, Judged, score_item
from evaluators.predictions import Prediction
from tests.evaluators.gold_scores import LETTERS, said, value

MUG = GoldItem(
    item_id="1",
    category="Kitchen > Mugs",
    attributes={"brand": ("Acme", "ACME"), "colour": ("red", "blue"), "lid": ()},
)
COMPLETE = Grading(same=LETTERS.same, many=LETTERS.many, complete=True)

words = st.sampled_from(["a", "b", "c", "d"])
word_lists = st.lists(words, max_size=4, unique=True)


def test_alternatives_count_once_and_of_many_values_each() -> None:
    score = score_item(MUG, said(value("brand", "ACME"), value("colour", "red")), LETTERS)

    assert score.attributes == {"brand": AnswerKinds(vc=1), "colour": AnswerKinds(vc=1, vn=1), "lid": AnswerKinds(nn=1)}


def test_a_wrong_value_stands_for_a_missed_one_and_the_rest_is_too_much() -> None:
    said_of_it = said(value("colour", "red"), value("colour", "grey"), value("colour", "pink"), value("lid", "steel"))

    score = score_item(MUG, said_of_it, LETTERS)

    assert score.attributes["colour"] == AnswerKinds(vc=1, vw=1, nv=1)
    assert score.attributes["lid"] == AnswerKinds(nv=1)
    assert score.attributes["brand"] == AnswerKinds(vn=1)


def test_a_value_for_what_gold_does_not_name_is_wrong_only_where_gold_is_complete() -> None:
    answer = said(value("handle", "one", 0.4))

    loose, strict = score_item(MUG, answer, LETTERS), score_item(MUG, answer, COMPLETE)

    assert (loose.attributes["handle"], loose.judged) == (AnswerKinds(beside=1), ())
    assert strict.attributes["handle"] == AnswerKinds(nv=1)
    assert strict.judged == (Judged(confidence=0.4, right=False),)


def test_a_failed_item_found_nothing() -> None:
    score = score_item(MUG, Prediction(item_id="1", failure="answer_invalid"), LETTERS)

    assert score.failure == "answer_invalid"
    assert score.kinds == AnswerKinds(vn=3, nn=1)
    assert (score.category_right, score.overlap) == (False, PathOverlap(wanted=2))


def test_a_sibling_of_the_right_category_is_half_right() -> None:
    overlap = path_overlap(("Kitchen", "Bowls"), ("Kitchen", "Mugs"))

    assert (overlap.rates.precision, overlap.rates.recall, overlap.rates.f1) == (0.5, 0.5, 0.5)


def test_steps_below_a_wrong_step_do_not_count() -> None:
    assert path_overlap(("Garden", "Mugs"), ("Kitchen", "Mugs")).shared == 0
    assert path_overlap(("Kitchen",), ("Kitchen", "Mugs")).rates.precision == 1


def test_an_item_whose_category_nobody_said_counts_for_none() -> None:
    score = score_item(MUG.model_copy(update={"category": ""}), said(), LETTERS)

    assert (score.overlap, score.category_right) == (PathOverlap(), False)


@given(gold=word_lists, answers=word_lists, many=st.booleans())
def test_every_gold_value_and_every_answer_is_counted_once(gold: list[str], answers: list[str], many: bool) -> None:
    kinds = value_kinds(gold, answers, str.__eq__, many=many)

    assert kinds.vc + kinds.vw + kinds.vn == (len(gold) if many else min(1, len(gold)))
    assert kinds.vc + kinds.vw + kinds.nv == len(answers)
    assert 0 <= kinds.f1 <= 1


@given(gold=word_lists, answer=st.none() | words)
def test_one_answer_an_attribute_counts_as_the_paper_says(gold: list[str], answer: str | None) -> None:
    title = AnnotatedTitle(title="mug", category="mugs", attributes={"brand": tuple(gold)})

    kinds = value_kinds(gold, [] if answer is None else [answer], str.__eq__)

    assert kinds == score_answers([title], [{"brand": answer}]).micro


@given(st.permutations(["red", "grey", "pink", "blue"]))
def test_the_order_of_answers_is_of_no_account(order: list[str]) -> None:
    kinds = value_kinds(["red", "blue", "black"], order, str.__eq__, many=True)

    assert [kinds.precision, kinds.recall] == pytest.approx([1 / 2, 2 / 3])


def test_a_gold_demand_is_found_where_some_demand_comes_near_enough() -> None:
    gold = GoldItem(item_id="1", attributes={}, demands=("camping trips", "hiking", "picnics"))
    predicted = Prediction(item_id="1", demands=("camping", "mountain hikes"))

    def nearness(wanted: Sequence[str], found: Sequence[str]) -> list[float]:
        assert found == predicted.demands
        return [SAME_DEMAND, SAME_DEMAND - 0.01, 0.0][: len(wanted)]

    grading = Grading(same=LETTERS.same, nearness=nearness)
    scored, nothing_said = score_item(gold, predicted, grading), score_item(gold, Prediction(item_id="1"), grading)
    not_scored = score_item(gold, predicted, Grading(same=LETTERS.same))

    assert (scored.demands_wanted, scored.demands_found) == (3, 1)
    assert (nothing_said.demands_wanted, nothing_said.demands_found) == (3, 0)
    assert (not_scored.demands_wanted, not_scored.demands_found) == (0, 0)
