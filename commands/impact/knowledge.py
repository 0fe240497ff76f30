"""What two versions know of the same items, read side by side: what differs, what contradicts itself, what it cost."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agents.spending.prices import Price, price_of
from commands.run_options import prices_in
from commands.settings import Settings
from evaluators.impact.knowledge import knowledge_change
from evaluators.impact.report import KnowledgeChange, SideCost
from memory.database import Database
from memory.discrepancies import contradictions_in
from memory.items import PAGE
from memory.model_call import Usage
from memory.rows import StoredKnowledge
from memory.schema import Provenance
from memory.store import enrichments_of
from memory.version_diff import ItemDiff, difference_of

Pair = tuple[StoredKnowledge | None, StoredKnowledge | None]


@dataclass
class _Tally:
    """What is added up of one side."""

    items: int = 0
    claims: int = 0
    contradictions: int = 0
    calls: int = 0
    usage: Usage = field(default_factory=Usage)

    def count(self, known: StoredKnowledge | None) -> None:
        """Add what is known of one item."""
        if known is None:
            return
        enrichment = known.enrichment
        self.items += 1
        self.claims += len(enrichment.accepted)
        self.contradictions += sum(1 for _ in contradictions_in(enrichment))
        self.calls += enrichment.model_calls
        self.usage += enrichment.usage

    def cost(self, price: Price | None) -> SideCost:
        """Return what one item took, on average."""
        items = max(1, self.items)
        tokens = self.usage.prompt_tokens + self.usage.completion_tokens
        return SideCost(
            items=self.items,
            calls=self.calls / items,
            tokens=tokens / items,
            cost=None if price is None else price.of(self.usage) / items,
        )


def compared_knowledge(
    database: Database, versions: tuple[int, int], ids: Sequence[str], prices: tuple[Price | None, Price | None]
) -> tuple[KnowledgeChange, tuple[SideCost, SideCost]]:
    """Return what differs between what two versions know of some items, and what an item of each cost."""
    tallies = (_Tally(), _Tally())
    differences: list[ItemDiff] = []
    leaves: dict[str, str] = {}
    for before, after in _pairs(database, versions, ids):
        for tally, known in zip(tallies, (before, after), strict=True):
            tally.count(known)
        known = before or after
        if known is not None:
            leaves[known.item.id] = " > ".join(known.enrichment.category.path)
        if difference := difference_of(before, after):
            differences.append(difference)
    change = knowledge_change(
        differences,
        leaves,
        (tallies[0].claims, tallies[1].claims),
        (tallies[0].contradictions, tallies[1].contradictions),
    )
    return change, (tallies[0].cost(prices[0]), tallies[1].cost(prices[1]))


def price_for(settings: Settings, provenance: Provenance | None) -> Price | None:
    """Return the price of a side's model; None where nobody says, or where a stronger one was asked as well."""
    if provenance is None or "escalation" in dict(provenance.aids):
        return None
    own: Mapping[str, Price] = prices_in(settings.prices) if settings.prices else {}
    return price_of(provenance.model, own, settings.openai_base_url)


def _pairs(database: Database, versions: tuple[int, int], ids: Sequence[str]) -> Iterator[Pair]:
    for start in range(0, len(ids), PAGE):
        page = ids[start : start + PAGE]
        with database.session() as session:
            before, after = (
                {known.item.id: known for known in enrichments_of(session, page, version)} for version in versions
            )
        yield from ((before.get(item_id), after.get(item_id)) for item_id in page)
