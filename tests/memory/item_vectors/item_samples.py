"""Items with knowledge for the tests of item vectors."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from memory.category import AttributeSpec, AttributeType, CategoryTemplate
from memory.relation import Relation
from memory.schema import CatalogItem, Decision, Demand, Enrichment, Reason, Verdict
from memory.store import save_enrichment, save_template
from memory.versions import version_for
from tests.memory.knowledge_samples import DRILLS, PROVENANCE, drill, enriched, quoted

TEMPLATE = CategoryTemplate(
    category_id="drills",
    path=DRILLS,
    attributes=(
        AttributeSpec(key="brand", name="Brand", type=AttributeType.TEXT),
        AttributeSpec(key="voltage", name="Voltage", type=AttributeType.QUANTITY, unit="volt"),
        AttributeSpec(key="color", name="Colour", type=AttributeType.TEXT, many=True),
        AttributeSpec(key="weight", name="Weight", type=AttributeType.QUANTITY, unit="gram"),
    ),
    taxonomy_version=PROVENANCE.taxonomy_version,
)


def wanted(
    *texts: str, refused: Sequence[str] = (), unwanted: Sequence[str] = ()
) -> tuple[list[Demand], list[Verdict]]:
    """Return demands that were let through, refused ones, and ones that the item does not serve."""
    demands = [
        Demand(
            id=f"n{place}",
            relation=Relation.USED_FOR,
            text=said,
            positive=said not in unwanted,
            plausibility=0.75,
            typicality=0.5,
            producer="template",
        )
        for place, said in enumerate((*texts, *unwanted, *refused))
    ]
    verdicts = [
        Verdict(
            claim_id=demand.id,
            decision=Decision.REJECT if demand.text in refused else Decision.ACCEPT,
            reason=Reason.GENERIC if demand.text in refused else Reason.SUPPORTED,
            checked_by="code",
        )
        for demand in demands
    ]
    return demands, verdicts


def red_drill(item_id: str = "d1") -> tuple[CatalogItem, Enrichment]:
    """A drill with a brand, a voltage, a colour, one refused claim and three demands."""
    item = drill(item_id)
    claims = [
        quoted(item, "c1", "brand", "Acme"),
        quoted(item, "c2", "voltage", "18", "volt"),
        quoted(item, "c3", "color", "red"),
    ]
    refused = [quoted(item, "c4", "color", "drill")]
    demands, verdicts = wanted("hanging shelves", refused=["everyday use"], unwanted=["mixing paint"])
    return item, with_demands(enriched(item, claims, rejected=refused), demands, verdicts)


def with_demands(enrichment: Enrichment, demands: Sequence[Demand], verdicts: Sequence[Verdict]) -> Enrichment:
    return enrichment.model_copy(update={"demands": tuple(demands), "demand_verdicts": tuple(verdicts)})


def keep(session: Session, item: CatalogItem, enrichment: Enrichment, version: int = 1) -> None:
    """Store an item's enrichment in a version that is there already, and the template."""
    save_template(session, TEMPLATE)
    save_enrichment(session, version, item, enrichment)


def stocked(session: Session) -> Session:
    """Store the red drill as d1, and a drill without claims as d2."""
    assert version_for(session, PROVENANCE) == 1
    keep(session, *red_drill())
    other = drill("d2", "Nordlicht hand drill")
    keep(session, other, enriched(other, []))
    return session


def stored_at(session: Session, item_id: str, time: datetime) -> None:
    """Let an item and its knowledge have been stored at another time."""
    at = {"at": time.strftime("%Y-%m-%d %H:%M:%S.%f"), "id": item_id}
    session.execute(text("UPDATE enrichment SET created_at = :at WHERE item_id = :id"), at)
    session.execute(text("UPDATE item SET created_at = :at, updated_at = :at WHERE id = :id"), at)
