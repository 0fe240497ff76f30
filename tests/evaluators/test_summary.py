"""What scores add up to."""

import random

import pytest

from evaluators.extractgpt import AnswerKinds
from evaluators.item_scores import ItemScore
from evaluators.summary import summarize
from tests.evaluators.gold_scores import score

RIGHT, WRONG = AnswerKinds(vc=1), AnswerKinds(vw=1)


def test_micro_counts_values_and_macro_counts_attributes() -> None:
    scores = [
        ItemScore(item_id="1", category="mugs", attributes={"brand": AnswerKinds(vc=3), "lid": AnswerKinds(vn=1)}),
        ItemScore(item_id="2", category="bowls", attributes={"brand": AnswerKinds(vc=1)}),
    ]

    found = summarize(scores, 0.95)

    assert found.micro.f1 == pytest.approx(8 / 9)
    assert found.macro_f1 == pytest.approx(2 / 3)  # brand of mugs 1, lid of mugs 0, brand of bowls 1
    assert [(group.name, group.rates.f1) for group in found.by_attribute] == [("brand", 1), ("lid", 0)]
    assert [group.name for group in found.by_category] == ["mugs", "bowls"]


def test_values_that_nobody_looked_for_lower_the_strict_precision_alone() -> None:
    found = summarize([score("1", AnswerKinds(vc=1, beside=1))], 0.95)

    assert (found.micro.precision, found.strict.precision) == (1, 0.5)
    assert (found.micro.recall, found.strict.recall) == (1, 1)


def test_items_without_a_result_or_without_a_category_are_told() -> None:
    failed = score("2", AnswerKinds(vn=1), category_right=False).model_copy(update={"failure": "answer_invalid"})
    unsaid = score("3", RIGHT).model_copy(update={"wanted_path": ()})

    found = summarize([score("1", RIGHT), failed, unsaid], 0.95)

    assert (found.items, found.failed, found.categorized, found.category_accuracy) == (3, 1, 2, 0.5)


def test_tokens_are_a_mean_over_items() -> None:
    found = summarize([score("1", RIGHT, tokens=100), score("2", WRONG, tokens=50)], 0.95)

    assert found.tokens_an_item == 75


def test_nothing_gives_zeros() -> None:
    found = summarize([], 0.95)

    assert (found.items, found.micro.f1, found.macro_f1, found.grounded, found.threshold) == (0, 0, 0, 0, None)


def test_the_order_of_items_is_of_no_account() -> None:
    scores = [score(str(n), RIGHT if n % 3 else WRONG, tokens=n) for n in range(20)]

    assert summarize(scores, 0.95) == summarize(random.Random(1).sample(scores, 20), 0.95)


def test_demands_are_counted_over_all_items_and_without_gold_there_is_no_share() -> None:
    scores = [
        score("1", RIGHT).model_copy(update={"demands_wanted": 3, "demands_found": 1}),
        score("2", RIGHT).model_copy(update={"demands_wanted": 1, "demands_found": 1}),
    ]

    found, without = summarize(scores, 0.95), summarize([score("3", RIGHT)], 0.95)

    assert (found.demands_wanted, found.demand_recall) == (4, 0.5)
    assert (without.demands_wanted, without.demand_recall) == (0, 0)
