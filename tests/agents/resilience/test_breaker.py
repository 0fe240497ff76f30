"""Holding calls back while a server is down."""

import asyncio

import pytest

from agents.providers.base import ProviderUnavailable
from agents.resilience.breaker import Breaker, BreakerState
from tests.virtual_clock import VirtualClock


def opened(clock: VirtualClock, *, probes: int = 3) -> Breaker:
    breaker = Breaker(clock, failures=2, cooldown=5, probes=probes)
    breaker.failed("503", probe=False)
    breaker.failed("503", probe=False)
    assert breaker.state is BreakerState.OPEN
    return breaker


def test_an_answer_between_failures_keeps_it_closed() -> None:
    breaker = Breaker(VirtualClock(), failures=2, cooldown=5, probes=3)

    for _ in range(10):
        breaker.failed("503", probe=False)
        breaker.succeeded()

    assert breaker.state is BreakerState.CLOSED


async def test_one_probe_goes_after_the_cooldown_and_its_success_lets_the_others_through() -> None:
    clock = VirtualClock()
    breaker = opened(clock)
    assert await clock.run(breaker.admit())
    assert (clock.now(), breaker.state) == (5, BreakerState.HALF_OPEN)
    second = asyncio.create_task(breaker.admit())
    await asyncio.sleep(0)
    assert not second.done()

    breaker.succeeded()

    assert await second is False
    assert breaker.state is BreakerState.CLOSED


async def test_each_failed_probe_doubles_the_cooldown_and_the_last_gives_the_server_up() -> None:
    clock = VirtualClock()
    breaker = opened(clock)
    moments = []

    for _ in range(3):
        assert await clock.run(breaker.admit())
        moments.append(clock.now())
        breaker.failed("no server", probe=True)

    assert moments == [5, 15, 35]
    with pytest.raises(ProviderUnavailable, match=r"5 calls in a row, the last with: no server; .* the same command"):
        await clock.run(breaker.admit())


async def test_a_server_that_was_given_up_is_probed_again_by_a_later_call() -> None:
    clock = VirtualClock()
    breaker = opened(clock, probes=1)
    assert await clock.run(breaker.admit())
    breaker.failed("503", probe=True)
    with pytest.raises(ProviderUnavailable):
        await breaker.admit()

    await clock.run(clock.sleep(60))

    assert await breaker.admit()


async def test_a_cancelled_probe_leaves_its_place_to_the_next() -> None:
    clock = VirtualClock()
    breaker = opened(clock)
    await clock.run(breaker.admit())

    breaker.abandoned()

    assert await breaker.admit()


async def test_failures_that_began_before_the_outage_was_known_are_no_failed_probes() -> None:
    clock = VirtualClock()
    breaker = opened(clock, probes=1)

    for _ in range(20):
        breaker.failed("503", probe=False)

    assert await clock.run(breaker.admit())
