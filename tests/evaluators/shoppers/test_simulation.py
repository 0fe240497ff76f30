"""Simulated shoppers: the truth agrees with the log, knowledge moves them, and not alone."""

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest

from evaluators.ranking.click_through import auc
from evaluators.shoppers import simulation
from evaluators.shoppers.shop import Shop, ShopItem, ShopUnusable
from evaluators.shoppers.simulation import ShopperTruth, Simulation
from evaluators.shoppers.walk import NOISE, Why
from tests.evaluators.shoppers.made_up_shop import made_up_shop

ITEMS = made_up_shop()
CATEGORY = {item.id: item.category for item in ITEMS}
BRAND = {item.id: dict(item.attributes)["brand"] for item in ITEMS}


def simulate(
    items: list[ShopItem] = ITEMS, *, shoppers: int = 5, events: int = 30, hidden_share: float = 0.25, seed: int = 0
) -> Simulation:
    return simulation.simulate(items, shoppers=shoppers, events=events, hidden_share=hidden_share, seed=seed)


@pytest.fixture(scope="module")
def found() -> Simulation:
    return simulate(shoppers=600, events=40, seed=3)


def test_the_same_seed_gives_the_same_shoppers_and_another_one_others() -> None:
    first, again, other = (simulate(shoppers=20, seed=seed) for seed in (1, 1, 2))

    assert first == again
    assert first.log != other.log


def test_a_shopper_does_the_same_however_many_others_there_are() -> None:
    few, many = simulate(shoppers=3), simulate(shoppers=9)

    assert many.truths[:3] == few.truths
    assert list(many.log.rows())[: len(few.log.item)] == list(few.log.rows())


def test_the_log_shows_nothing_of_what_is_bought_elsewhere(found: Simulation) -> None:
    elsewhere = {told.user: set(told.hidden_categories) for told in found.truths}

    assert not [1 for user, item, *_ in found.log.rows() if CATEGORY[item] in elsewhere[user]]
    assert all(CATEGORY[b.item] in elsewhere[told.user] for told in found.truths for b in told.hidden)
    assert sum(len(told.hidden) for told in found.truths) > 1000


def test_about_the_share_that_was_asked_for_is_bought_elsewhere_and_never_all(found: Simulation) -> None:
    shares = [len(told.hidden_categories) / len(told.affinity) for told in found.truths if len(told.affinity) > 3]

    assert np.mean(shares) == pytest.approx(0.25, abs=0.02)
    assert all(set(told.hidden_categories) < told.affinity.keys() for told in found.truths)
    assert not any(told.hidden for told in simulate(shoppers=30, hidden_share=0).truths)


def test_affinities_add_up_to_one_and_belong_to_active_needs(found: Simulation) -> None:
    for told in found.truths:
        assert sum(told.affinity.values()) == pytest.approx(1)
        assert told.affinity.keys() == {category for need in told.needs for category in need.categories}
        assert all(need.hidden == (need.categories.keys() <= set(told.hidden_categories)) for need in told.needs)


def test_needs_are_the_catalogs_demands_and_reach_all_categories_that_have_them(found: Simulation) -> None:
    needs = {need.demand: need for told in found.truths for need in told.needs}

    assert needs.keys() <= {demand for item in ITEMS for demand in item.demands}
    assert needs["camping trips"].categories.keys() == {f"Made up > {name}" for name in ("tents", "bottles", "boots")}


def test_what_led_to_a_hidden_behaviour_is_known(found: Simulation) -> None:
    hidden = [(told, behavior) for told in found.truths for behavior in told.hidden]
    reasons = Counter(behavior.why for _, behavior in hidden)

    assert all(CATEGORY[b.item] in told.affinity for told, b in hidden)
    assert reasons[Why.NEED] > 0.8 * len(hidden)
    assert min(reasons.values()) > 0


def test_shoppers_stay_with_their_needs_but_for_habits_and_noise(found: Simulation) -> None:
    affinity = {told.user: told.affinity for told in found.truths}
    away = np.mean([CATEGORY[item] not in affinity[user] for user, item, *_ in found.log.rows()])

    assert NOISE / 3 < away < 0.3


