"""The report of the benchmark: one file, no script, nothing from elsewhere; names and reasons stay texts."""

import numpy as np
import pytest

from evaluators.beyond_log.controls import controls
from evaluators.beyond_log.hiding import hide
from evaluators.beyond_log.judging import Jury, Sitting, verdict
from evaluators.beyond_log.metrics import Gold
from evaluators.beyond_log.nearness import Nearness
from evaluators.beyond_log.report import (
    BeyondLogProtocol,
    BeyondLogReport,
    Coverage,
    RankerEffect,
    Refused,
    SuggestionFile,
)
from evaluators.beyond_log.report_page import beyond_log_page
from evaluators.beyond_log.suggestions import suggested
from tests.evaluators.beyond_log.made_up_log import made_up_log, visible_part
from tests.evaluators.page_tags import HOSTILE, Tags


@pytest.fixture(scope="module")
def report() -> BeyondLogReport:
    """A report of two seeds, with a system whose name is hostile."""
    log, categories = made_up_log()
    near = Nearness.of(np.eye(60, dtype=np.float32), categories, 0.9)
    sittings: dict[str, Sitting] = {}
    for seed in (0, 1):
        hiding = hide(log, categories, seed=seed)
        jury = Jury(Gold(hiding, categories, near), cuts=(2, 4))
        for name, suggest in controls(visible_part(log, hiding.visible), categories).items():
            own = {name: name != "EASE", HOSTILE: False} if name == "EASE" else {name: True}
            for label, is_control in own.items():
                sitting = sittings.setdefault(label, Sitting(label, is_control, learned_from=HOSTILE))
                sitting.hear(jury, suggested(suggest, hiding, categories, 4), seed)
    found = verdict(_blank(), list(sittings.values()))
    effect = RankerEffect(system=HOSTILE, imagined=found.personal[:1], placebo=found.personal[1:2])
    return found.model_copy(update={"ranker": (effect,)})


def _blank() -> BeyondLogReport:
    refused = Refused(file=HOSTILE, line=3, reason=HOSTILE)
    return BeyondLogReport.model_construct(
        protocol=BeyondLogProtocol(
            data=HOSTILE,
            content_hash="0",
            hiding="drawn by seed",
            share=0.25,
            seeds=(0, 1),
            cuts=(2, 4),
            near=0.9,
            near_of_random=0.01,
            near_of_category=0.5,
            machine="two cores",
            notes=(HOSTILE,),
        ),
        coverage=Coverage(
            users=120,
            scored_users=120,
            behaviors=600,
            items=60,
            items_with_category=60,
            categories=12,
            hidden_behaviors=120,
            hidden_items=120,
            hidden_categories=120,
            unseen_items=0,
        ),
        files=(
            SuggestionFile(
                system=HOSTILE, files=(HOSTILE,), rows=9, refused_rows=1, refused=(refused,), users_without=2
            ),
        ),
        left_out=(HOSTILE,),
    )


def test_names_are_shown_as_texts_and_nothing_is_loaded(report: BeyondLogReport) -> None:
    page = beyond_log_page(report)

    tags = Tags(page).found
    assert not {tag for tag, _ in tags} & {"script", "img", "iframe", "object", "link", "base", "form"}
    assert not [
        name for _, attributes in tags for name in attributes if name.startswith("on") or name in ("src", "href")
    ]
    assert "{{ 7*7 }}" in page
    assert not [value for _, attributes in tags for value in attributes.values() if value in ("nan", "inf", "-inf")]


def test_the_gain_is_one_over_the_strongest_control_under_any_rule(report: BeyondLogReport) -> None:
    controls_alone = [judged for judged in report.systems if judged.is_control]

    strongest = report.judged(report.strongest["category recall@2"])

    assert strongest.metrics["category recall@2"].mean == max(
        j.metrics["category recall@2"].mean for j in controls_alone
    )
    assert {pair.before for pair in report.differences if pair.metric == "category recall@2"} == {strongest.label}
    assert "novelty@2" not in report.strongest
    assert "strongest control" in beyond_log_page(report)


def test_a_report_is_the_same_after_a_way_through_json(report: BeyondLogReport) -> None:
    assert BeyondLogReport.model_validate_json(report.model_dump_json()) == report
