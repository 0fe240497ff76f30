"""The click-through ranker: ids, knowledge, similarity and what goes with what, read against each candidate.

Shapes: B requests, C candidates, L behaviours (newest first), G generated ones, D width, F features of a pair.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from pydantic import Field
from torch import Tensor, nn

from memory.record import Record
from ranker.adaptor import KnowledgeAdaptor
from ranker.attention import (
    TIERS,
    SemanticAttention,
    TargetAttention,
    nearest,
    of_real,
    picked,
    pooled,
    similarity_tiers,
)
from ranker.evidence import EXTREME, ImaginedEvidence, about

RECENCY = 0.7  # weight of a behaviour against the one after it
BLOCK = 125  # candidates scored at a time: what is computed of them stays in the cache
SUMMARIES = 3  # of the cosines of one kind: by recency, mean, greatest


class ClickThroughShape(Record):
    """The size of a ranker."""

    items: int = Field(ge=1)
    features: int = Field(ge=0)  # of a pair of history and candidate, counted in the training window
    dimensions: tuple[int, ...] = ()  # of each kind of vectors
    width: int = Field(default=32, ge=1)
    hidden: int = Field(default=64, ge=1)
    retrieved: int = Field(default=50, ge=1)  # behaviours that a candidate attends to
    dropout: float = Field(default=0.2, ge=0, lt=1)
    without_ids: float = Field(default=0.3, ge=0, lt=1)  # how often an item's id is left out while training
    imagined: int = Field(default=0, ge=0)  # numbers that imagined behaviours tell of a pair; 0: learned without any
    without_generated: float = Field(default=0.25, ge=0, lt=1)  # how often a request's generated behaviours are


@dataclass(frozen=True)
class Requests:
    """Histories and what is to be ranked; -1 is no item."""

    history: Tensor
    candidates: Tensor
    features: Tensor
    generated: Tensor | None = None
    confidence: Tensor | None = None  # in (0, 1]
    imagined: Tensor | None = None  # [B, C, I]: what the generated ones say of each candidate

    def to(self, device: torch.device) -> Self:
        """Return them on a device."""
        optional = (self.generated, self.confidence, self.imagined)
        return type(self)(
            self.history.to(device),
            self.candidates.to(device),
            self.features.to(device),
            *(None if tensor is None else tensor.to(device) for tensor in optional),
        )


@dataclass(frozen=True)
class Behaviours:
    """What is computed once of behaviours, for all candidates: [B, L, ·]."""

    known: Tensor
    shared: Tensor  # of the attention's first layer
    vectors: list[Tensor]
    profiles: list[Tensor]  # [B, vector, 2]: the vectors weighed by recency, and their mean
    real: Tensor
    confidence: Tensor | None


class ClickThroughRanker(nn.Module):
    """Logits of a click; `vectors` are frozen unit vectors of the items, [items, dimensions] of each kind."""

    def __init__(self, config: ClickThroughShape, vectors: Sequence[Tensor] = ()) -> None:
        super().__init__()
        self.config, width = config, config.width
        self.ids = nn.Embedding(config.items + 1, width, padding_idx=config.items)
        nn.init.normal_(self.ids.weight[:-1], std=0.05)
        self.kinds = len(config.dimensions)
        for kind, size in enumerate(config.dimensions):
            table = torch.cat([vectors[kind], torch.zeros(1, size)]) if vectors else torch.zeros(config.items + 1, size)
            self.register_buffer(f"vectors_{kind}", table)
        self.adaptors = nn.ModuleList(KnowledgeAdaptor(size, width) for size in config.dimensions)
        self.attention, self.semantic = TargetAttention(width, config.hidden), SemanticAttention()
        self.certainty = nn.Parameter(torch.tensor(1.0))  # eta: how much log confidence counts
        self.gate = nn.Linear(2 * width + 2, width)
        self.register_buffer("features_mean", torch.zeros(config.features))
        self.register_buffer("features_scale", torch.ones(config.features))
        seen = config.features + self.kinds * (2 * TIERS + SUMMARIES) + (3 if self.kinds else 2) * width
        self.linear = nn.Linear(seen, 1)
        self.top = nn.Sequential(
            nn.Linear(seen, config.hidden), nn.ReLU(), nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.hidden), nn.ReLU(), nn.Linear(config.hidden, 1),
        )  # fmt: skip
        self.evidence: ImaginedEvidence | None = None
        if config.imagined:
            self.evidence = ImaginedEvidence(config.imagined, self.kinds * SUMMARIES, config.hidden)

    def forward(self, requests: Requests) -> Tensor:
        """Return logits [B, C]."""
        offered, offered_vectors = self._items(requests.candidates)
        (interest, *by_meaning), tiers, summaries = self._interest(requests.history, offered, offered_vectors, None)
        generated, generated_tiers = self._kept(requests), torch.zeros_like(tiers)
        more: tuple[Tensor, Tensor] | None = None
        if generated is not None:
            sure = torch.ones_like(generated, dtype=offered.dtype)
            sure = sure if requests.confidence is None else requests.confidence
            (imagined, *_), generated_tiers, told = self._interest(generated, offered, offered_vectors, sure)
            interest = self._with_generated(interest, imagined, generated >= 0, sure)
            if self.evidence is not None and requests.imagined is not None:
                more = self.evidence(requests.imagined, told, generated >= 0, sure)
        features = (requests.features - self.get_buffer("features_mean")) / self.get_buffer("features_scale")
        parts = [offered, interest, *by_meaning, tiers, generated_tiers, summaries, features.clamp(-EXTREME, EXTREME)]
        return self._logits(torch.cat(parts, dim=-1), more)

    def _logits(self, seen: Tensor, more: tuple[Tensor, Tensor] | None) -> Tensor:
        """Return logits [B, C] of what is seen of each pair, and of what imagined behaviours add to it."""
        logits, hidden = self.linear(seen), self.top[0](seen)
        if more is not None:
            logits, hidden = logits + more[0], hidden + more[1]
        found: Tensor = (logits + self.top[1:](hidden)).squeeze(-1)
        return found

    def _items(self, items: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return what the ranker knows of items, [..., D], and their vectors of each kind; id -1 gives zeros."""
        row = torch.where(items < 0, self.config.items, items)
        known = self.ids(row)
        if self.training:
            known = known * (torch.rand(row.shape, device=row.device) >= self.config.without_ids).unsqueeze(-1)
        vectors = [self.get_buffer(f"vectors_{kind}")[row] for kind in range(self.kinds)]
        for adaptor, vector in zip(self.adaptors, vectors, strict=True):
            known = known + adaptor(vector)
        return known, vectors

    def _interest(
        self, history: Tensor, offered: Tensor, offered_vectors: list[Tensor], confidence: Tensor | None
    ) -> tuple[list[Tensor], Tensor, Tensor]:
        """Return the pooled history (by id; by meaning, too, where there are vectors), tiers and summaries."""
        past, vectors = self._items(history)
        real: Tensor = history >= 0
        weights = _weights(real)
        profiles = [own.transpose(1, 2) @ weights for own in vectors]
        behaviours = Behaviours(past, self.attention.behaviours(past), vectors, profiles, real, confidence)
        if self.training or torch.compiler.is_exporting():
            return self._looked_at(behaviours, offered, offered_vectors)
        parts = [torch.split(own, BLOCK, dim=1) for own in (offered, *offered_vectors)]
        blocks = [self._looked_at(behaviours, own, of_own) for own, *of_own in zip(*parts, strict=True)]
        ways, tiers, summaries = zip(*blocks, strict=True)
        pooled_ways = [torch.cat(way, dim=1) for way in zip(*ways, strict=True)]
        return pooled_ways, torch.cat(tiers, dim=1), torch.cat(summaries, dim=1)

    def _looked_at(
        self, behaviours: "Behaviours", offered: Tensor, offered_vectors: list[Tensor]
    ) -> tuple[list[Tensor], Tensor, Tensor]:
        past, shared, real, sure = behaviours.known, behaviours.shared, behaviours.real, behaviours.confidence
        cosines = [own @ past.transpose(1, 2) for own, past in zip(offered_vectors, behaviours.vectors, strict=True)]
        tiers = [offered[..., :0], *(similarity_tiers(cosine, real) for cosine in cosines)]
        summaries = [offered[..., :0]]
        for cosine, own, profile in zip(cosines, offered_vectors, behaviours.profiles, strict=True):
            summaries += [own @ profile, _greatest(cosine, real)]
        near = cosines[0] if cosines else None
        bias = None if sure is None else self.certainty * torch.log(sure.clamp_min(1e-6)).unsqueeze(1)
        if near is not None and sure is None and real.shape[1] > self.config.retrieved:
            chosen = nearest(near, real, self.config.retrieved)
            past, shared, near = picked(past, chosen), picked(shared, chosen), near.gather(2, chosen)
            real = picked(real.unsqueeze(2), chosen).squeeze(3)
        every = self.training and past.dim() == 3
        logits = self.attention.over(past, offered) if every else self.attention(past, shared, offered)
        logits = logits if bias is None else logits + bias
        ways = [logits] if near is None else [logits, self.semantic(logits, near)]
        return [pooled(way, past, real) for way in ways], torch.cat(tiers, dim=2), torch.cat(summaries, dim=2)

    def _kept(self, requests: Requests) -> Tensor | None:
        """Return the generated behaviours; while training, some requests lose theirs."""
        generated = requests.generated
        if generated is None or not self.training:
            return generated
        lost = torch.rand(len(generated), 1, device=generated.device) < self.config.without_generated
        return generated.masked_fill(lost, -1)

    def _with_generated(self, logged: Tensor, generated: Tensor, real: Tensor, confidence: Tensor) -> Tensor:
        """Return v_log + sigmoid(w [v_log, v_gen, how many, how sure]) * v_gen."""
        known = about(real, confidence).unsqueeze(1).expand(-1, logged.shape[1], -1)
        return logged + torch.sigmoid(self.gate(torch.cat([logged, generated, known], dim=-1))) * generated


def _weights(real: Tensor) -> Tensor:
    """Return the weights of behaviours in what is summed up of them: by recency, and all alike, [B, L, 2]."""
    place = torch.arange(real.shape[1], device=real.device)
    weights = torch.stack([torch.where(real, RECENCY**place, 0.0), real.float()], dim=2)
    return weights / weights.sum(dim=1, keepdim=True).clamp_min(1e-9)


def _greatest(cosines: Tensor, real: Tensor) -> Tensor:
    """Return the greatest cosine of each candidate, [B, C, 1]; zeros without a history."""
    greatest = of_real(cosines, real.unsqueeze(1), -2.0).amax(dim=2, keepdim=True)
    return torch.where(real.any(dim=1)[:, None, None], greatest, torch.zeros_like(greatest))
