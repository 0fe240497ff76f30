"""The training loop of every model: seeded, resumable after each epoch, ended early, by one process or several."""

import io
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

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


@runtime_checkable
class SharedExamples(Examples, Protocol):
    """Examples of which several processes can take a batch's rows among them, as if one had taken them all."""

    def part_loss(self, model: nn.Module, rows: Rows, own: Rows, device: torch.device) -> Tensor:
        """Return what the places `own` of a batch add to its mean loss; calls `model` once.

        The parts of a batch add up to its loss.
        """


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
        optimizer = _optimizer(model, config)
        run = _settings(config) + data
        course = _resumed(model, optimizer, run, folder, here)
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


def _optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """Return AdamW that goes over a table of ids once, not once an operation."""
    rate, decay = config.learning_rate, config.weight_decay
    return torch.optim.AdamW(model.parameters(), rate, weight_decay=decay, fused=True)


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
    """Return the mean loss of a row over all processes."""
    torch.manual_seed(config.seed * 1_000_003 + number)
    model.train()
    total, count = 0.0, 0
    batches = examples.batches(number, config.seed, config.batch_size)
    shared = examples if here.size > 1 and isinstance(examples, SharedExamples) else None
    for rows in here.share(batches) if shared is None else batches:
        optimizer.zero_grad(set_to_none=True)
        loss = examples.loss(model, rows, here.device) if shared is None else _part(model, shared, rows, here)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
        optimizer.step()
        total, count = total + float(loss.detach()) * len(rows), count + len(rows)
    everybody, rows_of_all = here.summed([total, count])
    return everybody / max(1.0, rows_of_all)


def _part(model: nn.Module, examples: SharedExamples, rows: Rows, here: Place) -> Tensor:
    """Return what this process adds to a batch's loss, as often as there are processes: gradients are averaged."""
    loss = examples.part_loss(model, rows, here.part(len(rows)), here.device)
    return loss * (here.size if here.rank < len(rows) else 0)


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


def _resumed(model: nn.Module, optimizer: torch.optim.Optimizer, run: str, folder: Path | None, here: Place) -> _Course:
    """Load what the first process has kept; what cannot be read, or is of another run, counts as nothing."""
    content = here.shared(_kept(run, folder) if here.leads else None)
    try:
        kept = {} if content is None else torch.load(io.BytesIO(content), weights_only=True)
        if not kept:
            return _Course([], {})
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
    except (RuntimeError, KeyError, ValueError):
        return _Course([], {})
    return _Course([Epoch(*epoch) for epoch in kept["epochs"]], kept["best"])


def _kept(run: str, folder: Path | None) -> bytes | None:
    """Return a checkpoint's content; None where there is none of the same model, settings and data."""
    if folder is None or not (folder / CHECKPOINT).exists():
        return None
    content = (folder / CHECKPOINT).read_bytes()
    try:
        same = torch.load(io.BytesIO(content), weights_only=True)["settings"] == run
    except (RuntimeError, KeyError, ValueError, EOFError, pickle.UnpicklingError):
        return None
    return content if same else None


def _settings(config: TrainingConfig) -> str:
    """Return what must be equal for a run to go on: more epochs or more patience are no other run."""
    return config.model_dump_json(exclude={"epochs", "patience"})
