"""What code can check of a demand without a model: its support, its author's doubt, repetition, and generality."""

from collections.abc import Sequence

from memory.demand_space import DemandSpace, Surroundings
from memory.schema import Claim, Decision, Demand, Reason, Verdict

LEAST_PLAUSIBILITY = 0.5  # what its own author finds less likely is not asked about

Fault = tuple[Reason, str]


def check_demands(
    demands: Sequence[Demand], accepted: Sequence[Claim], *, department: str, space: DemandSpace | None
) -> list[Verdict]:
    """Return one verdict a demand, in order; of two that say the same, the earlier one stands.

    A category's own demands are taken as the taxonomy has them. Without a `space` only equal words are a repetition,
    and nothing is found generic.
    """
    proposed = [demand for demand in demands if demand.producer == "model"]
    around = space.surroundings([demand.text for demand in demands], department) if space and proposed else None
    claim_ids = {claim.id for claim in accepted}
    standing: list[int] = []
    verdicts = []
    for place, demand in enumerate(demands):
        fault = _own_fault(demand, claim_ids) or _fault_among_others(demands, place, standing, around)
        if fault is None:
            standing.append(place)
        verdicts.append(_verdict(demand, fault))
    return verdicts


def _own_fault(demand: Demand, claim_ids: set[str]) -> Fault | None:
    missing = [claim_id for claim_id in demand.rests_on if claim_id not in claim_ids]
    if missing:
        return Reason.UNSUPPORTED, f"rests on {missing[0][:60]!r}, which was not accepted"
    if demand.plausibility < LEAST_PLAUSIBILITY:
        return Reason.IMPLAUSIBLE, f"its author gives it {demand.plausibility:.2f}"
    return None


def _fault_among_others(
    demands: Sequence[Demand], place: int, standing: Sequence[int], around: Surroundings | None
) -> Fault | None:
    """Return what is wrong with the demand beside those that stand, and beside what is wanted elsewhere."""
    demand = demands[place]
    if demand.producer != "model":
        return None
    for other in standing:
        if _alike(demands, place, other, around):
            return _repetition(demand, demands[other])
    told = around.generic(place) if around else None
    return (Reason.GENERIC, told) if told else None


def _alike(demands: Sequence[Demand], place: int, other: int, around: Surroundings | None) -> bool:
    if demands[place].relation is not demands[other].relation:
        return False
    if demands[place].text.casefold() == demands[other].text.casefold():
        return True
    return around is not None and around.same(place, other)


def _repetition(demand: Demand, other: Demand) -> Fault:
    if demand.positive != other.positive:
        return Reason.CONTRADICTION, f"{other.id} says the contrary: {other.text!r}"
    return Reason.DUPLICATE, f"{other.id} says it already: {other.text!r}"


def _verdict(demand: Demand, fault: Fault | None) -> Verdict:
    reason, note = fault or (Reason.SUPPORTED, "")
    decision = Decision.REJECT if fault else Decision.ACCEPT
    return Verdict(claim_id=demand.id, decision=decision, reason=reason, checked_by="code", note=note)
