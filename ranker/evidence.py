"""What imagined behaviours add to what a ranker sees of a candidate; it begins as nothing, and is learned."""

import torch
from torch import Tensor, nn

EXTREME = 6.0  # deviations beyond which a feature says no more


class ImaginedEvidence(nn.Module):
    """Gated evidence: what is told of each pair, scaled by how many behaviours were imagined and how sure they are.

    All weights that reach the ranker begin at zero, so that it starts as the one without imagined behaviours.
    """

    def __init__(self, features: int, summaries: int, hidden: int) -> None:
        super().__init__()
        self.register_buffer("features_mean", torch.zeros(features))
        self.register_buffer("features_scale", torch.ones(features))
        self.trust = nn.Linear(2, 1)
        self.linear = nn.Linear(features + summaries, 1, bias=False)
        self.wide = nn.Linear(features + summaries, hidden, bias=False)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.wide.weight)

    def forward(self, features: Tensor, summaries: Tensor, real: Tensor, confidence: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is added to the logits [B, C, 1] and to the first hidden layer [B, C, hidden].

        `features` [B, C, I] and `summaries` [B, C, S] are told of each pair; `real` and `confidence` are [B, G]. Where
        nothing is real, nothing is added.
        """
        scaled = (features - self.get_buffer("features_mean")) / self.get_buffer("features_scale")
        trust = torch.sigmoid(self.trust(about(real, confidence))) * real.any(dim=1, keepdim=True)
        told = torch.cat([scaled.clamp(-EXTREME, EXTREME), summaries], dim=2) * trust.unsqueeze(1)
        return self.linear(told), self.wide(told)


def about(real: Tensor, confidence: Tensor) -> Tensor:
    """Return how many behaviours were imagined (log) and how sure they are in the mean, [B, 2]."""
    many = real.sum(dim=1).float()
    sure = (confidence * real).sum(dim=1) / many.clamp_min(1)
    return torch.stack([torch.log1p(many), sure], dim=1)
