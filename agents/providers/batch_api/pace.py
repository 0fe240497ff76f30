"""How fast and how often batches are put together, looked at and submitted anew."""

from dataclasses import dataclass

from agents.providers.batch_api.wire import MOST_BYTES, MOST_REQUESTS


@dataclass(frozen=True)
class BatchPace:
    """How fast and how often."""

    settle_seconds: float = 1.0  # without a new question: then all that may come have come
    first_look: float = 1.0  # seconds after the submission
    look_growth: float = 1.5  # each wait is so many times the one before
    longest_look: float = 60.0  # seconds between two looks
    batches: int = 5  # that one question may be in
    requests: int = MOST_REQUESTS  # in one batch
    bytes: int = MOST_BYTES  # in one batch
    tries: int = 14  # of each request to the server: about eight minutes
    longest_pause: float = 60.0  # seconds between two tries
    lease_seconds: float = 60.0  # of a submission that is being made, while its process lives
