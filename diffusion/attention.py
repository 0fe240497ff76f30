"""Blocks of attention over places, with rotary positions, and over a user's demands."""

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention


class Rotary(nn.Module):
    """Rotary positions (RoFormer, arXiv 2104.09864): attention sees how far apart two places are."""

    def __init__(self, dimensions: int, base: float = 1000.0) -> None:
        super().__init__()
        rate = base ** (-torch.arange(0, dimensions, 2) / dimensions)
        self.register_buffer("rate", rate, persistent=False)

    def forward(self, places: int) -> tuple[Tensor, Tensor]:
        """Return cosines and sines, [places, dimensions / 2]."""
        rate = self.get_buffer("rate")
        angle = torch.arange(places, device=rate.device).unsqueeze(1) * rate
        return angle.cos(), angle.sin()


def turned(vectors: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Return [..., places, dimensions] turned by each place's angles."""
    cosine, sine = turn
    first, second = vectors.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


class Block(nn.Module):
    """Attention over places, over demands where there are any, and a feed-forward part; norms come first."""

    def __init__(self, width: int, heads: int, dropout: float, *, conditioned: bool) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.read, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.ask = nn.Linear(width, width) if conditioned else None
        self.answer = nn.Linear(width, 2 * width) if conditioned else None
        self.merge = nn.Linear(width, width) if conditioned else None
        self.feed = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        state: Tensor,
        seen: Tensor,
        turn: tuple[Tensor, Tensor],
        demands: Tensor | None = None,
        known: Tensor | None = None,
    ) -> Tensor:
        """Return the new states [B, N, D]; `seen` [B, 1, N, N], `demands` [B, M, D], `known` [B, M]."""
        query, key, value = (self._split(part) for part in self.read(self.norms[0](state)).chunk(3, dim=-1))
        mixed = scaled_dot_product_attention(turned(query, turn), turned(key, turn), value, attn_mask=seen)
        state = state + self.dropout(self.out(_joined(mixed)))
        if self.ask is not None and self.answer is not None and self.merge is not None and demands is not None:
            key, value = (self._split(part) for part in self.answer(demands).chunk(2, dim=-1))
            mask = None if known is None else known[:, None, None, :]
            mixed = scaled_dot_product_attention(
                self._split(self.ask(self.norms[1](state))), key, value, attn_mask=mask
            )
            state = state + self.dropout(self.merge(_joined(mixed)))
        fed: Tensor = state + self.dropout(self.feed(self.norms[2](state)))
        return fed

    def _split(self, states: Tensor) -> Tensor:
        """Return [B, heads, N, D / heads]."""
        return states.view(*states.shape[:2], self.heads, -1).transpose(1, 2)


def _joined(states: Tensor) -> Tensor:
    """Return [B, N, D]."""
    return states.transpose(1, 2).flatten(2)
