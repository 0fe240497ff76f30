"""How one of several model servers stands, for a live view."""

from typing import Protocol, runtime_checkable

from memory.record import Record


class ServerState(Record):
    """How one of several model servers stands; `url` may be shown."""

    url: str
    in_flight: int
    answered: int  # calls, since the run began
    failed: int
    seconds: float | None  # that an answer takes of late; None before the first
    aside: str = ""  # why nothing is sent to it at the moment; empty where something is


@runtime_checkable
class ServedBySeveral(Protocol):
    """What can tell how several servers stand."""

    @property
    def servers(self) -> tuple[ServerState, ...]:
        """Return how they stand, in the order in which they were named; nothing where there are not several."""
