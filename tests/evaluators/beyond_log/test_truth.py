"""What only the truth of a simulation can tell of a list."""

import numpy as np
import pytest

from evaluators.beyond_log.hiding import Categories
from evaluators.beyond_log.truth import TruthUnfit, hidden_in_truth, truth_metrics, truth_of
from evaluators.shoppers.simulation import HiddenBehavior, ShopperTruth, TrueNeed
from evaluators.shoppers.walk import Why
from tests.evaluators.beyond_log.made_up_log import log_of

ITEMS = ("i0", "i1", "i2", "i3")
CATEGORIES = Categories.of(["a", "b", "c", "d"])
LOG = log_of([np.array([0])])


def told(hidden: tuple[str, ...] = ("b", "c")) -> ShopperTruth:
    return ShopperTruth(
        user="a000",
        situations=(),
        needs=(
            TrueNeed(demand="x", categories={"b": 0.5, "c": 0.5}, wish=None, hidden=True),
            TrueNeed(demand="y", categories={"a": 1.0}, wish=None, hidden=False),
        ),
        affinity={"a": 0.5, "b": 0.4, "c": 0.1},
        tastes=(),
        hidden_categories=hidden,
        hidden=(HiddenBehavior(item="i1", time=1, kind="view", session="s", why=Why.NEED),),
    )


def test_needs_weigh_what_is_found() -> None:
    hiding = hidden_in_truth(LOG, ITEMS, CATEGORIES, [told()])
    truth = truth_of(LOG.users, hiding, CATEGORIES, [told()])

    found = truth_metrics(np.array([[1, 3, -1]], np.int32), truth, CATEGORIES, (3,))

    assert [own.tolist() for own in hiding.items] == [[1]]
    assert found["recall by need@3"].part.sum() == pytest.approx(0.8)
    assert found["precision of need@3"].part.sum() == pytest.approx(1 / 3)
    assert found["hidden needs met@3"].part.sum() == 1


def test_a_truth_of_other_categories_is_refused() -> None:
    with pytest.raises(TruthUnfit, match="'elsewhere'"):
        hidden_in_truth(LOG, ITEMS, CATEGORIES, [told(hidden=("elsewhere",))])
