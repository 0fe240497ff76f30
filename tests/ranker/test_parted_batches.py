"""A batch that processes part among them: what its parts add up to is its loss."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ranker.affinity import Behind
from ranker.click_through import Impressions
from ranker.model import Requests


class Summing(nn.Module):
    """Scores each candidate by the sum of its features."""

    def forward(self, requests: Requests) -> Tensor:
        """Return [examples, candidates]."""
        return requests.features.sum(dim=2)


@pytest.mark.parametrize("listwise", [0.0, 0.5])
def test_the_parts_of_a_batch_add_up_to_its_loss(listwise: float) -> None:
    chance = np.random.default_rng(1)
    history, candidates = (chance.integers(9, size=(7, width)).astype(np.int32) for width in (4, 3))
    behind = Behind(history, candidates, np.zeros(7, dtype=np.bool_))
    shown = Impressions(behind, chance.normal(size=(7, 3, 2)).astype(np.float16), listwise)
    rows, cpu = np.array([6, 0, 3, 2, 5]), torch.device("cpu")

    parts = [shown.part_loss(Summing(), rows, np.arange(rank, 5, 2), cpu) for rank in range(2)]

    assert float(sum(parts)) == pytest.approx(float(shown.loss(Summing(), rows, cpu)), rel=1e-6)
