"""What travels through the enrichment graph, field by field."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from typing_extensions import TypedDict  # the one of `typing` has no JSON schema before Python 3.12

from memory.category import CategoryChoice, CategoryTemplate
from memory.corrections import Corrections
from memory.schema import CatalogItem, Claim, Decision, Demand, UngroundedProposal, Verdict

T = TypeVar("T")


def joined(gathered: Sequence[T], new: Sequence[T]) -> tuple[T, ...]:
    """Return both in order; what a checkpoint gives back is a list."""
    return (*gathered, *new)


class EnrichmentUpdate(TypedDict, total=False):
    """What a node may add."""

    category: CategoryChoice
    template: CategoryTemplate
    claims: Annotated[tuple[Claim, ...], joined]  # of all rounds
    ungrounded: Annotated[tuple[UngroundedProposal, ...], joined]  # of all rounds
    verdicts: Annotated[tuple[Verdict, ...], joined]  # one a claim
    corrections: Corrections | None  # what goes back to the extractor; None when nothing does
    round: int  # of the extractor, from 0
    demands: tuple[Demand, ...]
    demand_verdicts: tuple[Verdict, ...]  # one a demand
    summary: str


class EnrichmentState(EnrichmentUpdate):
    """One item on its way; only `item` is there from the start."""

    item: CatalogItem


def accepted_claims(state: EnrichmentState) -> list[Claim]:
    """Return the claims that the critic let through so far."""
    accepted = {v.claim_id for v in state.get("verdicts", ()) if v.decision is Decision.ACCEPT}
    return [claim for claim in state.get("claims", ()) if claim.id in accepted]


def claims_to_review(state: EnrichmentState) -> list[Claim]:
    """Return the claims that have no verdict yet."""
    ruled = {verdict.claim_id for verdict in state.get("verdicts", ())}
    return [claim for claim in state.get("claims", ()) if claim.id not in ruled]
