"""How knowledge vectors enter a ranker: experts squeeze them, a gate chooses among experts (KAR; Xi et al. 2023)."""

import torch
from torch import Tensor, nn


class KnowledgeAdaptor(nn.Module):
    """A mixture of expert layers from vectors of a text encoder to the ranker's width; nothing known gives zeros."""

    def __init__(self, dimensions: int, width: int, experts: int = 3) -> None:
        super().__init__()
        self.experts = nn.Linear(dimensions, experts * width)
        self.narrow = nn.Linear(width, width)
        self.gate = nn.Linear(dimensions, experts)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return [..., width] of vectors [..., dimensions]."""
        views = torch.relu(self.experts(vectors)).reshape(
            *vectors.shape[:-1], self.gate.out_features, self.narrow.in_features
        )
        mixed = (torch.softmax(self.gate(vectors), dim=-1).unsqueeze(-1) * views).sum(dim=-2)
        narrow: Tensor = self.narrow(mixed)  # the gate sums to 1: the same as of each expert, then mixed
        return narrow * vectors.any(dim=-1, keepdim=True)
