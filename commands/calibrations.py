"""Claims that gold or people have judged, as a calibration is fitted on."""

from collections.abc import Iterator, Mapping

from agents.phrasing import phrase_value
from agents.trust.features import features, kind_of
from agents.trust.fitting import LabelledClaim
from commands.evaluation_systems import Bench
from evaluators.item_scores import is_right
from evaluators.predictions import PredictedValue
from memory.category import AttributeSpec, AttributeType
from memory.database import DatabaseMissing, open_existing_database
from memory.reviews import judged_claims
from memory.rulings import JudgedClaim
from memory.schema import Claim, Reason
from memory.store import enrichment_of

# Claims that stand, or would if they were surer: the others fail for another reason than doubt.
ELIGIBLE = frozenset({Reason.SUPPORTED, Reason.LOW_CONFIDENCE})


def claims_on_gold(
    kb: str, bench: Bench, specs: Mapping[str, AttributeSpec], version_id: int | None = None
) -> Iterator[LabelledClaim]:
    """Yield the claims about golden items that a version knows, of attributes that annotators looked for."""
    with open_existing_database(kb) as database, database.session() as session:
        for golden in bench.gold.gold:
            known = enrichment_of(session, golden.item_id, version_id, own=version_id is not None)
            for claim in known.enrichment.claims if known else ():
                asked = bench.grading.complete or claim.name in golden.attributes
                if asked and known and known.enrichment.verdict_on(claim).reason in ELIGIBLE:
                    right = is_right(_value(claim), golden, bench.grading)
                    yield labelled(claim, claim.name, golden.item_id, specs, right=right)


def claims_on_people(
    kb: str, model: str, specs: Mapping[str, AttributeSpec], *, must_exist: bool = False
) -> Iterator[LabelledClaim]:
    """Yield the claims of a model's configurations that people have judged.

    Where there is no knowledge base there are none, or `DatabaseMissing` is raised if it `must_exist`.
    """
    try:
        database = open_existing_database(kb)
    except DatabaseMissing:
        if must_exist:
            raise
        return
    with database, database.session() as session:
        for claim in judged_claims(session):
            if claim.reason in ELIGIBLE and claim.model in ("", model):
                yield labelled(claim, claim.attribute, claim.item_id, specs, right=claim.right)


def labelled(
    claim: Claim | JudgedClaim, attribute: str, item_id: str, specs: Mapping[str, AttributeSpec], *, right: bool
) -> LabelledClaim:
    """Return a claim with its judgement; an attribute that the taxonomy lacks counts as an open one."""
    spec = specs.get(attribute) or AttributeSpec(key=attribute, name=attribute, type=AttributeType.TEXT)
    kind = kind_of(spec)
    return LabelledClaim(
        item_id=item_id,
        attribute=attribute,
        value=claim.normalized,
        kind=kind,
        features=features(claim, kind),
        raw=claim.confidence if claim.raw_confidence is None else claim.raw_confidence,
        right=right,
    )


def _value(claim: Claim) -> PredictedValue:
    return PredictedValue(
        attribute=claim.name, written=claim.value, normal=phrase_value(claim), confidence=claim.confidence
    )
