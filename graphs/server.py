"""The enrichment graph for LangGraph's own server and Studio, which pass JSON and know no model: langgraph.json."""

from functools import wraps

from langgraph.runtime import Runtime

from graphs.context import EnrichmentContext
from graphs.enrichment import EnrichmentGraph, Node, build_enrichment_graph
from graphs.state import EnrichmentState, EnrichmentUpdate
from memory.schema import CatalogItem
from memory.text import plain_text

GIVEN_ID = "given"  # the id of an item that comes without one


def build_served_graph(context: EnrichmentContext) -> EnrichmentGraph:
    """Return the graph bound to a context; its input is `{"item": {"title": …, "description": …}}`."""

    def bound(node: Node) -> Node:
        @wraps(node)
        async def with_context(state: EnrichmentState, runtime: Runtime[EnrichmentContext]) -> EnrichmentUpdate:
            read: EnrichmentState = {**state, "item": item_from_json(state["item"])}
            return await node(read, runtime.override(context=context))

        return with_context

    return build_enrichment_graph(bound)


def item_from_json(given: object) -> CatalogItem:
    """Return the item that a server handed over as JSON; its texts are brought into the one normal form."""
    if isinstance(given, CatalogItem):
        return given
    if not isinstance(given, dict) or not isinstance(given.get("title"), str) or not plain_text(given["title"]):
        raise ValueError('the input is {"item": {"title": "…", "description": "…"}}')
    return CatalogItem(
        id=str(given.get("id", GIVEN_ID)),
        title=plain_text(given["title"]),
        description=plain_text(str(given.get("description", ""))),
    )
