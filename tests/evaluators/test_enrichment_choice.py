"""What is chosen under a budget: never more than it allows, never less gain than attribute by attribute."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.enrichment_choice import (
    Candidate,
    by_attribute,
    chosen,
    expectations,
    gain_of,
    shrunk_rate,
)
from memory.enrichment_priorities import AttributePriority
from memory.item_vectors.knowledge_gaps import ItemGap, KnowledgeGaps

TINY = 1e-9  # for sums of floats


def priority(attribute: str, gain: float, known: int) -> AttributePriority:
    return AttributePriority(
        attribute=attribute, gain=gain, low=gain / 2, high=gain * 2, known=known, unknown=1, unknown_by_category={}
    )


def candidate(item_id: str, gain: float, cost: int, first: int = 0) -> Candidate:
    return Candidate(ItemGap(item_id, "Drills", ("voltage",)), gain, cost, first)


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    """Items with whatever gains, costs and attributes."""
    kinds = st.tuples(st.floats(0, 1), st.integers(0, 30), st.integers(0, 3))
    return [candidate(f"i{place}", *kind) for place, kind in enumerate(draw(st.lists(kinds, max_size=9)))]


@given(candidates(), st.integers(0, 100))
def test_the_budget_is_never_exceeded_and_no_item_is_chosen_twice(items: list[Candidate], budget: int) -> None:
    taken = chosen(items, budget)

    assert sum(one.cost for one in taken) <= budget
    assert len({one.gap.id for one in taken}) == len(taken)
    assert all(one in items and one.gain > 0 for one in taken)


@given(candidates(), st.integers(0, 100))
def test_the_choice_gains_no_less_than_attribute_by_attribute(items: list[Candidate], budget: int) -> None:
    attributewise = by_attribute(items, budget)

    assert gain_of(chosen(items, budget)) >= gain_of(attributewise)
    assert sum(one.cost for one in attributewise) <= budget


@given(candidates(), st.integers(0, 100))
def test_the_best_choice_gains_at_most_one_item_more(items: list[Candidate], budget: int) -> None:
    choices = itertools.chain.from_iterable(itertools.combinations(items, size) for size in range(len(items) + 1))
    best = max(gain_of(choice) for choice in choices if sum(one.cost for one in choice) <= budget)

    found = gain_of(chosen(items, budget))

    assert best - max((one.gain for one in items), default=0.0) - TINY <= found <= best + TINY


def test_what_gains_most_for_its_cost_comes_first_and_what_is_free_before_all() -> None:
    items = [candidate("dear", 0.9, 100), candidate("cheap", 0.2, 10), candidate("free", 0.1, 0)]

    assert [one.gap.id for one in chosen(items, None)] == ["free", "cheap", "dear"]
    assert [one.gap.id for one in chosen(items, 99)] == ["free", "cheap"]


def test_the_order_of_attributes_is_taken_where_it_gains_more() -> None:
    items = [candidate("small", 0.3, 10, first=1), candidate("large", 0.9, 100, first=0)]

    assert [one.gap.id for one in chosen(items, 100)] == ["large"]


def test_without_a_budget_all_that_promises_something_is_chosen() -> None:
    assert [one.gap.id for one in chosen([candidate("a", 0.5, 1), candidate("b", 0.0, 1)], None)] == ["a"]


@pytest.mark.parametrize(
    ("found", "asked", "overall", "rate"), [(0, 0, 0.4, 0.4), (10, 10, 0.5, 0.75), (0, 990, 0.5, 0.005)]
)
def test_a_rate_of_few_items_is_drawn_to_the_rate_of_all(found: int, asked: int, overall: float, rate: float) -> None:
    assert shrunk_rate(found, asked, overall) == pytest.approx(rate)


def test_an_item_gains_by_each_attribute_that_it_lacks_as_much_as_one_that_has_it() -> None:
    gap = ItemGap("d1", "Drills", ("voltage", "color", "unproven"))
    gaps = KnowledgeGaps(
        version=1,
        enriched=30,
        asked=Counter({("voltage", "Drills"): 10, ("voltage", "Saws"): 10, ("color", "Drills"): 30}),
        found=Counter({("voltage", "Drills"): 9, ("voltage", "Saws"): 3, ("color", "Drills"): 29}),
        items=[gap],
    )

    expected = expectations(gaps, [priority("voltage", 0.06, known=12), priority("color", 0.29, known=29)])

    voltage = (9 + 10 * 12 / 20) / (10 + 10) * 0.06 / 12
    color = (29 + 10 * 29 / 30) / (30 + 10) * 0.29 / 29
    assert expected.of_item(gap) == pytest.approx(voltage + color)


def test_all_that_lack_an_attribute_gain_no_more_than_it_gains_now() -> None:
    asked = Counter({("voltage", "Drills"): 1000})
    items = [ItemGap(f"d{number}", "Drills", ("voltage",)) for number in range(900)]
    gaps = KnowledgeGaps(
        version=1, enriched=1000, asked=asked, found=Counter({("voltage", "Drills"): 100}), items=items
    )

    expected = expectations(gaps, [priority("voltage", 0.06, known=100)])

    assert expected.each["voltage"] == pytest.approx(0.06 / 900)


def test_of_an_item_of_which_nothing_is_known_the_rate_counts_whether_it_will_be_asked_for() -> None:
    gaps = KnowledgeGaps(
        version=1,
        enriched=20,
        asked=Counter({("voltage", "Drills"): 6}),
        found=Counter({("voltage", "Drills"): 5}),
        known=Counter({"voltage": 5}),
        items=[ItemGap("new", "", ("voltage",))],
    )

    assert expectations(gaps, [priority("voltage", 0.06, known=5)]).rates == {("voltage", ""): 0.25}