def test_each_shopper_goes_forward_in_time_from_view_to_click_to_buy(found: Simulation) -> None:
    rows = defaultdict(list)
    for user, item, time, kind, session in found.log.rows():
        rows[user].append((time, kind, item, session))

    for events in rows.values():
        assert all(one[0] < other[0] for one, other in pairwise(events))
        seen = {(item, session, kind) for _, kind, item, session in events}
        for item, session, kind in seen:
            before = {"click": "view", "cart": "click", "buy": "cart"}.get(kind)
            assert before is None or (item, session, before) in seen
    assert set(found.log.kind) == {"view", "click", "cart", "buy"}


def test_histories_differ_in_length_around_the_mean_that_was_asked_for(found: Simulation) -> None:
    shown = Counter(found.log.user)
    lengths = [shown[told.user] + len(told.hidden) for told in found.truths]

    assert np.mean(lengths) == pytest.approx(40, rel=0.15)
    assert np.quantile(lengths, 0.1) < 20 < 60 < np.quantile(lengths, 0.9)


def test_what_is_hidden_can_be_guessed_from_what_is_seen_but_not_from_what_another_did(found: Simulation) -> None:
    categories = sorted({item.category for item in ITEMS})
    shown = Counter((user, CATEGORY[item]) for user, item, *_ in found.log.rows())
    seen = np.array([[shown[told.user, category] > 0 for category in categories] for told in found.truths], dtype=float)
    together = seen.T @ seen
    together /= np.sqrt(np.outer(together.diagonal(), together.diagonal()))
    hidden = np.array([[category in told.hidden_categories for category in categories] for told in found.truths])
    unseen = seen == 0

    own, anothers = (auc(hidden[unseen], (by @ together)[unseen]) for by in (seen, np.roll(seen, 1, axis=0)))

    assert own is not None
    assert anothers is not None
    assert own > 0.6
    assert own > anothers + 0.05


def test_who_likes_a_brand_clicks_it_more(found: Simulation) -> None:
    liking = {told.user: _taste(told, "brand", "Acme") for told in found.truths}
    clicks = [(user, item) for user, item, _, kind, _ in found.log.rows() if kind == "click"]

    fond = np.mean([BRAND[item] == "Acme" for user, item in clicks if liking[user] > 1])
    averse = np.mean([BRAND[item] == "Acme" for user, item in clicks if liking[user] < -1])

    assert fond > averse + 0.3


def test_some_items_are_popular_for_no_reason_that_their_attributes_give(found: Simulation) -> None:
    twins = [item.id for item in ITEMS if item.category == "Made up > mugs" and BRAND[item.id] == "Acme"]
    seen = Counter(found.log.item)

    counts = sorted(seen[item] for item in twins)

    assert counts[-1] > 2 * counts[0]


def test_items_without_attributes_and_demands_can_be_shopped_for() -> None:
    bare = [ShopItem(id=f"{number}", category=f"c{number % 3}") for number in range(9)]

    found = simulate(bare)

    assert {need.demand for told in found.truths for need in told.needs} <= {"c0", "c1", "c2"}
    assert found.log.item


@pytest.mark.parametrize("items", [[], ITEMS[:3]])
def test_a_shop_of_fewer_than_two_categories_is_refused(items: list[ShopItem]) -> None:
    with pytest.raises(ShopUnusable, match="enrich a catalog first"):
        simulate(items)


def test_a_feature_is_what_two_items_share() -> None:
    shop = Shop.of(ITEMS)

    assert set(shop.features) == {("brand", "Acme"), ("brand", "Nordlicht"), ("color", "red"), ("color", "blue")}
    assert shop.has.sum() == 2 * len(ITEMS)


def _taste(told: ShopperTruth, attribute: str, value: str) -> float:
    return next((t.weight for t in told.tastes if (t.attribute, t.value) == (attribute, value)), 0.0)
