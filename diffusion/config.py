"""What the diffusion module may be told, with defaults; what nobody has to choose stands where it is used."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from learning.config import TrainingConfig
from memory.record import Record


class Family(StrEnum):
    """Which digits are hidden together while training."""

    DIGIT = "digit"  # digits, whichever items they are of
    ITEM = "item"  # all digits of an item
    CATEGORY = "category"  # all items of some leaf categories: what a log that lacks them looks like
    SPAN = "span"  # all items between two long gaps in time, or a run of neighbours where there are no times
    TARGET = "target"  # some or all digits of the last item
    ON_POLICY = "on-policy"  # the digits that the model is least sure of


class Bound(StrEnum):
    """How cross-entropies of hidden digits become a loss."""

    COUNT = "count"  # k ~ U{1..n} are hidden, their mean counts: the same bound as RATE, with less variance
    RATE = "rate"  # t ~ U(0, 1), each is hidden with chance t, their sum counts 1/t
    NORMALISED = "normalised"  # RATE's weights, divided by their sum


class Attention(StrEnum):
    """What a place may read."""

    BOTH = "both"
    EARLIER = "earlier"  # the autoregressive twin


class Mixture(Record):
    """How often each family of masks is drawn."""

    digit: float = Field(default=0.0, ge=0)
    item: float = Field(default=0.0, ge=0)
    category: float = Field(default=0.0, ge=0)
    span: float = Field(default=0.0, ge=0)
    target: float = Field(default=0.0, ge=0)
    on_policy: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _something_is_hidden(self) -> Self:
        if not sum(self.weights.values()):
            raise ValueError("at least one family of masks needs a weight above 0")
        return self

    @property
    def weights(self) -> dict[Family, float]:
        """The weight of each family."""
        return {family: getattr(self, family.value.replace("-", "_")) for family in Family}

    def towards(self, other: "Mixture", share: float) -> dict[Family, float]:
        """Return the chances on the way from this mixture to another, `share` in [0, 1] of it done."""
        first, last = self.weights, other.weights
        both = [{family: own[family] / sum(own.values()) for family in Family} for own in (first, last)]
        return {family: (1 - share) * both[0][family] + share * both[1][family] for family in Family}


class DenoiserShape(Record):
    """The size of a denoiser; what it knows of items is given with the weights."""

    sizes: tuple[int, ...]  # codes of each digit
    vectors: tuple[int, ...] = ()  # dimensions of each kind of item vectors
    features: int = Field(default=0, ge=0)  # of the items' knowledge
    demands: int = Field(default=0, ge=0)  # dimensions of a demand's vector; 0: demands are not read
    categories: int = Field(default=0, ge=0)  # leaf categories that are told apart; 0: none are
    ties: int = Field(default=0, ge=0)  # ways in which categories are near by what is known
    company: bool = False  # whether items that stand beside the visible ones elsewhere are looked up
    width: int = Field(default=64, ge=2)
    layers: int = Field(default=2, ge=1)
    heads: int = Field(default=2, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    without_ids: float = Field(default=0.4, ge=0, lt=1)  # how often an item's own digits are left out while training
    attention: Attention = Attention.BOTH


class DiffusionConfig(TrainingConfig):
    """How a model of behaviour sequences is fitted, and how it imagines."""

    epochs: int = Field(default=20, ge=1)
    batch_size: int = Field(default=128, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    patience: int = Field(default=3, ge=1)
    width: int = Field(default=64, ge=2)
    layers: int = Field(default=2, ge=1)
    heads: int = Field(default=2, ge=1)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    longest: int = Field(default=50, ge=2)  # behaviours of a history that are read, the newest ones
    negatives: int = Field(default=512, ge=0)  # codes drawn for a batch; 0: all codes are compared
    bound: Bound = Bound.COUNT
    balance: float = Field(default=0.0, ge=0, le=1)  # b: a hidden code counts by its number to the power of -b
    families: Mixture = Mixture(item=0.7, target=0.3)  # at the start
    families_end: Mixture = Mixture(item=0.4, category=0.3, span=0.1, target=0.2)  # at the end of annealing
    annealing: int = Field(default=10, ge=1)  # epochs
    without_demands: float = Field(default=0.1, ge=0, lt=1)  # how often the condition is left out while training
    guidance: float = Field(default=0.0, ge=0)  # w: how much further than the condition says
    rarity: float = Field(default=0.0, ge=0, le=2)  # t: asked chances are divided by items' counts to the power of t
    demands: int = Field(default=8, ge=0)  # of a user, the strongest; 0: none are read
    folds: int = Field(default=5, ge=0)  # of users: each learns by the company that items keep elsewhere; 0: by none
    categories: bool = True  # whether leaf categories, where they are known, have chances of their own
    validated: float = Field(
        default=0.05, gt=0, lt=1
    )  # share of the users who choose the epoch and are not learned from
