"""What the ranker may be told, with defaults; what nobody has to choose stands where it is used."""

from typing import Any, Self

from pydantic import Field

from learning.config import TrainingConfig
from memory.record import Record


class NextItemConfig(Record):
    """How the ranker of the whole catalog is fitted."""

    candidates: int = Field(default=150, ge=2)  # of a history; they alone are re-ranked
    folds: int = Field(default=5, ge=2)  # of users: each is learned from by the counts of the others
    last: int = Field(default=2, ge=1)  # behaviours at the end of each sequence that are learned to be found
    epochs: int = Field(default=4, ge=1)
    repeats: bool = False  # whether an item of the history may be next
    seed: int = Field(default=0, ge=0)
    features: tuple[str, ...] = ()  # what was learned to be read, in order; filled in by fitting


class ClickThroughConfig(TrainingConfig):
    """How the ranker of given candidates is fitted."""

    epochs: int = Field(default=20, ge=1)
    batch_size: int = Field(default=256, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    patience: int = Field(default=2, ge=1)
    negatives: str = Field(default="popularity", pattern="^(uniform|popularity|same-leaf)$")
    listwise: float = Field(default=0.0, ge=0, le=1)  # share of the loss that compares the candidates of one request
    drawn: int = Field(default=11, ge=0)  # seed of the negatives


class RankerConfig(Record):
    """All settings of `reaseq ranker`, as --config gives them."""

    threads: int = Field(default=1, ge=1)  # of the CPU; equal seeds give equal weights with 1
    held_out: int = Field(default=2, ge=0)  # each user's last behaviours that are not learned from
    refit: bool = False  # in evaluations: learn from all but the very behaviour that is asked
    next_item: NextItemConfig = NextItemConfig()
    click_through: ClickThroughConfig = ClickThroughConfig()
    sasrec: TrainingConfig = TrainingConfig(learning_rate=2e-3, batch_size=128, epochs=40)

    def of(self, **given: Any) -> Self:
        """Return the settings with some of them changed; `seed` and `repeats` are those of all models.

        What is given as None stays as it is.
        """
        given = {name: value for name, value in given.items() if value is not None}
        seed: dict[str, Any] = {"seed": given.pop("seed")} if "seed" in given else {}
        repeats: dict[str, Any] = {"repeats": given.pop("repeats")} if "repeats" in given else {}
        changed = (
            dict(self)
            | given
            | {
                "next_item": self.next_item.model_copy(update=seed | repeats),
                "click_through": self.click_through.model_copy(update=seed),
                "sasrec": self.sasrec.model_copy(update=seed),
            }
        )
        return type(self).model_validate(changed)
