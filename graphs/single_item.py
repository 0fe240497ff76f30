"""One item through the graph: from the catalog's words to an enrichment, whole or step by step."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import cast

from graphs.context import EnrichmentContext
from graphs.enrichment import EnrichmentGraph
from graphs.state import EnrichmentState, EnrichmentUpdate
from memory.model_call import ModelCall, Usage
from memory.schema import CatalogItem, Decision, Enrichment, Verdict


@dataclass
class CallTally:
    """Remembers the answers that one item got, those from the journal too: what the item costs, not what a run paid."""

    calls: list[ModelCall] = field(default_factory=list)

    def __call__(self, call: ModelCall, /) -> None:
        """Remember one call."""
        self.calls.append(call)

    def of(self, item_id: str) -> list[ModelCall]:
        """Return the calls made for the item itself, those for a shared template left out."""
        return [call for call in self.calls if call.item_id == item_id]


@dataclass(frozen=True)
class Step:
    """One node's turn: what it added to the state, and the calls that it made."""

    node: str
    update: EnrichmentUpdate
    calls: tuple[ModelCall, ...]
    seconds: float


async def enrich_item(graph: EnrichmentGraph, item: CatalogItem, context: EnrichmentContext) -> Enrichment:
    """Return what the agents found out about the item, every claim with its verdict."""
    started = perf_counter()
    tally, counted = _counted(context)
    state = await graph.ainvoke({"item": item}, context=counted)
    return _enrichment(cast(EnrichmentState, state), context, tally, perf_counter() - started)


async def trace_item(
    graph: EnrichmentGraph, item: CatalogItem, context: EnrichmentContext
) -> AsyncIterator[Step | Enrichment]:
    """Yield each node's step as it ends, and last the enrichment."""
    started = before = perf_counter()
    tally, counted = _counted(context)
    seen = 0
    state = EnrichmentState(item=item)
    async for mode, chunk in graph.astream({"item": item}, context=counted, stream_mode=["updates", "values"]):
        if mode == "values":
            state = cast(EnrichmentState, chunk)
            continue
        for node, update in cast(dict[str, EnrichmentUpdate], chunk).items():
            now = perf_counter()
            yield Step(node, update, tuple(tally.calls[seen:]), now - before)
            seen, before = len(tally.calls), now
    yield _enrichment(state, context, tally, perf_counter() - started)


def _counted(context: EnrichmentContext) -> tuple[CallTally, EnrichmentContext]:
    tally = CallTally()
    aids, escalation = context.aids, context.aids.escalation
    if escalation:
        aids = replace(aids, escalation=replace(escalation, model=escalation.model.witnessed_by(tally)))
    return tally, replace(context, model=context.model.witnessed_by(tally), aids=aids)


def _enrichment(state: EnrichmentState, context: EnrichmentContext, tally: CallTally, seconds: float) -> Enrichment:
    calls = tally.of(state["item"].id)
    return Enrichment(
        item_id=state["item"].id,
        content_hash=state["item"].content_hash,
        category=state["category"],
        claims=state["claims"],
        verdicts=tuple(_final(verdict) for verdict in state["verdicts"]),
        ungrounded=state["ungrounded"],
        demands=state["demands"],
        demand_verdicts=state["demand_verdicts"],
        summary=state["summary"],
        rounds=state["round"],
        provenance=context.provenance,
        usage=sum((call.usage for call in calls), Usage()),
        model_calls=len(calls),
        shortened=any(call.shortened for call in calls),
        seconds=seconds,
    )


def _final(verdict: Verdict) -> Verdict:
    """Return the verdict as it is stored: what could not be revised into an acceptable claim is rejected."""
    return verdict.model_copy(update={"decision": Decision.REJECT}) if verdict.decision is Decision.REVISE else verdict
