"""The report of a ranking evaluation: one file, no script, nothing from elsewhere; labels and names stay texts."""

import re

import pytest
from pydantic import ValidationError

from evaluators.ranking.report import RankingReport
from evaluators.ranking.report_page import ranking_report_page
from tests.evaluators.page_tags import HOSTILE, Tags
from tests.evaluators.ranking.ranking_reports import click_through_report, next_item_report


@pytest.fixture(scope="module")
def hostile() -> RankingReport:
    return next_item_report(label=HOSTILE, attribute=HOSTILE)


def test_labels_and_attribute_names_are_shown_as_texts(hostile: RankingReport) -> None:
    page = ranking_report_page(hostile)

    tags = Tags(page).found
    assert not {tag for tag, _ in tags} & {"script", "img", "iframe", "object", "link", "base", "form"}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert "{{ 7*7 }}" in page


def test_nothing_is_loaded_from_elsewhere(hostile: RankingReport) -> None:
    page = ranking_report_page(hostile)

    assert not [a for _, attributes in Tags(page).found for a in attributes if a in ("src", "href", "xlink:href")]
    assert not re.search(r"url\(|@import", page)
    assert "default-src 'none'" in page


def test_each_plot_is_there_with_finite_places(hostile: RankingReport) -> None:
    tags = Tags(ranking_report_page(hostile)).found

    # The systems, differences by two metrics, four and five slices, the attributes.
    assert len([tag for tag, _ in tags if tag == "svg"]) == 1 + 2 + 4 + 5 + 1
    assert not [value for _, attributes in tags for value in attributes.values() if value in ("nan", "inf", "-inf")]
    assert all(0 <= float(at["cx"] or "") <= 640 for tag, at in tags if tag == "circle")


def test_the_page_says_how_figures_came_about_and_what_they_are_over() -> None:
    page = ranking_report_page(next_item_report())

    for told in ("leave one out, strict", "the whole catalog", "pessimistic", "0, 1, 2", "two cores", "the floor, kNN"):
        assert told in page


def test_a_logloss_that_falls_is_better_and_reliability_is_drawn() -> None:
    page = ranking_report_page(click_through_report())

    sides = re.findall(r'class="mean (\w*)"', page)
    assert sides == ["better", "better", "better"]
    assert "(less is better)" in page
    assert page.count('class="curve"') == 2


def test_attributes_come_in_order_of_what_they_bring() -> None:
    page = ranking_report_page(next_item_report())

    drawn = page[page.index("Which attributes move") :]
    assert drawn.index("brand") < drawn.index("color") < drawn.index("material")


@pytest.mark.parametrize("report", [next_item_report(), click_through_report()])
def test_a_report_is_the_same_after_a_way_through_json(report: RankingReport) -> None:
    assert RankingReport.model_validate_json(report.model_dump_json()) == report


def test_a_report_without_its_floor_is_refused() -> None:
    document = next_item_report().model_dump() | {"floor": "no such system"}

    with pytest.raises(ValidationError, match="no such system"):
        RankingReport.model_validate(document)


def test_a_report_of_one_system_alone_has_a_page() -> None:
    report = click_through_report()
    alone = RankingReport(protocol=report.protocol, metrics=report.metrics, floor="LR", systems=(report.systems[0],))

    page = ranking_report_page(alone)

    assert page.startswith("<!doctype html>")
    assert "Who gains over whom" not in page
