"""What is known of one server of several: its load, how fast it answers, whether it is put aside."""

import math
from dataclasses import dataclass

from agents.providers.base import CallFailed, Completion, FailureKind
from agents.providers.server_state import ServerState

SMOOTHING = 0.2  # the share of the newest answer in the seconds that answers take


@dataclass(frozen=True)
class Turn:
    """A call that is on its way to a server."""

    cuts: int  # of the room, before the call began
    asides: int  # how often the server had been put aside by then


class Server:
    """One server's load and health; it sends nothing itself."""

    def __init__(self, url: str, number: int) -> None:
        self.url = url
        self.number = number  # its place among the others
        self.in_flight = 0
        self.failures = 0  # times that it was put aside since its last answer
        self._answered = self._failed = 0
        self._seconds: float | None = None
        self._aside = ""
        self._asides = 0
        self._paused_until = -math.inf
        self._room = _Room()

    @property
    def is_aside(self) -> bool:
        """Whether nothing is to be sent to it while another is well."""
        return bool(self._aside)

    @property
    def has_room(self) -> bool:
        """Whether it takes one more call without being pressed."""
        return self.in_flight < self._room.allowed

    @property
    def load(self) -> tuple[int, float, int]:
        """What the least loaded one has least of: calls in flight, then seconds an answer, then calls so far."""
        return self.in_flight, self._seconds or 0.0, self._answered + self._failed

    @property
    def state(self) -> ServerState:
        """How it stands."""
        return ServerState(
            url=self.url,
            in_flight=self.in_flight,
            answered=self._answered,
            failed=self._failed,
            seconds=self._seconds,
            aside=self._aside,
        )

    def pause(self, now: float) -> float:
        """Return the seconds that it still asks to be left alone."""
        return max(0.0, self._paused_until - now)

    def begin(self) -> Turn:
        """Count a call in; `end` counts it out, however it ended."""
        self.in_flight += 1
        return Turn(self._room.cuts, self._asides)

    def end(self) -> None:
        """Count a call out."""
        self.in_flight -= 1

    def answered(self, turn: Turn, completion: Completion) -> None:
        """Take note of an answer; one that was begun while the server was aside brings it back."""
        self._answered += 1
        newest = completion.seconds
        self._seconds = newest if self._seconds is None else self._seconds + SMOOTHING * (newest - self._seconds)
        self._room.answered(self.in_flight)
        if turn.asides == self._asides:
            self.failures = 0
            if self._aside:
                self.come_back()

    def limited(self, turn: Turn, error: CallFailed, now: float) -> None:
        """Take note of a rate limit: half as many calls from now on, and none before the time that it names."""
        self._failed += 1
        self._room.cut(turn.cuts, self.in_flight)
        if error.retry_after is not None and math.isfinite(error.retry_after):
            self._paused_until = max(self._paused_until, now + error.retry_after)

    def trouble(self, error: CallFailed) -> bool:
        """Take note of a failure that is the server's own; return whether it is put aside only now."""
        self._failed += 1
        return self.put_aside(_reason(error))

    def put_aside(self, reason: str) -> bool:
        """Send it nothing until it comes back; return whether that is new."""
        new, self._aside = not self._aside, reason
        if new:
            self._asides += 1
            self.failures += 1
        return new

    def come_back(self) -> None:
        """Send it calls again, one at first."""
        self._aside = ""
        self._room.narrow()


class _Room:
    """How many calls a server takes at once: any number, until it limits them or has come back.

    Doubled with each round of answers after a return, raised by one after a limit, as in TCP.
    """

    def __init__(self) -> None:
        self.allowed = math.inf
        self.cuts = 0
        self._gently_from = math.inf  # from here on one more a round
        self._answers = 0

    def narrow(self) -> None:
        self.allowed, self._answers = 1, 0

    def cut(self, cuts: int, in_flight: int) -> None:
        """Halve; calls that had begun before the last cut do not cut again."""
        if cuts == self.cuts:
            self.allowed = self._gently_from = max(1.0, min(self.allowed, in_flight) // 2)
            self.cuts += 1
            self._answers = 0

    def answered(self, in_flight: int) -> None:
        self._answers += 1
        if self._answers >= self.allowed and in_flight >= self.allowed:
            self.allowed = self.allowed * 2 if self.allowed < self._gently_from else self.allowed + 1
            self._answers = 0


_REASONS = {
    FailureKind.UNREACHABLE: "cannot be reached",
    FailureKind.TIMEOUT: "answered too late",
    FailureKind.LOST: "cut the connection",
    FailureKind.PROTOCOL: "answered with no completion",
    FailureKind.OVERLOADED: "answered with an error of its own",
}


def _reason(error: CallFailed) -> str:
    return _REASONS.get(error.kind, error.kind.value)
