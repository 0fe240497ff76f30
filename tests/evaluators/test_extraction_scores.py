"""Extraction scores, against cases counted by hand."""

import pytest

from evaluators.extraction_scores import Counts, add_up, score_item
from memory.category import AttributeSpec, AttributeType

SPECS = {
    "brand": AttributeSpec(key="brand", name="Brand", type=AttributeType.TEXT),
    "color": AttributeSpec(key="color", name="Color", type=AttributeType.TEXT, many=True),
}


def same(left: str, right: str, spec: AttributeSpec) -> bool:
    return left == right


def test_a_value_for_an_attribute_that_the_item_does_not_state_is_wrong() -> None:
    counts = score_item({"brand": ["Acme"]}, {}, SPECS, same)

    assert counts == {"brand": Counts(correct=0, predicted=1, found=0, gold=0)}


def test_any_of_the_acceptable_answers_counts_once_for_an_attribute_of_one_value() -> None:
    counts = score_item({"brand": ["Acme"]}, {"brand": ["Acme Ltd", "Acme"]}, SPECS, same)

    assert counts == {"brand": Counts(correct=1, predicted=1, found=1, gold=1)}


def test_each_value_counts_for_an_attribute_of_many() -> None:
    counts = score_item({"color": ["red", "green"]}, {"color": ["red", "blue", "black"]}, SPECS, same)

    assert counts == {"color": Counts(correct=1, predicted=2, found=1, gold=3)}


def test_precision_recall_and_f1_are_micro_averages_over_items() -> None:
    scores = add_up(
        [
            score_item({"brand": ["Acme"]}, {"brand": ["Acme"]}, SPECS, same),
            score_item({"brand": ["Wrong"]}, {"brand": ["Right"]}, SPECS, same),
            score_item({}, {"color": ["red", "blue"]}, SPECS, same),
        ]
    )

    assert scores.overall.precision == pytest.approx(1 / 2)
    assert scores.overall.recall == pytest.approx(1 / 4)
    assert scores.overall.f1 == pytest.approx(1 / 3)
    assert scores.by_attribute["brand"].recall == pytest.approx(1 / 2)
