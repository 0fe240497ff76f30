"""The enrichment graph as LangGraph's own server and Studio open it (see langgraph.json): JSON in, JSON out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import wraps

from langgraph.runtime import Runtime

from commands.catalog_items import GIVEN_ID, given_item
from commands.settings import Settings
from commands.workshop import open_workshop
from graphs.context import EnrichmentContext
from graphs.enrichment import EnrichmentGraph, Node, build_enrichment_graph
from graphs.state import EnrichmentState, EnrichmentUpdate
from memory.schema import CatalogItem


@asynccontextmanager
async def served_graph(settings: Settings) -> AsyncIterator[EnrichmentGraph]:
    """Open the workshop and yield its graph, bound to it: a server can pass JSON, but no model and no prompts.

    The input is `{"item": {"title": …, "description": …}}`.
    """
    async with open_workshop(settings) as workshop:

        def bound(node: Node) -> Node:
            @wraps(node)
            async def with_context(state: EnrichmentState, runtime: Runtime[EnrichmentContext]) -> EnrichmentUpdate:
                return await node(_with_item(state), runtime.override(context=workshop.context))

            return with_context

        yield build_enrichment_graph(bound)


def _with_item(state: EnrichmentState) -> EnrichmentState:
    """Return the state with its item as a record, which a server hands over as JSON."""
    item: object = state["item"]
    if isinstance(item, CatalogItem):
        return state
    if not isinstance(item, dict) or not isinstance(item.get("title"), str):
        raise TypeError('the input is {"item": {"title": "…", "description": "…"}}')
    read = given_item(item["title"], str(item.get("description", "")))
    return {**state, "item": read.model_copy(update={"id": str(item.get("id", GIVEN_ID))})}
