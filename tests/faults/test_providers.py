"""A provider that refuses, drops, stalls or lies on the wire: every row ends, no second payment, no endless wait."""

import time
from collections.abc import Callable
from decimal import Decimal

import pytest

from agents.resilience.policy import ResiliencePolicy
from tests.faults import invariants
from tests.faults.shop import Shop
from tests.faults.waiting import CONCURRENCY, asked_to_stop, stretched, until_quiet
from tests.faulty_provider import Rule

OpenShop = Callable[..., Shop]
slow = pytest.mark.faults
QUICK = {"breaker_cooldown": 0.1}
# What may have been sent when the tenth failure opens the breaker, and the probes.
MOST_IN_OUTAGE = ResiliencePolicy.breaker_failures - 1 + CONCURRENCY + ResiliencePolicy.breaker_probes


@slow
@pytest.mark.scenario("F9", "I1 I2")
def test_f9_every_second_call_is_limited(open_shop: OpenShop) -> None:
    shop = open_shop(40, rates={"429": 0.5})

    ended = shop.enrich()

    assert ended.code == 0, ended.errors
    assert ended.report["enriched"] == 40
    assert len(shop.provider.calls) <= 2.2 * (1 + 40 * 6)
    assert shop.provider.most_active <= CONCURRENCY
    invariants.hold(shop)
    invariants.billed(shop)


@slow
@pytest.mark.scenario("F10", "I11")
def test_f10_a_limit_a_minute_is_not_stormed(open_shop: OpenShop) -> None:
    shop = open_shop(100, requests_per_minute=60)
    run = shop.begin("--concurrency", 40)
    until_quiet(shop)
    met = len(shop.provider.calls)
    time.sleep(10)
    late = shop.provider.calls[met:]
    asked_to_stop(run)
    ended = run.ended()

    limited = [call for call in shop.provider.calls[:met] if call.fault == "429"]
    assert ended.code == 130
    assert 0 < len(limited) <= 40  # one for each that was on its way
    assert len([call for call in late if call.fault == "429"]) <= 0.05 * met
    invariants.hold(shop, complete=False)


@slow
@pytest.mark.scenario("F10", "I11")
def test_f10_a_limit_that_was_told_is_never_met(open_shop: OpenShop) -> None:
    shop = open_shop(100, requests_per_minute=60)
    shop.settings["requests_per_minute"] = "60"
    run = shop.begin("--concurrency", 40)
    until_quiet(shop)
    asked_to_stop(run)

    ended = run.ended()

    assert ended.code == 130
    assert [call.fault for call in shop.provider.calls] == [None] * 60
    invariants.hold(shop, complete=False)
    invariants.billed(shop)


@pytest.mark.scenario("F11", "I2 I11")
@pytest.mark.parametrize(
    "fault",
    [
        "429_huge",
        *(pytest.param(f"429_{name}", marks=slow) for name in ("date", "ms", "garbage", "negative", "noheader")),
    ],
)
def test_f11_whatever_a_server_asks_to_wait_the_wait_is_capped(open_shop: OpenShop, fault: str) -> None:
    shop = open_shop(8, Rule(fault, from_call=8, to_call=9))

    ended = shop.enrich(retry_after_cap=1)

    assert ended.code == 0, ended.errors
    assert ended.report["enriched"] == 8
    invariants.hold(shop)


@pytest.mark.scenario("F12", "I6 I15")
def test_f12_a_spent_quota_stops_the_run(open_shop: OpenShop) -> None:
    shop = open_shop(40, Rule("429_quota", from_call=30))
    systemic(shop, "quota")


@pytest.mark.scenario("F13", "I7 I15")
def test_f13_a_key_that_is_revoked_stops_the_run_and_is_not_printed(open_shop: OpenShop) -> None:
    shop = open_shop(40, Rule("401", from_call=30))
    systemic(shop, "key")


def systemic(shop: Shop, said: str) -> None:
    """Every call fails from one on: the run stops after those in flight, and goes on when the provider is well."""
    stopped = shop.enrich()

    assert stopped.code == 1
    assert said in stopped.errors.lower()
    assert len(shop.provider.calls) <= 29 + 8
    invariants.hold(shop, complete=False)
    shop.provider.rules = ()
    assert shop.enrich().code == 0
    invariants.hold(shop)
    invariants.billed(shop)


