"""The report: one file, no script, nothing from elsewhere; texts of items stay texts."""

import re

import pytest

from evaluators.comparison import compare
from evaluators.evaluation import Evaluation
from evaluators.extractgpt import AnswerKinds
from evaluators.gate import ruled
from evaluators.marginal import marginal
from evaluators.report_page import report_page
from tests.evaluators.gold_scores import evaluation, score
from tests.evaluators.page_tags import HOSTILE, Tags

RIGHT, WRONG = AnswerKinds(vc=1), AnswerKinds(vw=1)
BEFORE = [score(f"{n}", RIGHT).model_copy(update={"title": HOSTILE, "category": HOSTILE}) for n in range(8)]
AFTER = [s.model_copy(update={"attributes": {HOSTILE: WRONG if n < 5 else RIGHT}}) for n, s in enumerate(BEFORE)]


@pytest.fixture(scope="module")
def found() -> Evaluation:
    """An evaluation with everything that a report may show."""
    alone = evaluation(AFTER, HOSTILE, notes=(HOSTILE,), file=HOSTILE)
    earlier = evaluation(BEFORE)
    return alone.model_copy(
        update={
            "compared": earlier.system,
            "comparison": compare(BEFORE, AFTER, labels=("old", HOSTILE), seed=0),
            "marginals": (marginal(HOSTILE, HOSTILE, AFTER, BEFORE, seed=0),),
            "gate": ruled(earlier, evaluation(AFTER), file=HOSTILE, tolerance=0, seed=0),
        }
    )


def test_texts_of_items_are_shown_as_texts(found: Evaluation) -> None:
    page = report_page(found)

    tags = Tags(page).found
    assert not {tag for tag, _ in tags} & {"script", "img", "iframe", "object", "link", "base", "form"}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert "{{ 7*7 }}" in page


def test_nothing_is_loaded_from_elsewhere(found: Evaluation) -> None:
    page = report_page(found)

    assert not [a for _, attributes in Tags(page).found for a in attributes if a in ("src", "href", "xlink:href")]
    assert not re.search(r"url\(|@import", page)


def test_each_plot_is_there_with_finite_places(found: Evaluation) -> None:
    tags = Tags(report_page(found)).found

    assert len([tag for tag, _ in tags if tag == "svg"]) == 6  # two comparisons, marginals, reliability, two of bars
    assert not [value for _, attributes in tags for value in attributes.values() if value in ("nan", "inf", "-inf")]


def test_an_evaluation_of_nothing_right_and_nothing_judged_has_a_page() -> None:
    empty = evaluation([score("1", AnswerKinds(vn=1)).model_copy(update={"judged": ()})])

    page = report_page(empty)

    assert page.startswith("<!doctype html>")
    assert "No claim could be judged" in page
