"""A model with dropout that learns a line, for the training loop's tests; also a program for torchrun."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from learning.config import TrainingConfig
from learning.training import Epoch, Rows, fit

INPUTS = torch.linspace(-1, 1, 64).unsqueeze(1)
TARGETS = 3 * INPUTS + 1


class Line:
    """Points of y = 3x + 1, as `Examples`."""

    def batches(self, epoch: int, seed: int, size: int) -> Sequence[Rows]:
        """Return the points in another order each epoch."""
        order = np.random.default_rng([seed, epoch]).permutation(len(INPUTS))
        return [order[start : start + size] for start in range(0, len(order), size)]

    def loss(self, model: nn.Module, rows: Rows, device: torch.device) -> Tensor:
        """Return the mean squared error."""
        chosen = torch.from_numpy(rows)
        return nn.functional.mse_loss(model(INPUTS[chosen].to(device)), TARGETS[chosen].to(device))


def a_model() -> nn.Module:
    """Return the same untrained model each time."""
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 1))


def exactness(model: nn.Module) -> float:
    """Return the negative error over all points."""
    return -float(nn.functional.mse_loss(model(INPUTS), TARGETS).detach())


def trained(config: TrainingConfig, folder: Path | None = None) -> tuple[nn.Module, list[Epoch]]:
    """Return a trained model and its epochs."""
    model = a_model()
    epochs = fit(model, Line(), exactness, config, folder=folder)
    return model, epochs


class _Lost(Line):
    """Points whose process is lost in the third epoch, unless the marker says that one was."""

    def __init__(self, marker: Path) -> None:
        self._marker, self._epoch = marker, 0

    def batches(self, epoch: int, seed: int, size: int) -> Sequence[Rows]:
        """Return the points, and remember the epoch."""
        self._epoch = epoch
        return super().batches(epoch, seed, size)

    def loss(self, model: nn.Module, rows: Rows, device: torch.device) -> Tensor:
        """End the process, once."""
        if self._epoch == 2 and not self._marker.exists():
            self._marker.touch()
            os._exit(1)
        return super().loss(model, rows, device)


def trained_until_lost(config: TrainingConfig, marker: Path) -> None:
    """Train in a process that is lost once."""
    fit(a_model(), _Lost(marker), exactness, config)


if __name__ == "__main__":
    torch.set_num_threads(1)
    trained(TrainingConfig(epochs=4, batch_size=8, learning_rate=0.01), Path(sys.argv[1]))
