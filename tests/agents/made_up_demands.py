"""A drill, its category and its accepted claims, for the tests of demands."""

from memory.category import CategoryDemand, CategoryTemplate
from memory.relation import Relation
from memory.schema import CatalogItem, Claim, ClaimSource, Demand, Evidence

ITEM = CatalogItem(id="1", title="Acme hammer drill 800 W", description="With a keyless chuck.")
TEMPLATE = CategoryTemplate(
    category_id="tools.drills",
    path=("Tools & Hardware", "Power Tools", "Drills"),
    taxonomy_version="t",
    attributes=(),
    demands=(
        CategoryDemand(relation=Relation.USED_FOR, text="assembling furniture"),
        CategoryDemand(relation=Relation.USED_WITH, text="drill bits"),
    ),
)


def power(claim_id: str = "0.0.power") -> Claim:
    """Return the claim that the drill has 800 W."""
    return Claim(
        id=claim_id,
        name="power",
        value="800 W",
        normalized="800",
        unit="watt",
        source=ClaimSource.TEXT,
        evidence=Evidence.at(ITEM, "title", 18, 23),
        confidence=0.9,
        producer="rule",
    )


def demand(
    text: str,
    relation: Relation = Relation.USED_FOR,
    *,
    demand_id: str = "",
    positive: bool = True,
    plausibility: float = 0.8,
    rests_on: tuple[str, ...] = (),
) -> Demand:
    """Return a demand that a model stated; its id is its text unless given."""
    return Demand(
        id=demand_id or text,
        relation=relation,
        text=text,
        positive=positive,
        plausibility=plausibility,
        typicality=0.4,
        rests_on=rests_on,
        producer="model",
    )
