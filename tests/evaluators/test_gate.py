"""Comparison, gate and marginal worth, on scores made by hand."""

from pathlib import Path

import pytest

from evaluators.comparison import DifferentItems, compare
from evaluators.evaluation import EvaluationUnreadable, Protocol, fingerprint_of, read_evaluation
from evaluators.extractgpt import AnswerKinds
from evaluators.gate import ruled
from evaluators.golden import GoldItem
from evaluators.marginal import marginal
from tests.evaluators.gold_scores import evaluation, score

RIGHT, WRONG, MISSED = AnswerKinds(vc=1), AnswerKinds(vw=1), AnswerKinds(vn=1)
GOOD = [score(f"{n:02}", RIGHT) for n in range(30)]
BAD = [score(f"{n:02}", WRONG if n < 12 else RIGHT) for n in range(30)]


def test_an_evaluation_passes_the_gate_that_it_made_itself() -> None:
    ruling = ruled(evaluation(GOOD), evaluation(GOOD), file="gate.json", tolerance=0, seed=0)

    assert (ruling.passed, ruling.reasons) == (True, ())


def test_a_sure_loss_of_f1_fails_and_a_gain_does_not() -> None:
    loss = ruled(evaluation(GOOD), evaluation(BAD), file="gate.json", tolerance=0, seed=0)
    gain = ruled(evaluation(BAD), evaluation(GOOD), file="gate.json", tolerance=0, seed=0)

    assert not loss.passed
    assert loss.reasons[0].startswith("F1 fell from 100.0% to 60.0%")
    assert gain.passed


def test_a_sure_loss_of_category_accuracy_fails_alone() -> None:
    worse = [score(s.item_id, RIGHT, category_right=n > 12) for n, s in enumerate(GOOD)]

    ruling = ruled(evaluation(GOOD), evaluation(worse), file="gate.json", tolerance=0, seed=0)

    assert [reason.split(" fell")[0] for reason in ruling.reasons] == ["category accuracy"]


def test_one_item_of_thirty_is_no_sure_loss() -> None:
    slip = [score(s.item_id, WRONG if n == 0 else RIGHT) for n, s in enumerate(GOOD)]

    assert ruled(evaluation(GOOD), evaluation(slip), file="gate.json", tolerance=0, seed=0).passed


def test_other_gold_or_another_protocol_fails_and_is_not_compared() -> None:
    fewer = evaluation(GOOD[:20])
    exact = evaluation(GOOD).model_copy(update={"protocol": Protocol(match="exact", complete=False)})

    of_other_gold = ruled(evaluation(GOOD), fewer, file="gate.json", tolerance=0, seed=0)
    of_other_rules = ruled(evaluation(GOOD), exact, file="gate.json", tolerance=0, seed=0)

    assert (of_other_gold.passed, of_other_gold.comparison) == (False, None)
    assert of_other_gold.reasons == ("the gold differs: 30 items then, 20 now, not all the same",)
    assert of_other_rules.reasons == ("the protocol differs: match normal then, exact now",)


def test_the_fingerprint_of_gold_is_of_its_content_not_its_order() -> None:
    one, other = (GoldItem(item_id=name, attributes={"brand": ("Acme",)}) for name in "ab")

    assert fingerprint_of([one, other]) == fingerprint_of([other, one])
    assert fingerprint_of([one]) != fingerprint_of([one.model_copy(update={"attributes": {"brand": ("Bolt",)}})])


def test_wins_and_losses_are_listed_with_what_changed() -> None:
    before = [score("1", RIGHT), score("2", MISSED), score("3", RIGHT), score("4", WRONG)]
    after = [score("1", WRONG), score("2", RIGHT), score("3", RIGHT, category_right=False), score("4", WRONG)]

    found = compare(before, after, seed=0)

    assert [(change.item_id, change.gained) for change in found.wins] == [("2", ("brand",))]
    assert [(change.item_id, change.lost) for change in found.losses] == [("1", ("brand",)), ("3", ("category",))]


def test_evaluations_of_other_items_are_not_compared() -> None:
    with pytest.raises(DifferentItems, match="'29'"):
        compare(GOOD, GOOD[:-1], seed=0)


def test_an_agent_is_worth_its_points_by_the_tokens_it_takes() -> None:
    with_it = [score(s.item_id, RIGHT, tokens=500) for s in GOOD]
    without = [score(s.item_id, WRONG if n < 6 else RIGHT, tokens=300) for n, s in enumerate(GOOD)]

    found = marginal("critic", "no critic", without, with_it, seed=0)

    assert found.f1.difference == pytest.approx(0.2)
    assert found.f1_per_1000_tokens == pytest.approx(1.0)  # 0.2 of F1 for 200 tokens


def test_an_agent_that_takes_no_tokens_has_no_rate() -> None:
    assert marginal("critic", "no critic", BAD, GOOD, seed=0).f1_per_1000_tokens is None


def test_a_stored_evaluation_reads_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    found = evaluation(BAD)
    path.write_text(found.model_dump_json(), encoding="utf-8")

    assert read_evaluation(path) == found


def test_a_file_that_is_no_evaluation_is_named(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    with pytest.raises(EvaluationUnreadable, match="cannot be read"):
        read_evaluation(path)
    path.write_text('{"kind": "something else"}', encoding="utf-8")

    with pytest.raises(EvaluationUnreadable, match="is no evaluation: kind"):
        read_evaluation(path)
