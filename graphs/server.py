"""The enrichment graph for LangGraph's own server and Studio, which pass JSON and know no model: langgraph.json."""

from functools import wraps
from typing import Any, NotRequired, cast

from langgraph.runtime import Runtime
from langgraph.types import Overwrite
from typing_extensions import TypedDict  # the one of `typing` has no JSON schema before Python 3.12

from graphs.context import EnrichmentContext
from graphs.enrichment import EnrichmentGraph, Node, build_enrichment_graph
from graphs.state import EnrichmentState, EnrichmentUpdate
from memory.schema import CatalogItem
from memory.text import plain_text

FIRST = "category_expert"  # the node that a run starts with
GIVEN_ID = "given"  # the id of an item that comes without one


class NoItem(ValueError):
    """The input holds no item with a title."""


class GivenItem(TypedDict):
    """An item as JSON."""

    title: str
    description: NotRequired[str]
    id: NotRequired[str]


class ServedInput(TypedDict):
    """What a server passes; Studio makes its form of it."""

    item: GivenItem


def build_served_graph(context: EnrichmentContext) -> EnrichmentGraph:
    """Return the graph bound to a context; its input is `{"item": {"title": …, "description": …}}`.

    Any other input raises `NoItem`. A thread may be used again: each run starts with nothing but its item.
    """

    def bound(node: Node) -> Node:
        @wraps(node)
        async def with_context(state: EnrichmentState, runtime: Runtime[EnrichmentContext]) -> EnrichmentUpdate:
            read: EnrichmentState = {**state, "item": item_from_json(state.get("item"))}
            update = await node(read, runtime.override(context=context))
            return cast(EnrichmentUpdate, {**update, **_forgotten(state)}) if node.__name__ == FIRST else update

        return with_context

    # The casts: to LangGraph's types a state that comes as JSON is the state itself.
    return build_enrichment_graph(bound, context_schema=None, input_schema=cast(type[EnrichmentState], ServedInput))


def item_from_json(given: object) -> CatalogItem:
    """Return the item that a server handed over as JSON; its texts are brought into the one normal form."""
    if isinstance(given, CatalogItem):
        return given
    if not isinstance(given, dict) or not isinstance(given.get("title"), str) or not plain_text(given["title"]):
        raise NoItem('the input is {"item": {"title": "…", "description": "…"}}')
    return CatalogItem(
        id=str(given.get("id", GIVEN_ID)),
        title=plain_text(given["title"]),
        description=plain_text(str(given.get("description", ""))),
    )


def _forgotten(state: EnrichmentState) -> dict[str, Any]:
    """Return the update that removes what an earlier run of the thread has gathered."""
    gathered = {name: Overwrite(()) for name in ("claims", "ungrounded", "verdicts") if state.get(name)}
    return {**gathered, "corrections": None}
