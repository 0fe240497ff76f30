"""The sliding window over requests and tokens."""

from hypothesis import given
from hypothesis import strategies as st

from agents.resilience.rate_limits import MINUTE, SlidingWindow

amounts = st.lists(st.tuples(st.floats(0, 40), st.integers(1, 5)), min_size=1, max_size=60)


@given(amounts, st.integers(5, 20))
def test_no_window_holds_more_than_the_limit_however_calls_arrive(
    arrivals: list[tuple[float, int]], limit: int
) -> None:
    window, now, sent = SlidingWindow(limit), 0.0, []

    for pause, amount in arrivals:
        now += pause
        while (wait := window.delay(amount, now)) > 0:
            now += wait
        window.send(amount, now)
        sent.append((now, amount))

    for start, _ in sent:
        assert sum(amount for at, amount in sent if start <= at < start + MINUTE - 1e-6) <= limit


def test_a_full_window_opens_when_its_oldest_call_leaves_it() -> None:
    window = SlidingWindow(2)
    window.send(1, 0.0)
    window.send(1, 10.0)

    assert window.delay(1, 20.0) == 40.0
    assert window.delay(2, 20.0) == 50.0
    assert window.delay(1, 60.0) == 0.0


def test_what_is_larger_than_the_limit_goes_alone() -> None:
    window = SlidingWindow(100)

    assert window.delay(500, 0.0) == 0.0
    window.send(500, 0.0)
    assert window.delay(1, 1.0) == 59.0


def test_an_estimate_gives_way_to_what_was_spent() -> None:
    window = SlidingWindow(100)
    sent = window.send(90, 0.0)

    window.correct(sent, 20)

    assert window.delay(80, 1.0) == 0.0
    assert window.delay(81, 1.0) == 59.0


def test_a_correction_after_the_window_has_passed_changes_nothing() -> None:
    window = SlidingWindow(100)
    old = window.send(10, 0.0)
    window.delay(1, 61.0)
    window.send(40, 62.0)

    window.correct(old, 100)

    assert window.delay(60, 63.0) == 0.0
