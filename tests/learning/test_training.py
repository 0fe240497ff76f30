"""The training loop: the same by seed, resumed as if never interrupted, ended early, shared by processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from learning.config import TrainingConfig
from learning.training import CHECKPOINT, Epoch, fit
from tests.learning.toy_line import Line, a_model, exactness, trained

ROOT = Path(__file__).parents[2]
SIX = TrainingConfig(epochs=6, batch_size=8, learning_rate=0.01, patience=6)


def weights(model: nn.Module) -> list[float]:
    """Return all weights in a row."""
    return torch.cat([tensor.flatten() for tensor in model.state_dict().values()]).tolist()


def test_training_learns() -> None:
    model, epochs = trained(SIX.model_copy(update={"epochs": 60, "patience": 60}))

    assert exactness(model) > 10 * epochs[0].metric
    assert exactness(model) > -0.1


def test_equal_seeds_give_equal_weights_and_others_do_not() -> None:
    first, _ = trained(SIX)
    again, _ = trained(SIX)
    other, _ = trained(SIX.model_copy(update={"seed": 1}))

    assert weights(first) == weights(again)
    assert weights(first) != weights(other)


def test_an_interrupted_run_ends_with_the_weights_of_an_uninterrupted_one(tmp_path: Path) -> None:
    whole, epochs = trained(SIX)

    def interrupt(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(a_model(), Line(), exactness, SIX, folder=tmp_path, told=interrupt)
    resumed, all_epochs = trained(SIX, tmp_path)

    assert weights(resumed) == weights(whole)
    assert all_epochs == epochs


def test_a_checkpoint_of_other_settings_is_not_gone_on_from(tmp_path: Path) -> None:
    trained(SIX, tmp_path)
    other = SIX.model_copy(update={"learning_rate": 0.002})

    resumed, _ = trained(other, tmp_path)
    fresh, _ = trained(other)

    assert weights(resumed) == weights(fresh)


def test_a_damaged_checkpoint_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"no checkpoint")

    model, _ = trained(SIX, tmp_path)

    assert weights(model) == weights(trained(SIX)[0])


def test_training_ends_when_the_metric_stops_rising_and_keeps_the_best_weights() -> None:
    metrics = iter([0.1, 0.5, 0.4, 0.3, 0.2, 0.1])
    seen: list[list[float]] = []

    def falling(model: nn.Module) -> float:
        seen.append(weights(model))
        return next(metrics)

    model = a_model()
    epochs = fit(model, Line(), falling, SIX.model_copy(update={"patience": 2}))

    assert [epoch.metric for epoch in epochs] == [0.1, 0.5, 0.4, 0.3]
    assert weights(model) == seen[1]


def test_two_processes_of_torchrun_train_one_model(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, "-m", "tests.learning.toy_line", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    kept = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert len(kept["epochs"]) == 4
    assert kept["epochs"][-1][1] < kept["epochs"][0][1]
