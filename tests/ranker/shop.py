"""A tiny shop for the click-through tests: users of two tastes, items of two brands."""

import numpy as np
import torch

from memory.behaviors.sequences import Sequences
from memory.item_vectors.knowledge_table import KnowledgeTable

ITEMS = 40


def sequences(*rows: list[int], items: int = ITEMS) -> Sequences:
    """Return the behaviours of some users, oldest first."""
    item = np.array([behaviour for row in rows for behaviour in row], dtype=np.int32)
    nothing = np.zeros(len(item), dtype=np.int8)
    return Sequences(
        users=tuple(f"u{number}" for number in range(len(rows))),
        items=tuple(f"i{number}" for number in range(items)),
        offsets=np.cumsum([0, *map(len, rows)], dtype=np.int64),
        item=item,
        time=np.arange(len(item), dtype=np.int64),
        kind=nothing,
        source=nothing,
    )


def two_tastes(users: int = 120, length: int = 7) -> Sequences:
    """Return users who like even or odd items and nothing else."""
    chance = np.random.default_rng(3)
    return sequences(
        *([int(item) * 2 + user % 2 for item in chance.permutation(ITEMS // 2)[:length]] for user in range(users))
    )


def brands() -> KnowledgeTable:
    """Return what is known of the items: even ones are of brand a, odd ones of brand b."""
    return KnowledgeTable(
        ids=tuple(f"i{number}" for number in range(ITEMS)),
        titles=tuple(f"item {number}" for number in range(ITEMS)),
        features=(("brand", "a"), ("brand", "b")),
        offsets=np.arange(ITEMS + 1, dtype=np.int64),
        feature=(np.arange(ITEMS) % 2).astype(np.int32),
        confidence=np.ones(ITEMS, dtype=np.float32),
        numeric=(),
        numbers=np.zeros((ITEMS, 0), dtype=np.float32),
        version=1,
    )


def vectors(dimensions: int = 6) -> torch.Tensor:
    """Return unit vectors that say nothing of the brand."""
    found = torch.randn(ITEMS, dimensions, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.normalize(found, dim=1)
