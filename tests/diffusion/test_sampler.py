"""Samplers: marginals and joints of an enumerable distribution, no mask left, only valid IDs."""

import numpy as np
import pytest
import torch
from torch import Tensor

from diffusion.denoiser import Places
from diffusion.sampler import Order, SamplerConfig, Score, guided, sample
from diffusion.tokens import MASK, Tokens

JOINT = torch.tensor([[0.40, 0.05, 0.05], [0.05, 0.20, 0.05], [0.05, 0.05, 0.10]])
ROWS = 20_000


def exact(digits: Tensor, places: Places) -> list[Tensor]:
    """The true conditional of each of two places, given the other one if it is visible."""
    other = digits[places.row, 1 - places.place, 0]
    first = (places.place == 0).unsqueeze(1)
    alone = torch.where(first, JOINT.sum(dim=1), JOINT.sum(dim=0))
    seen = other.clamp(min=0)
    given = torch.where(first, JOINT.T[seen], JOINT[seen])
    return [torch.log(torch.where((other == MASK).unsqueeze(1), alone, given))]


def joint(config: SamplerConfig) -> Tensor:
    hidden = torch.full((ROWS, 2, 1), MASK)
    found = sample(exact, hidden, Tokens.of_items(3), config, torch.Generator().manual_seed(0)).digits
    return torch.bincount(found[:, 0, 0] * 3 + found[:, 1, 0], minlength=9).view(3, 3) / ROWS


@pytest.mark.parametrize("order", [Order.CONFIDENCE, Order.THRESHOLD])
def test_with_one_token_a_step_the_joint_distribution_of_exact_conditionals_is_kept_where_order_does_not_look(
    order: Order,
) -> None:
    # the score of both places is equal at first on a symmetric distribution, so that what is revealed first is by draw
    found = joint(SamplerConfig(order=order, steps=2, threshold=1.0, score=Score.ENTROPY))

    assert torch.allclose(found, JOINT, atol=0.015)


def test_the_ancestral_sampler_comes_near_the_joint_distribution_with_many_steps() -> None:
    found = joint(SamplerConfig(order=Order.ANCESTRAL, steps=64))

    assert torch.allclose(found, JOINT, atol=0.015)


@pytest.mark.parametrize("steps", [1, 2, 8])
def test_the_ancestral_sampler_has_the_right_marginals_with_any_number_of_steps(steps: int) -> None:
    found = joint(SamplerConfig(order=Order.ANCESTRAL, steps=steps))

    assert torch.allclose(found.sum(dim=1), JOINT.sum(dim=1), atol=0.015)
    assert torch.allclose(found.sum(dim=0), JOINT.sum(dim=0), atol=0.015)


def test_one_step_draws_places_as_if_they_were_independent() -> None:
    found = joint(SamplerConfig(order=Order.ANCESTRAL, steps=1))

    assert torch.allclose(found, JOINT.sum(dim=1).unsqueeze(1) * JOINT.sum(dim=0), atol=0.015)


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("score", list(Score))
@pytest.mark.parametrize("remasked", [0.0, 0.5])
def test_no_mask_is_left_and_what_was_visible_stays(order: Order, score: Score, remasked: float) -> None:
    digits = torch.tensor([[[2], [MASK]], [[MASK], [MASK]], [[0], [1]]])
    config = SamplerConfig(order=order, score=score, steps=3, remasked=remasked)

    found = sample(exact, digits, Tokens.of_items(3), config, torch.Generator().manual_seed(0))

    assert bool((found.digits >= 0).all())
    assert found.digits[0, 0].tolist() == [2]
    assert found.digits[2].tolist() == [[0], [1]]
    assert found.log_p[2].tolist() == [[0.0], [0.0]]


def test_at_temperature_0_the_likeliest_code_is_drawn() -> None:
    found = sample(
        exact,
        torch.full((4, 2, 1), MASK),
        Tokens.of_items(3),
        SamplerConfig(steps=2, temperature=0),
        torch.Generator().manual_seed(0),
    )

    assert found.digits.flatten().tolist() == [0] * 8


def test_only_ids_that_items_have_are_drawn() -> None:
    codes = np.array([[0, 1, 2], [0, 2, 1], [1, 0, 0], [2, 2, 2]])
    tokens = Tokens.of_semantic_ids(codes, (3, 3, 3), "parallel")

    found = sample(
        lambda digits, places: [torch.zeros(len(places.row), 3)] * 3,
        torch.full((500, 2, 3), MASK),
        tokens,
        SamplerConfig(steps=2),
        torch.Generator().manual_seed(0),
    ).digits

    drawn = {tuple(own) for own in found.flatten(0, 1).tolist()}
    assert drawn == {tuple(own) for own in codes.tolist()}


def test_guidance_goes_beyond_what_the_condition_says() -> None:
    without, told = [torch.tensor([[0.0, 1.0]])], [torch.tensor([[1.0, 1.0]])]

    assert guided(told, without, 0.0)[0].tolist() == [[1.0, 1.0]]
    assert guided(told, without, 2.0)[0].tolist() == [[3.0, 1.0]]