@pytest.mark.scenario("F14", "I2")
@pytest.mark.parametrize("fault", ["503", *(pytest.param(f, marks=slow) for f in ("500", "502_html", "504", "529"))])
def test_f14_a_server_in_trouble_is_asked_again(open_shop: OpenShop, fault: str) -> None:
    shop = open_shop(20, rates={fault: 0.2})

    ended = shop.enrich(**QUICK)

    assert ended.code == 0, ended.errors
    assert ended.report["enriched"] >= 19  # four tries
    assert max(call.attempt for call in shop.provider.calls) <= 4
    invariants.hold(shop)
    invariants.billed(shop)


@slow
@pytest.mark.scenario("F15", "I1 I15")
@pytest.mark.parametrize("fault", ["503", "reset"])
def test_f15_an_outage_stops_the_run_and_costs_no_item(open_shop: OpenShop, fault: str) -> None:
    shop = open_shop(60, Rule(fault, from_call=60))

    stopped = shop.enrich(**QUICK)
    in_outage = len(shop.provider.calls) - 59

    assert stopped.code == 1, stopped.all
    assert "resume" in stopped.errors
    assert in_outage <= MOST_IN_OUTAGE, in_outage
    assert "failed" not in shop.states().values()
    shop.provider.rules = ()
    assert shop.enrich().code == 0
    assert shop.reasons() == {}
    invariants.hold(shop)


@slow
@pytest.mark.scenario("F15", "I1 I2 I15")
def test_f15_a_short_outage_is_waited_for(open_shop: OpenShop) -> None:
    shop = open_shop(60, Rule("503", from_call=60, to_call=72))

    ended = shop.enrich(**QUICK)

    assert ended.code == 0, ended.errors
    assert ended.report["enriched"] == 60
    invariants.hold(shop)


@slow
@pytest.mark.scenario("F16", "I2")
@pytest.mark.parametrize("fault", ["reset", "close"])
def test_f16_a_dropped_connection_is_tried_again(open_shop: OpenShop, fault: str) -> None:
    shop = open_shop(20, rates={fault: 0.1})

    ended = shop.enrich(**QUICK)

    assert ended.code == 0, ended.errors
    invariants.reported(ended, 20)
    assert ended.report["enriched"] >= 17  # two tries
    invariants.hold(shop)


@pytest.mark.scenario("F17", "I6")
@pytest.mark.parametrize(
    "fault", ["truncate_body", *(pytest.param(f, marks=slow) for f in ("reset_after", "chunked_cut", "stall"))]
)
def test_f17_a_lost_answer_is_paid_once_more_at_most_and_listed(open_shop: OpenShop, fault: str) -> None:
    shop = open_shop(20, Rule(fault, item="Acme3 ", agent="Category"), rates={fault: 0.05})
    if fault == "stall":  # the others need no deadline, and a busy machine should not meet it
        shop.settings["call_seconds"] = "3"

    ended = shop.enrich(**QUICK)

    assert ended.code == 0, ended.errors
    lost = [call for call in shop.provider.calls if call.billed and not call.usable]
    assert shop.ask("SELECT count(*) FROM model_call WHERE outcome = 'paid_lost'") == [(len(lost),)]
    assert max(call.attempt for call in shop.provider.calls) == 2
    assert shop.reasons()["K3"] == ("provider_timeout" if fault == "stall" else "answer_lost")
    invariants.hold(shop)


@slow
@pytest.mark.scenario("F18", "I11")
def test_f18_a_server_that_never_answers_stops_the_run(open_shop: OpenShop) -> None:
    shop = open_shop(20, rates={"hang": 1.0}, hang_seconds=3600)
    shop.settings["call_seconds"] = "0.5"

    ended = shop.enrich(**QUICK)

    assert ended.code == 1, ended.all
    assert len(shop.provider.calls) <= MOST_IN_OUTAGE
    assert "failed" not in shop.states().values()
    invariants.hold(shop, complete=False)


