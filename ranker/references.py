"""What the ranker is measured against, on the same requests: LR, DCN-V2, DIN and SIM, on ids and counted features."""

from enum import StrEnum

import torch
from torch import Tensor, nn

from ranker.attention import TargetAttention, nearest, picked, pooled
from ranker.model import Requests


class Reference(StrEnum):
    """The reference models."""

    LR = "lr"  # logistic regression on the features of the pair and one weight an item
    DCN = "dcn-v2"  # crosses (Wang et al. 2021) of the candidate and the mean history
    DIN = "din"  # target attention (Zhou et al. 2018) over the newest behaviours
    SIM = "sim"  # the same over those nearest by id (soft search; Pi et al. 2020)


class ReferenceRanker(nn.Module):
    """Logits [requests, candidates] of one reference model; all read item ids, and `features` numbers a pair."""

    def __init__(self, kind: Reference, items: int, features: int = 0, width: int = 32, searched: int = 10) -> None:
        super().__init__()
        self.kind, self.items, self.searched = kind, items, searched
        self.bias = nn.Embedding(items + 1, 1, padding_idx=items)
        self.ids = nn.Embedding(items + 1, width, padding_idx=items)
        nn.init.zeros_(self.bias.weight)
        nn.init.normal_(self.ids.weight[:-1], std=0.05)
        self.register_buffer("features_mean", torch.zeros(features))
        self.register_buffer("features_scale", torch.ones(features))
        self.attention = TargetAttention(width, 2 * width)
        seen = features if kind is Reference.LR else 2 * width + features
        self.crosses = nn.ModuleList(nn.Linear(seen, seen) for _ in range(2 if kind is Reference.DCN else 0))
        self.linear = nn.Linear(seen, 1)
        self.deep = nn.Sequential(nn.Linear(seen, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, requests: Requests) -> Tensor:
        """Return logits [requests, candidates]."""
        row = torch.where(requests.candidates < 0, self.items, requests.candidates)
        features = (requests.features - self.get_buffer("features_mean")) / self.get_buffer("features_scale")
        logits: Tensor = self.bias(row).squeeze(-1)
        if self.kind is Reference.LR:
            return self._sum(logits, self.linear(features))
        offered, past = self._looked_up(row, requests.history)
        seen = torch.cat([offered, self._interest(requests.history >= 0, past, offered), features], dim=-1)
        crossed = seen
        for cross in self.crosses:  # x0 * (W x + b) + x
            crossed = seen * cross(crossed) + crossed
        return self._sum(logits, self.linear(crossed), self.deep(seen))

    @staticmethod
    def _sum(logits: Tensor, *more: Tensor) -> Tensor:
        for part in more:
            logits = logits + part.squeeze(-1)
        return logits

    def _looked_up(self, row: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:
        """Return the candidates and the behaviours, looked up at once: the table's gradient is made once, too."""
        rows = torch.cat([row.flatten(), torch.where(history < 0, self.items, history).flatten()])
        offered, past = self.ids(rows).split([row.numel(), history.numel()])
        return offered.unflatten(0, row.shape), past.unflatten(0, history.shape)

    def _interest(self, real: Tensor, past: Tensor, offered: Tensor) -> Tensor:
        """Return what the history is to each candidate, [requests, candidates, width]."""
        if self.kind is Reference.DCN:
            mean: Tensor = past.sum(dim=1) / real.sum(dim=1, keepdim=True).clamp_min(1)
            return mean.unsqueeze(1).expand(-1, offered.shape[1], -1)
        if self.kind is Reference.SIM and past.shape[1] > self.searched:
            shared = self.attention.behaviours(past)
            unit = nn.functional.normalize(offered, dim=-1) @ nn.functional.normalize(past, dim=-1).transpose(1, 2)
            chosen = nearest(unit, real, self.searched)
            past, shared = picked(past, chosen), picked(shared, chosen)
            real = picked(real.unsqueeze(2), chosen).squeeze(3)
            return pooled(self.attention(past, shared, offered), past, real)
        return pooled(self.attention.over(past, offered), past, real)
