"""The training loop of every model: seeded, resumable after each epoch, ended early, on one device or by torchrun."""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from learning.config import TrainingConfig
from learning.devices import Place, place
from memory.atomic_file import written_whole

CHECKPOINT = "checkpoint.pt"
Rows = NDArray[np.int64]


class Examples(Protocol):
    """What is learned from: rows in batches, and the loss of one batch."""

    def batches(self, epoch: int, seed: int, size: int) -> Sequence[Rows]:
        """Return an epoch's batches as row numbers; the same for the same arguments."""

    def loss(self, model: nn.Module, rows: Rows, device: torch.device) -> Tensor:
        """Return the mean loss of these rows, a scalar; calls `model` once."""


@dataclass(frozen=True)
class Epoch:
    """What came of one epoch: the mean training loss, and the validation metric (higher is better)."""

    number: int
    loss: float
    metric: float


@dataclass
class _Course:
    """How a training run stands: all that it takes to go on."""

    epochs: list[Epoch]
    best: dict[str, Tensor]

    @property
    def best_epoch(self) -> int:
        return max(self.epochs, key=lambda epoch: (epoch.metric, -epoch.number)).number if self.epochs else -1

    def add(self, loss: float, metric: float, model: nn.Module) -> None:
        """Add an epoch, and keep the weights if they are the best so far."""
        self.epochs.append(Epoch(len(self.epochs), loss, metric))
        if self.best_epoch == len(self.epochs) - 1:
            self.best = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}

    def ended(self, config: TrainingConfig) -> bool:
        return len(self.epochs) >= config.epochs or len(self.epochs) - 1 - self.best_epoch >= config.patience


def fit(
    model: nn.Module,
    examples: Examples,
    validate: Callable[[nn.Module], float],
    config: TrainingConfig,
    *,
    folder: Path | None = None,
    data: str = "",
    told: Callable[[Epoch], None] = lambda epoch: None,
) -> list[Epoch]:
    """Train `model` in place until the validation metric stops rising, and leave it with its best weights.

    `folder` keeps a checkpoint after each epoch; the same call, with the same `data` (a hash of what is learned from),
    goes on there, and ends as an uninterrupted run does. On one CPU thread equal seeds give equal weights, bit for bit.
    Raises `memory.atomic_file.FileUnwritable`.
    """
    with place() as here:
        optimizer = torch.optim.AdamW(model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        run = _settings(config) + data
        course = _resumed(model, optimizer, run, folder) or _Course([], {})
        prepared = here.prepared(model)
        while not course.ended(config):
            loss = _one_epoch(prepared, optimizer, examples, config, here, number=len(course.epochs))
            metric = here.agreed(_metric(model, validate) if here.leads else 0.0)
            course.add(loss, metric, model)
            if here.leads:
                _keep(model, optimizer, course, run, folder)
                told(course.epochs[-1])
        model.eval().load_state_dict(course.best)
        return course.epochs


def _metric(model: nn.Module, validate: Callable[[nn.Module], float]) -> float:
    model.eval()
    with torch.no_grad():
        return validate(model)


def _one_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    examples: Examples,
    config: TrainingConfig,
    here: Place,
    *,
    number: int,
) -> float:
    """Return the mean loss of this process's batches."""
    torch.manual_seed(config.seed * 1_000_003 + number)
    model.train()
    total, count = 0.0, 0
    for rows in here.share(examples.batches(number, config.seed, config.batch_size)):
        optimizer.zero_grad(set_to_none=True)
        loss = examples.loss(model, rows, here.device)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
        optimizer.step()
        total, count = total + float(loss.detach()) * len(rows), count + len(rows)
    return total / max(1, count)


def _keep(model: nn.Module, optimizer: torch.optim.Optimizer, course: _Course, run: str, folder: Path | None) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    epochs = [(epoch.number, epoch.loss, epoch.metric) for epoch in course.epochs]
    state = {
        "settings": run,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epochs": epochs,
        "best": course.best,
    }
    with written_whole(folder / CHECKPOINT) as unfinished:
        torch.save(state, unfinished)


def _resumed(model: nn.Module, optimizer: torch.optim.Optimizer, run: str, folder: Path | None) -> _Course | None:
    """Load what was kept; what cannot be read, or is of another model, other settings or data, counts as none."""
    if folder is None or not (folder / CHECKPOINT).exists():
        return None
    try:
        kept = torch.load(folder / CHECKPOINT, weights_only=True)
        if kept["settings"] != run:
            return None
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
    except (RuntimeError, KeyError, ValueError, EOFError, pickle.UnpicklingError):
        return None
    return _Course([Epoch(*epoch) for epoch in kept["epochs"]], kept["best"])


def _settings(config: TrainingConfig) -> str:
    """Return what must be equal for a run to go on: more epochs or more patience are no other run."""
    return config.model_dump_json(exclude={"epochs", "patience"})
