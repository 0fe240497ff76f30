"""The nodes of the graph with somebody looking on: each turn is told from its begin to its end."""

from collections.abc import Callable
from functools import wraps

from langgraph.runtime import Runtime

from agents.onlooker import Onlooker
from graphs.context import EnrichmentContext
from graphs.enrichment import Node
from graphs.state import EnrichmentState, EnrichmentUpdate


def observed_by(onlooker: Onlooker) -> Callable[[Node], Node]:
    """Return what wraps a node for `build_enrichment_graph`, so that the onlooker is told of each turn."""

    def bound(node: Node) -> Node:
        @wraps(node)
        async def turn(state: EnrichmentState, runtime: Runtime[EnrichmentContext]) -> EnrichmentUpdate:
            with onlooker.turn(node.__name__, state["item"].id):
                return await node(state, runtime)

        return turn

    return bound
