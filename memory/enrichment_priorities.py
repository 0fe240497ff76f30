"""What would pay most to be known of more items: what a ranking gains by each attribute, and where it is unknown."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from memory.errors import ReaseqError
from memory.record import Record

DERIVED = ("demand",)  # groups of what is known that are no attribute: enrichment cannot be asked for them


class PrioritiesUnreadable(ReaseqError):
    """A file holds no priorities."""


class AttributePriority(Record):
    """What the ranking gains by one attribute, and of how many items it is unknown."""

    attribute: str = Field(min_length=1)
    gain: float  # of the metric: with it, less without it
    low: float  # of the interval of 95 % over users
    high: float
    known: int = Field(ge=0)  # items
    unknown: int = Field(ge=0)
    unknown_by_category: dict[str, int]  # by the path of the leaf category; "" where an item has none

    @model_validator(mode="after")
    def _interval_is_one(self) -> Self:
        if self.low > self.high:
            raise ValueError("low is to be at most high")
        return self

    @property
    def moves(self) -> bool:
        """Whether its interval is clear of zero: less than that may be chance."""
        return self.low > 0


class EnrichmentPriorities(Record):
    """What `reaseq ranker ablate` found out, for those who choose what is worked on first."""

    task: Literal["next item", "click-through"]
    metric: str
    version: int  # of the knowledge base
    items: int
    attributes: tuple[AttributePriority, ...]

    @property
    def gains(self) -> dict[str, float]:
        """What each attribute that moves the ranking gains, the greatest first."""
        moving = sorted((one for one in self.attributes if one.moves), key=lambda one: -one.gain)
        return {one.attribute: one.gain for one in moving}


def read_priorities(path: Path) -> EnrichmentPriorities:
    """Return the priorities of a file; raises `PrioritiesUnreadable`."""
    try:
        return EnrichmentPriorities.model_validate_json(path.read_bytes())
    except OSError as error:
        raise PrioritiesUnreadable(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise PrioritiesUnreadable(
            f"{str(path)!r} holds no priorities of enrichment: {where}{': ' if where else ''}{first['msg']}; "
            "reaseq ranker ablate --priorities writes them"
        ) from error
