"""A run that was killed on this machine holds nobody up, and is told as killed."""

import time
from collections.abc import Callable

import pytest

from tests.faults import invariants
from tests.faults.shop import Shop

OpenShop = Callable[..., Shop]
LEASE_SECONDS = 120  # the default, which the next run must not sit out


@pytest.mark.scenario("F1", "I1 I2 I10")
def test_f1_the_items_of_a_killed_run_are_free_at_once(open_shop: OpenShop) -> None:
    shop = open_shop(20, latency=0.02)
    killed = shop.begin()
    until = time.monotonic() + 120
    while len(shop.provider.calls) < 30:
        assert time.monotonic() < until
        time.sleep(0.002)
    killed.kill()
    told = shop.start("runs", "--json").ended().report

    ended = shop.enrich()

    assert [run["state"] for run in told] == ["killed"]
    assert ended.code == 0, ended.errors
    assert ended.seconds < LEASE_SECONDS
    invariants.reported(ended, 20)
    invariants.hold(shop, repeats=8)
    assert [run["state"] for run in shop.start("runs", "--json").ended().report] == ["finished", "killed"]
