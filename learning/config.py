"""What every training run is told, with its defaults."""

from pydantic import Field

from memory.record import Record


class TrainingConfig(Record):
    """How long and how fast a model learns; a metric is better when higher."""

    epochs: int = Field(default=30, ge=1)
    batch_size: int = Field(default=256, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    clip_norm: float = Field(default=5.0, gt=0)  # of the gradient
    patience: int = Field(default=3, ge=1)  # epochs without a better validation metric before training ends
    seed: int = Field(default=0, ge=0)
