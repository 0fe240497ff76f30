"""Moments that a scenario waits for: conditions instead of times, so that a busy machine changes nothing."""

import os
import signal
import time
from collections.abc import Callable

from tests.faults import invariants
from tests.faults.shop import Running, Shop

CONCURRENCY = 8  # the default
PATIENCE = 90.0  # seconds; nothing here takes so long but on a machine that has no time at all


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Return when the condition holds; raises TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s in vain")
        time.sleep(0.002)


def until_calls(shop: Shop, number: int) -> None:
    """Return when so many calls have come."""
    until(lambda: len(shop.provider.calls) >= number)


def until_kept(shop: Shop) -> None:
    """Return when every answer that was given is in the ledger."""
    query = "SELECT count(*) FROM model_call WHERE outcome = 'answered'"
    until(lambda: shop.ask(query) == [(invariants.usable(shop.provider),)])


def until_quiet(shop: Shop, seconds: float = 0.5) -> None:
    """Return when some calls have come, and none for a while."""
    until_calls(shop, 1)
    seen, since = 0, time.monotonic()
    while time.monotonic() - since < seconds:
        if shop.provider.active or len(shop.provider.calls) != seen:
            seen, since = len(shop.provider.calls), time.monotonic()
        time.sleep(0.01)


def held_up(shop: Shop, calls: int = 20) -> None:
    """Return when some calls have been answered and kept, and all that may be in flight wait at the gate."""
    until_calls(shop, calls)
    shop.provider.close_gate()
    shop.provider.wait_for_held(CONCURRENCY, PATIENCE)
    until_kept(shop)


def asked_to_stop(run: Running, number: signal.Signals = signal.SIGINT) -> None:
    """Send a signal, and return when the run has said that it stops."""
    run.send(number)
    until(lambda: "stopping: " in run.said()[1])


def stretched(seconds: float) -> float:
    """Return how long a machine as busy as this one may take for what takes so many seconds otherwise."""
    return seconds * max(1.0, 2 * os.getloadavg()[0] / (os.cpu_count() or 1))
