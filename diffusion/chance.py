"""Random numbers for many users at once, each user's from a generator of its own: who else is asked changes nothing."""

import hashlib
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor


class Chance(Protocol):
    """Where random numbers come from."""

    def uniform(self, rows: Tensor) -> Tensor:
        """Return numbers in [0, 1), one for each of the rows [K], which rise; float64."""


class OneChance:
    """The same generator for all rows."""

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    def uniform(self, rows: Tensor) -> Tensor:
        """Return numbers in [0, 1), one for each of the rows [K]."""
        return torch.rand(len(rows), generator=self._generator, dtype=torch.float64)


class UserChances:
    """A generator for each user, whose `rows` follow each other; its numbers depend on the seed and its id alone."""

    def __init__(self, users: Sequence[str], seed: int, *, rows: int) -> None:
        self._generators = [torch.Generator().manual_seed(_seed_of(seed, user)) for user in users]
        self._rows = rows

    def uniform(self, rows: Tensor) -> Tensor:
        """Return numbers in [0, 1), one for each of the rows [K], which rise."""
        counts = torch.bincount(rows // self._rows, minlength=len(self._generators)).tolist()
        drawn = [
            torch.rand(count, generator=own, dtype=torch.float64)
            for own, count in zip(self._generators, counts, strict=True)
            if count
        ]
        return torch.cat(drawn) if drawn else torch.zeros(0, dtype=torch.float64)


def _seed_of(seed: int, user: str) -> int:
    text = f"{seed}/{user}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big", signed=True)
