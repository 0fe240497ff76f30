"""Masks: each family hides what its name says, and something of every row."""

import pytest
import torch
from torch import Tensor

from diffusion.config import Bound, Family, Mixture
from diffusion.corruption import Rows, corrupted, hide
from diffusion.tokens import MASK

N = 6


def rows(digits: int = 1, count: int = 200) -> Rows:
    """Six behaviours and two empty places each; categories 0 0 1 1 2 2, spans 0 0 0 1 1 1."""
    item = torch.tensor([10, 11, 12, 13, 14, 15, -1, -1])
    whole = item.view(1, 8, 1).expand(count, 8, digits).clone()
    group = torch.tensor([0, 0, 1, 1, 2, 2, -1, -1]).expand(count, 8)
    span = torch.tensor([0, 0, 0, 1, 1, 1, 1, 1]).expand(count, 8)
    return Rows(whole, group, span)


def hidden(family: Family, digits: int = 1, bound: Bound = Bound.COUNT) -> Tensor:
    chances = {own: float(own is family) for own in Family}
    return hide(rows(digits), chances, torch.Generator().manual_seed(0), bound=bound).digits


@pytest.mark.parametrize("family", list(Family))
def test_something_of_every_row_is_hidden_and_never_an_empty_place(family: Family) -> None:
    found = hidden(family, digits=2)

    assert bool(found.flatten(1).any(dim=1).all())
    assert not bool(found[:, N:].any())


def test_items_are_hidden_with_all_their_digits() -> None:
    found = hidden(Family.ITEM, digits=4)

    assert bool((found.all(dim=2) == found.any(dim=2)).all())


def test_digits_are_hidden_whichever_items_they_are_of() -> None:
    found = hidden(Family.DIGIT, digits=4)

    assert bool((found.any(dim=2) & ~found.all(dim=2)).any())


def test_categories_are_hidden_whole_and_at_least_one_is_left() -> None:
    found = hidden(Family.CATEGORY)[:, :N, 0].view(-1, 3, 2)

    assert bool((found[..., 0] == found[..., 1]).all())
    assert bool((found[..., 0].sum(dim=1) == 1).all())  # at most half of three


def test_spans_are_hidden_whole() -> None:
    found = hidden(Family.SPAN)[:, :N, 0].view(-1, 2, 3)

    assert set(found.sum(dim=2).flatten().tolist()) == {0, 3}


def test_of_one_category_alone_some_items_are_hidden() -> None:
    told = rows()
    alone = Rows(told.digits, torch.where(told.group >= 0, 0, -1), told.span)
    chances = {own: float(own is Family.CATEGORY) for own in Family}

    count = hide(alone, chances, torch.Generator().manual_seed(0)).digits.sum(dim=(1, 2))

    assert set(count.tolist()) == {1, 2, 3, 4, 5, 6}


def test_the_target_is_the_last_item() -> None:
    found = hidden(Family.TARGET, digits=3)

    assert not bool(found[:, : N - 1].any())
    assert set(found[:, N - 1].sum(dim=1).tolist()) == {1, 2, 3}


def test_what_the_model_is_least_sure_of_is_hidden() -> None:
    told, chances = rows(digits=2), {own: float(own is Family.ON_POLICY) for own in Family}
    sure = torch.linspace(0, 0.9, 16).view(1, 8, 2).expand(200, 8, 2)

    found = hide(told, chances, torch.Generator().manual_seed(0), sureness=lambda _: sure).digits

    first, last = found[:, 0, 0].float().mean(), found[:, N - 1, 1].float().mean()
    assert first > 0.5
    assert last < 0.15


def test_by_rate_each_item_is_hidden_as_often_as_the_others_and_counts_one_over_its_time() -> None:
    chances = {own: float(own is Family.ITEM) for own in Family}

    found = hide(rows(count=4000), chances, torch.Generator().manual_seed(0), bound=Bound.RATE)

    assert found.digits[:, :N, 0].float().mean(dim=0).tolist() == pytest.approx([0.5] * N, abs=0.03)
    # the expected count of every digit is the same: E[1 / (t n)] over hidden ones is 1 / n
    counted = (found.digits[:, :N, 0] * found.weight.unsqueeze(1)).mean(dim=0)
    assert counted.tolist() == pytest.approx([1 / N] * N, rel=0.1)


def test_hidden_digits_become_masks_and_the_others_stay() -> None:
    digits = torch.tensor([[[3], [4]]])

    assert corrupted(digits, torch.tensor([[[True], [False]]])).tolist() == [[[MASK], [4]]]


def test_a_mixture_is_annealed_from_its_start_to_its_end() -> None:
    start, end = Mixture(item=1.0), Mixture(category=3.0, target=1.0)

    assert start.towards(end, 0.0)[Family.ITEM] == 1.0
    assert start.towards(end, 0.5)[Family.CATEGORY] == pytest.approx(0.375)
    assert start.towards(end, 1.0)[Family.TARGET] == 0.25


def test_a_mixture_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one family"):
        Mixture()
