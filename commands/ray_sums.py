"""What several workers come to together, for one view of them all."""

from agents.resilience.admission import RateState
from agents.resilience.breaker import BreakerState
from graphs.piece_ends import Ended
from memory.ledger import Spend
from memory.runs import RunCounts


def spend_of_both(one: Spend, other: Spend) -> Spend:
    """Return what two have spent together."""
    return Spend(
        calls=one.calls + other.calls,
        usage=one.usage + other.usage,
        cost=one.cost + other.cost,
        unpriced=one.unpriced + other.unpriced,
        replayed=one.replayed + other.replayed,
        replayed_usage=one.replayed_usage + other.replayed_usage,
    )


def counts_with(counts: RunCounts, more: Ended) -> RunCounts:
    """Return the counts with those of a piece that is under way."""
    both = (dict(counts), dict(more))
    return RunCounts(**{name: both[0][name] + both[1][name] for name in both[0]})


def all_rates(states: list[RateState]) -> RateState:
    """Return what holds all workers' calls back; the breaker is that of the one that is worst off."""
    order = (BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED)
    return RateState(
        in_flight=sum(state.in_flight for state in states),
        allowed=sum(state.allowed for state in states),
        waiting=sum(state.waiting for state in states),
        paused_seconds=max((state.paused_seconds for state in states), default=0.0),
        breaker=min((state.breaker for state in states), key=order.index, default=BreakerState.CLOSED),
        retries=sum(state.retries for state in states),
        rate_limited=sum(state.rate_limited for state in states),
        paid_lost=sum(state.paid_lost for state in states),
    )
