"""Where a model computes: a GPU when there is one; and a process's share of the work where several train one model."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import nn
from torch.nn.parallel import DistributedDataParallel

Work = TypeVar("Work")


@dataclass(frozen=True)
class Team:
    """One process of several that train one model, which nobody but us has begun; they talk by gloo."""

    rank: int
    size: int
    meeting: str  # where they find each other: file:///PATH, or tcp://HOST:PORT of the first one
    patience: float = 600.0  # seconds that one waits for the others before it gives up

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0


_TEAM: ContextVar[Team | None] = ContextVar("team", default=None)


@contextmanager
def joined(team: Team) -> Iterator[None]:
    """Train as one of a team within the context."""
    token = _TEAM.set(team)
    try:
        yield
    finally:
        _TEAM.reset(token)


@dataclass(frozen=True)
class Place:
    """One process of a training run: its device, its number, and how many there are."""

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def share(self, work: Sequence[Work]) -> Sequence[Work]:
        """Return this process's part of the batches: equally many for each, what is left over goes unused."""
        return work[: len(work) - len(work) % self.size][self.rank :: self.size]

    def part(self, rows: int) -> NDArray[np.int64]:
        """Return which of a batch's rows are this process's, at least one where there is any."""
        own = np.arange(self.rank, rows, self.size)
        return own if len(own) else np.arange(min(1, rows))

    def prepared(self, model: nn.Module) -> nn.Module:
        """Return the model on the device, with gradients averaged over all processes."""
        model = model.to(self.device)
        # What a batch says nothing of (demands that are left out) has no gradient.
        return DistributedDataParallel(model, find_unused_parameters=True) if self.size > 1 else model

    def summed(self, values: Sequence[float]) -> list[float]:
        """Return the sums of the values over all processes."""
        if self.size == 1:
            return list(values)
        shared = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(shared)
        return [float(value) for value in shared]

    def shared(self, content: bytes | None) -> bytes | None:
        """Return the first process's bytes in every process: the others may be on machines without its files."""
        if self.size == 1:
            return content
        told: list[bytes | None] = [content]
        dist.broadcast_object_list(told, src=0)
        return told[0]

    def agreed(self, value: float) -> float:
        """Return the first process's value in every process."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64)
        dist.broadcast(shared, src=0)
        return float(shared)


@contextmanager
def place() -> Iterator[Place]:
    """Yield where this process computes: within a team, with the processes of torchrun, or alone.

    Processes of torchrun find each other by gloo, or NCCL between GPUs.
    """
    team, cuda = _TEAM.get(), torch.cuda.is_available()
    if team is None and not dist.is_torchelastic_launched():
        yield Place(torch.device("cuda" if cuda else "cpu"))
        return
    if team is None:
        dist.init_process_group("nccl" if cuda else "gloo")
    else:
        patience = timedelta(seconds=team.patience)
        dist.init_process_group("gloo", team.meeting, patience, team.size, team.rank)
    try:
        rank = dist.get_rank()
        device = torch.device("cuda", rank % torch.cuda.device_count()) if cuda else torch.device("cpu")
        yield Place(device, rank, dist.get_world_size())
    finally:
        dist.destroy_process_group()


def use_threads(count: int) -> None:
    """Compute on so many CPU threads; small batches gain nothing by a second one, and its waiting costs."""
    torch.set_num_threads(count)


def torch_version() -> str:
    """Return the version of torch: another one may train to other weights."""
    return str(torch.__version__)
