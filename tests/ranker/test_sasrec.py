"""SASRec: what a place may see, and that it learns an order which counting pairs cannot tell."""

from itertools import count

import numpy as np
import torch

from learning.config import TrainingConfig
from learning.counting import histories_of
from ranker.sasrec import SasRec, sasrec_scores, train_sasrec
from tests.ranker.behaviour_logs import behaviours

torch.set_num_threads(1)


def test_a_place_sees_nothing_that_comes_later() -> None:
    model = SasRec(9).eval()

    first = model.states(torch.tensor([[1, 2, 3]]))[0, 1]
    second = model.states(torch.tensor([[1, 2, 8]]))[0, 1]

    assert torch.allclose(first, second)


def test_padding_changes_no_score() -> None:
    model = SasRec(9).eval()

    alone = model.scores(histories_of([np.array([1, 2], np.int32)]))[0]
    beside = model.scores(histories_of([np.array([1, 2], np.int32), np.arange(8, dtype=np.int32)]))[0]

    assert torch.allclose(alone, beside, atol=1e-6)


def test_it_learns_what_the_last_two_items_say_together() -> None:
    """After 0 then 2 comes 4, after 1 then 2 comes 5: the last item alone does not tell."""
    log = behaviours(*([[0, 2, 4], [1, 2, 5]] * 100))
    config = TrainingConfig(epochs=30, batch_size=50, learning_rate=3e-3)
    epochs = count()

    model = train_sasrec(log, 6, lambda _: next(epochs), config)
    scores = sasrec_scores(model, [np.array([0, 2], np.int32), np.array([1, 2], np.int32)])

    assert scores.argmax(axis=1).tolist() == [4, 5]
