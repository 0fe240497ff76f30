"""Items with values and demands, as the graph of knowledge needs them, and the graph of them in memory."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from memory.knowledge_graph.neighbourhood import Member, Members, Shared
from memory.knowledge_graph.nodes import Edge, ItemNode, facts_of
from memory.rows import StoredKnowledge
from memory.schema import CatalogItem, Claim, Decision, Demand, Enrichment, Reason, Verdict
from tests.memory.knowledge_samples import DRILLS, drill, enriched, quoted

BITS = ("Tools", "Drill Bits")


def demand(number: int, relation: str, text: str, *, positive: bool = True, typicality: float = 0.5) -> Demand:
    content = {"id": f"d{number}", "relation": relation, "text": text, "positive": positive}
    return Demand.model_validate(content | {"plausibility": 0.9, "typicality": typicality, "producer": "model"})


def with_demands(enrichment: Enrichment, accepted: Sequence[Demand], refused: Sequence[Demand] = ()) -> Enrichment:
    rulings = [(one, Decision.ACCEPT) for one in accepted] + [(one, Decision.REJECT) for one in refused]
    verdicts = [
        Verdict(claim_id=one.id, decision=decision, reason=Reason.SUPPORTED, checked_by="model")
        for one, decision in rulings
    ]
    return enrichment.model_copy(update={"demands": (*accepted, *refused), "demand_verdicts": tuple(verdicts)})


def pair(
    item_id: str,
    *values: str,
    title: str = "",
    path: tuple[str, ...] = DRILLS,
    demands: Sequence[Demand] = (),
    rejected: Sequence[Claim] = (),
) -> StoredKnowledge:
    """Return an item whose title says its values, each written as "attribute=value"."""
    parts = [value.split("=") for value in values]
    item = drill(item_id, title or f"{item_id} " + " ".join(value for _, value in parts))
    claims = [quoted(item, f"c{number}", name, value) for number, (name, value) in enumerate(parts)]
    enrichment = enriched(item, claims, rejected=rejected, path=path)
    category = enrichment.category.model_copy(update={"category_id": ".".join(path)})
    return StoredKnowledge(item, with_demands(enrichment.model_copy(update={"category": category}), demands))


class GraphInMemory:
    """The graph of some items, as a walk asks for it."""

    def __init__(self, pairs: Iterable[tuple[CatalogItem, Enrichment]]) -> None:
        self.known = {item.id: StoredKnowledge(item, enrichment) for item, enrichment in pairs}

    def knowledge(self, item_ids: Collection[str]) -> Mapping[str, StoredKnowledge]:
        return {item_id: self.known[item_id] for item_id in item_ids if item_id in self.known}

    def titles(self, item_ids: Collection[str]) -> Mapping[str, str]:
        return {item_id: known.item.title for item_id, known in self.knowledge(item_ids).items()}

    def members(self, shared: Shared) -> Members:
        edges = [edge for known in self.known.values() for edge in facts_of(known.enrichment) if edge.target == shared]
        return Members(tuple(Member(_item(edge), edge.origin, edge.positive) for edge in edges))

    def categories(self) -> Collection[tuple[str, ...]]:
        return {known.enrichment.category.path for known in self.known.values()}


def _item(edge: Edge) -> str:
    assert isinstance(edge.source, ItemNode)
    return edge.source.id
