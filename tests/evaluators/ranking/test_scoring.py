"""Metrics of systems over seeds and slices."""

import numpy as np
import pytest

from evaluators.ranking.click_through import auc, gauc
from evaluators.ranking.scoring import click_through_metrics, compared, next_item_metrics, scored, sliced
from evaluators.ranking.slices import Slice
from tests.evaluators.ranking.ranking_reports import next_item_report

USERS = [1, 1, 2, 3]


def test_figures_are_means_over_seeds_with_their_spread() -> None:
    seeds = [next_item_metrics(USERS, ranks, (1,)) for ranks in ([1, 2, 1, 9], [1, 1, 1, 9])]

    found = scored("ours", seeds)

    assert found.metrics["HR@1"].mean == pytest.approx((0.5 + 0.75) / 2)
    assert found.spread["HR@1"] == pytest.approx(np.std([0.5, 0.75], ddof=1))
    assert scored("ours", seeds[:1]).spread == {}


def test_seeds_on_different_events_are_refused() -> None:
    seeds = [next_item_metrics(users, [1, 2, 1, 9], (1,)) for users in (USERS, [1, 2, 2, 3])]

    with pytest.raises(ValueError, match="same events"):
        scored("ours", seeds)


def test_a_difference_is_that_of_means_over_seeds() -> None:
    before = [next_item_metrics(USERS, [9, 2, 1, 9], (1,))]
    after = [next_item_metrics(USERS, ranks, (1,)) for ranks in ([1, 2, 1, 9], [1, 1, 1, 9])]

    found = compared("HR@1", ("old", before), ("new", after))

    assert (found.before, found.after) == ("old", "new")
    assert found.difference.difference == pytest.approx(0.625 - 0.25)


def test_click_through_has_the_metrics_of_its_definitions() -> None:
    labels, probabilities = [1, 0, 0, 1], [0.7, 0.2, 0.4, 0.3]

    found = scored("ours", [click_through_metrics(USERS, labels, probabilities)]).metrics

    assert found["AUC"].mean == pytest.approx(auc(labels, probabilities))
    assert found["GAUC"].mean == pytest.approx(gauc(USERS, labels, probabilities))
    assert found["logloss"].mean == pytest.approx(-np.mean(np.log([0.7, 0.8, 0.6, 0.3])))


def test_where_nothing_is_clicked_only_the_logloss_is_defined() -> None:
    assert click_through_metrics(USERS, [0, 0, 0, 0], [0.1, 0.2, 0.3, 0.4]).keys() == {"logloss"}


def test_slices_without_events_are_left_out_and_systems_without_a_figure_too() -> None:
    labels, probabilities = np.array([1, 0, 0, 1]), np.array([0.7, 0.2, 0.4, 0.3])
    users = np.array(USERS)
    parts = [
        Slice("first user", users == 1),
        Slice("second user", users == 2),
        Slice("nobody", users == 9),
    ]

    found = sliced(
        "user", parts, "AUC", {"ours": [lambda e: click_through_metrics(users[e], labels[e], probabilities[e])]}
    )

    assert [(part.name, part.events, list(part.systems)) for part in found] == [
        ("first user", 2, ["ours"]),
        ("second user", 1, []),
    ]


def test_a_system_that_knows_more_of_the_truth_scores_higher_on_every_slice() -> None:
    report = next_item_report()

    for part in report.slices:
        assert part.systems["popularity"].mean < part.systems["log and knowledge"].mean
    assert report.best.label == "log and knowledge"
