"""How much is hidden: evenly spread times, every number of hidden places equally often."""

import torch

from diffusion.noise import hidden_counts, kept_share, stratified_times


def test_each_stratum_of_time_is_drawn_once() -> None:
    times = stratified_times(10, torch.Generator().manual_seed(0))

    assert (times * 10).long().clamp(max=9).sort().values.tolist() == list(range(10))


def test_every_number_of_hidden_places_is_equally_likely() -> None:
    counts = hidden_counts(torch.full((4000,), 4), torch.Generator().manual_seed(0))

    assert torch.bincount(counts, minlength=5).tolist() == [0, 1000, 1000, 1000, 1000]


def test_an_empty_row_hides_nothing() -> None:
    assert hidden_counts(torch.tensor([0, 3]), torch.Generator().manual_seed(1))[0] == 0


def test_a_hidden_token_stays_hidden_with_the_share_of_the_time_that_is_left() -> None:
    assert kept_share(0.8, 0.2) == 0.25
