"""Settings of a ranker: some changed, the others as they were."""

import pytest
from pydantic import ValidationError

from ranker.config import NextItemConfig, RankerConfig

OWN = RankerConfig(held_out=1, refit=True, next_item=NextItemConfig(seed=4, candidates=30, repeats=True))


def test_a_seed_is_that_of_all_models_and_the_rest_stays() -> None:
    changed = OWN.of(seed=9)

    assert (changed.next_item.seed, changed.click_through.seed, changed.sasrec.seed) == (9, 9, 9)
    assert changed.next_item.model_copy(update={"seed": 4}) == OWN.next_item
    assert (changed.held_out, changed.refit) == (1, True)


def test_what_is_not_given_stays_as_it_was() -> None:
    assert OWN.of(seed=None, held_out=None, repeats=None, refit=None) == OWN
    assert OWN.of(repeats=False).next_item.repeats is False
    assert OWN.of(held_out=0).held_out == 0


def test_what_is_no_setting_is_refused() -> None:
    with pytest.raises(ValidationError):
        OWN.of(holdout=3)
    with pytest.raises(ValidationError):
        OWN.of(held_out=-1)
