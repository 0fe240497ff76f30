"""Where a model computes: a GPU when there is one; and a process's share of the work under torchrun."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

Work = TypeVar("Work")


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

    def prepared(self, model: nn.Module) -> nn.Module:
        """Return the model on the device, with gradients averaged over all processes."""
        model = model.to(self.device)
        return DistributedDataParallel(model) if self.size > 1 else model

    def agreed(self, value: float) -> float:
        """Return the first process's value in every process."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64)
        dist.broadcast(shared, src=0)
        return float(shared)


@contextmanager
def place() -> Iterator[Place]:
    """Yield where this process computes; processes of torchrun find each other by gloo, or NCCL between GPUs."""
    cuda = torch.cuda.is_available()
    if not dist.is_torchelastic_launched():
        yield Place(torch.device("cuda" if cuda else "cpu"))
        return
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        rank = dist.get_rank()
        device = torch.device("cuda", rank % torch.cuda.device_count()) if cuda else torch.device("cpu")
        yield Place(device, rank, dist.get_world_size())
    finally:
        dist.destroy_process_group()


def use_threads(count: int) -> None:
    """Compute on so many CPU threads; small batches gain nothing by a second one, and its waiting costs."""
    torch.set_num_threads(count)
