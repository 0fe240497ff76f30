"""What `reaseq impact` is asked for beyond the settings."""

from pathlib import Path

from commands.evaluation_gold import GoldChoice
from commands.run_options import RunOptions
from evaluators.impact.verdict import TOLERANCE
from memory.record import Record


class ImpactOptions(Record):
    """What one report is to be about."""

    against: int | None = None  # a version; None: the current one
    data: Path | None = None  # a log; None: the stored behaviours
    map_columns: dict[str, str] | None = None
    gold: GoldChoice | None = None
    sample: int | None = None  # items; None: all
    seed: int = 0  # of the sample and of the first training
    seeds: int = 1  # trainings of each model
    tolerance: float = TOLERANCE
    ranking: bool = True
    diffusion: bool = True
    ranker_config: Path | None = None
    diffusion_config: Path | None = None
    run: RunOptions = RunOptions(unread=True)

    @property
    def training_seeds(self) -> tuple[int, ...]:
        """The seed of each training."""
        return tuple(range(self.seed, self.seed + self.seeds))
