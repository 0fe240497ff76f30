"""How often, how fast and how long a question is put to a provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from agents.providers.base import FailureKind

TRIES: Mapping[FailureKind, int] = MappingProxyType(
    {
        FailureKind.OVERLOADED: 4,
        FailureKind.UNREACHABLE: 4,
        FailureKind.TIMEOUT: 2,
        FailureKind.LOST: 2,
        FailureKind.PROTOCOL: 2,
    }
)


@dataclass(frozen=True)
class ResiliencePolicy:
    """How often, how fast and how long a question is put."""

    # In all, for each kind; 1 where none is said. A rate limit is met again and again until the deadline.
    tries: Mapping[FailureKind, int] = field(default_factory=lambda: TRIES, hash=False)
    deadline_seconds: float = 600.0  # for one question with its retries and their waits; waiting for its turn is extra
    retry_after_cap: float = 60.0  # the longest that a server's Retry-After is obeyed, seconds
    longest_backoff: float = 30.0  # seconds, where the server names no time
    max_concurrency: int = 8
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    breaker_failures: int = 10  # in a row
    breaker_cooldown: float = 5.0  # seconds before the first probe; doubled for each next one
    breaker_probes: int = 5