@slow
@pytest.mark.scenario("F19", "I2 I11")
@pytest.mark.parametrize("fault", ["slow_body", "slow_headers"])
def test_f19_the_deadline_is_for_the_whole_answer(open_shop: OpenShop, fault: str) -> None:
    shop = open_shop(8, Rule(fault, item="Acme3 ", agent="Category", attempts=(1,)))
    shop.settings["call_seconds"] = "2"

    ended = shop.enrich()

    first, second = [call.at for call in shop.provider.calls if "Acme3 " in call.item and call.agent.startswith("Cat")]
    assert ended.code == 0, ended.errors
    assert ended.report["enriched"] == 8
    assert second - first < stretched(3.5)  # the deadline, a second of grace, the pause before a retry
    invariants.hold(shop)


@slow
@pytest.mark.scenario("F20", "I2 I12")
@pytest.mark.parametrize("fault", ["gzip_bomb", "huge"])
def test_f20_an_answer_without_end_is_cut(open_shop: OpenShop, fault: str) -> None:
    healthy = open_shop(8).enrich()
    shop = open_shop(8, Rule(fault, item="Acme[1-6] ", attempts=(1,)))

    ended = shop.enrich("--concurrency", 1, **QUICK)  # six, one after the other

    assert ended.code == 0, ended.errors
    assert ended.report["enriched"] == 8
    assert ended.peak < healthy.peak + 50 * 2**20
    invariants.hold(shop)


@pytest.mark.scenario("F21", "I7 I8")
def test_f21_a_redirect_is_not_followed(open_shop: OpenShop) -> None:
    shop = open_shop(8, Rule("307", item="Acme3 "))

    shop.enrich(**QUICK)

    assert "K3" in shop.reasons()
    assert set(shop.states().values()) == {"enriched", "failed"}
    invariants.hold(shop)


@pytest.mark.scenario("F22", "I2 I15")
@pytest.mark.parametrize(
    "fault",
    [
        "200_html",
        *(pytest.param(f"200_{f}", marks=slow) for f in ("error", "empty", "bad_json", "no_choices", "null_choices")),
    ],
)
def test_f22_a_200_that_is_no_answer_is_tried_once_more(open_shop: OpenShop, fault: str) -> None:
    always, once = Rule(fault, item="Acme3 "), Rule(fault, item="Acme[4-7] ", attempts=(1,))
    shop = open_shop(8, always, once)

    ended = shop.enrich(**QUICK)

    assert ended.code == 0, ended.errors
    assert shop.reasons() == {"K3": "provider_protocol"}
    assert max(call.attempt for call in shop.provider.calls) == 2
    invariants.hold(shop)


@pytest.mark.scenario("F36", "I5 I6")
@pytest.mark.parametrize("fault", ["no_usage", pytest.param("zero_usage", marks=slow)])
def test_f36_usage_that_is_not_told_is_estimated_and_said_to_be(open_shop: OpenShop, fault: str) -> None:
    shop = open_shop(6, rates={fault: 1.0})

    ended = shop.enrich()

    assert ended.code == 0, ended.errors
    assert ended.report["tokens"] > 0
    assert shop.ask("SELECT DISTINCT usage_estimated FROM model_call") == [(1,)]
    invariants.hold(shop)


@slow
@pytest.mark.scenario("F36", "I5 I6")
def test_f36_another_model_than_was_asked_is_recorded(open_shop: OpenShop) -> None:
    shop = open_shop(6, rates={"wrong_model": 1.0})

    ended = shop.enrich()

    assert ended.code == 0, ended.errors
    [(model,)] = shop.ask("SELECT DISTINCT model FROM model_call")
    assert "another-model" in model
    invariants.hold(shop)


@pytest.mark.scenario("F37", "I1 I6")
def test_f37_a_budget_stops_the_run_and_a_larger_one_resumes_it(open_shop: OpenShop) -> None:
    shop = open_shop(60)

    stopped = shop.enrich("--budget", "0.04")

    assert stopped.code == 1
    assert "budget" in stopped.errors
    assert Decimal("0.004") < shop.provider.cost
    invariants.within(shop, Decimal("0.04"), concurrency=8)
    invariants.billed(shop)
    invariants.hold(shop, complete=False)
    assert shop.enrich("--budget", "10").code == 0
    invariants.hold(shop)
    invariants.billed(shop)
