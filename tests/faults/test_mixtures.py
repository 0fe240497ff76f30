"""A little of every fault, and any mixture of a few: every row ends, and no promise is broken."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.faults import invariants
from tests.faults.shop import Shop

pytestmark = pytest.mark.faults

OpenShop = Callable[..., Shop]
Say = Callable[[str, object], None]
QUICK = {"breaker_cooldown": 0.1}
REJECTED = ["400", "400_context", "400_policy", "429", "429_date", "429_ms", "429_noheader", "429_garbage", "307"]
BROKEN = ["500", "502_html", "503", "504", "529", "reset", "close", "reset_after", "truncate_body", "chunked_cut"]
EMPTY = [f"200_{name}" for name in ("html", "error", "empty", "bad_json", "no_choices", "null_choices")]
ODD = ["refusal", "content_filter", "length", "length_empty", "tool_calls", "no_usage", "zero_usage", "wrong_model"]
FAULTS = [*REJECTED, *BROKEN, *EMPTY, *ODD, "gzip_bad"]


@pytest.mark.scenario("F48", "I1 I2 I3 I7")
def test_f48_many_items_and_a_little_of_every_fault(open_shop: OpenShop, record_property: Say) -> None:
    shop = open_shop(1000, rates=dict.fromkeys(FAULTS, 0.002))

    ended = shop.enrich("--concurrency", 16, **QUICK)

    assert ended.code == 0, ended.errors
    invariants.reported(ended, 1000)
    assert ended.report["enriched"] > 900
    assert max(Counter(call.fault for call in shop.provider.calls if call.fault).values()) < 50
    invariants.hold(shop)
    faulty = sum(call.fault is not None for call in shop.provider.calls)
    said = f"{faulty} of {len(shop.provider.calls)} calls faulty in {len(FAULTS)} ways"
    record_property("figures", f"1,000 items instead of 100,000: {said}, {ended.report['enriched']} enriched")


@pytest.mark.scenario("P8", "I1 I2 I3 I7")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**16),
    rates=st.dictionaries(st.sampled_from(FAULTS), st.sampled_from([0.02, 0.1]), max_size=4),
)
# A run that broke a promise comes here, as it was shrunk: one seed and its faults.
@example(seed=0, rates={"reset": 0.1, "503": 0.1, "429": 0.1, "length": 0.1})
def test_p8_any_mixture_of_faults_keeps_every_promise(open_shop: OpenShop, seed: int, rates: dict[str, float]) -> None:
    shop = open_shop(6, rates=rates, seed=seed)

    ended = shop.enrich(**QUICK)

    assert ended.code == 0 or not ended.report["enriched"], ended.errors
    invariants.reported(ended, 6)
    invariants.hold(shop)
