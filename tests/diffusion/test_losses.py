"""The bound: exact for a denoiser that knows the truth, above it for any other; some codes stand for all of them."""

import itertools

import pytest
import torch
from torch import Tensor

from diffusion.config import Bound
from diffusion.losses import bounded, count_weights, digit_losses, rate_weights, sampled_losses
from diffusion.noise import hidden_counts, stratified_times

JOINT = torch.tensor([[0.30, 0.05, 0.05], [0.05, 0.25, 0.05], [0.05, 0.05, 0.15]])  # of two tokens of three codes
ROWS = 60_000


def drawn(count: int) -> Tensor:
    code = torch.multinomial(JOINT.flatten(), count, replacement=True, generator=torch.Generator().manual_seed(0))
    return torch.stack([code // 3, code % 3], dim=1)


def truth(tokens: Tensor, hidden: Tensor) -> Tensor:
    """The exact -ln p of each token given the visible ones, [rows, 2]."""
    first, second = tokens[:, 0], tokens[:, 1]
    alone = torch.stack([JOINT.sum(dim=1)[first], JOINT.sum(dim=0)[second]], dim=1)
    both = JOINT[first, second].unsqueeze(1)
    given = both / torch.stack([JOINT.sum(dim=0)[second], JOINT.sum(dim=1)[first]], dim=1)
    return -torch.log(torch.where(hidden.all(dim=1, keepdim=True), alone, given))


def bound_of(losses: Tensor, hidden: Tensor, weights: Tensor) -> float:
    each = weights.unsqueeze(1).expand(losses.shape)[hidden]
    return 2 * float(bounded(losses[hidden], each, len(losses), Bound.COUNT))  # of a row: two tokens


def entropy() -> float:
    return float(-(JOINT * JOINT.log()).sum())


def hidden_by_count() -> tuple[Tensor, Tensor]:
    chance = torch.Generator().manual_seed(1)
    count = hidden_counts(torch.full((ROWS,), 2), chance)
    first = torch.rand(ROWS, generator=chance) < 0.5
    hidden = torch.stack([(count == 2) | first, (count == 2) | ~first], dim=1)
    return hidden, count_weights(hidden)


def hidden_by_rate() -> tuple[Tensor, Tensor]:
    chance = torch.Generator().manual_seed(1)
    times = stratified_times(ROWS, chance)
    hidden = torch.rand(ROWS, 2, generator=chance) < times.unsqueeze(1)
    return hidden, rate_weights(times, torch.full((ROWS,), 2))


@pytest.mark.parametrize("hiding", [hidden_by_count, hidden_by_rate])
def test_the_bound_of_a_denoiser_that_knows_the_truth_is_the_entropy(hiding) -> None:  # type: ignore[no-untyped-def]
    hidden, weights = hiding()
    tokens = drawn(ROWS)

    assert bound_of(truth(tokens, hidden), hidden, weights) == pytest.approx(entropy(), rel=0.02)


def test_the_bound_of_any_other_denoiser_is_above_the_truth() -> None:
    hidden, weights = hidden_by_count()
    tokens = drawn(ROWS)
    independent = -torch.log(torch.stack([JOINT.sum(dim=1)[tokens[:, 0]], JOINT.sum(dim=0)[tokens[:, 1]]], dim=1))

    assert bound_of(independent, hidden, weights) > entropy() + 0.05


def test_counting_hidden_tokens_varies_less_than_rates() -> None:
    tokens = drawn(ROWS)
    spread = {}
    for name, (hidden, weights) in {"count": hidden_by_count(), "rate": hidden_by_rate()}.items():
        spread[name] = float((truth(tokens, hidden) * hidden * weights.unsqueeze(1)).sum(dim=1).std())

    assert spread["count"] < spread["rate"]


def test_normalised_weights_give_a_weighted_mean() -> None:
    losses, weights = torch.tensor([1.0, 3.0]), torch.tensor([1.0, 3.0])

    assert float(bounded(losses, weights, 99, Bound.NORMALISED)) == 2.5


def test_a_sampled_loss_is_the_whole_one_when_all_codes_are_drawn_equally_often() -> None:
    logits = torch.randn(200, 50, generator=torch.Generator().manual_seed(0))
    true, chance = torch.arange(200) % 50, torch.full((50,), 1 / 50)
    shared = torch.arange(50).repeat(40)

    some = torch.cat([logits.gather(1, true.unsqueeze(1)), logits[:, shared]], dim=1)

    assert torch.allclose(sampled_losses(some, true, shared, chance), digit_losses(logits, true), atol=1e-4)


def test_a_drawn_code_that_is_the_true_one_does_not_count_against_it() -> None:
    chance = torch.tensor([0.5, 0.5])
    logits = torch.tensor([[2.0, 2.0, 2.0]])

    assert float(sampled_losses(logits, torch.tensor([0]), torch.tensor([0, 0]), chance)) == 0.0


def test_the_toy_distribution_adds_up() -> None:
    assert float(JOINT.sum()) == pytest.approx(1.0)
    assert len(list(itertools.product(range(3), repeat=2))) == JOINT.numel()
