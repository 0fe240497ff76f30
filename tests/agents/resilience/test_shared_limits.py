"""Limits by the minute over several workers: no minute sees more, however late portions are used."""

import random

import pytest

from agents.resilience.rate_limits import MINUTE
from agents.resilience.shared_limits import VALID_SECONDS, Asked, RateOffice


@pytest.mark.parametrize("seed", range(5))
def test_no_minute_sees_more_than_the_limits(seed: int) -> None:
    draw, now = random.Random(seed), 0.0
    office = RateOffice(120, 6000, full=False, now=now)
    sent: list[tuple[float, float, float]] = []

    while now < 300:
        now += draw.random() / 5
        portion = office.grant(Asked(tokens=draw.randrange(10, 200)), now)
        used_at = now + draw.random() * VALID_SECONDS
        sent.append((used_at, portion.requests, portion.tokens))

    for at, _, _ in sent:
        within = [(requests, tokens) for when, requests, tokens in sent if at <= when < at + MINUTE]
        assert sum(requests for requests, _ in within) <= 120
        assert sum(tokens for _, tokens in within) <= 6000
    assert sum(requests for at, requests, _ in sent if at < 300) > 0.5 * 120 * 4


def test_one_that_begins_anew_waits_a_whole_minute() -> None:
    office = RateOffice(60, None, full=True, now=100.0)

    assert office.grant(Asked(tokens=1), 100.0 + MINUTE).wait > 0
    assert office.grant(Asked(tokens=1), 101.0 + MINUTE + VALID_SECONDS).requests == 1


def test_tokens_that_were_not_used_are_granted_again() -> None:
    office = RateOffice(None, 600, full=False, now=0.0)

    first = office.grant(Asked(tokens=600), 0.0)
    refused = office.grant(Asked(tokens=600), 1.0)
    again = office.grant(Asked(tokens=600, corrections=((first.number, -600.0),)), 2.0)

    assert (first.tokens, refused.tokens, again.tokens) == (600, 0, 600)
