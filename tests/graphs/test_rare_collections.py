"""While a run is on, cycles are looked for seldom; what was before comes back."""

import gc

import pytest

from graphs.rare_collections import YOUNG_OBJECTS, rare_collections


def test_cycles_are_looked_for_seldom_and_what_was_there_before_is_left_alone() -> None:
    before = gc.get_threshold()

    with rare_collections():
        within, frozen = gc.get_threshold(), gc.get_freeze_count()

    assert within == (YOUNG_OBJECTS, *before[1:])
    assert frozen > 0
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_a_run_that_fails_leaves_the_collector_as_it_was() -> None:
    before = gc.get_threshold()

    with pytest.raises(ZeroDivisionError), rare_collections():
        raise ZeroDivisionError

    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
