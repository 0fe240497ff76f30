"""The main flow: which agent follows which, from a catalog item to its enrichment."""

from collections.abc import Callable
from typing import Literal, Protocol

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from graphs import nodes
from graphs.context import MOST_REVISIONS, EnrichmentContext
from graphs.state import EnrichmentState, EnrichmentUpdate

EnrichmentGraph = CompiledStateGraph[EnrichmentState, EnrichmentContext, EnrichmentState, EnrichmentState]

# category_expert, demand_analyst, demand_critic, summarizer, and at most MOST_REVISIONS + 1 pairs of
# attribute_extractor and critic; one to spare.
RECURSION_LIMIT = 4 + 2 * (MOST_REVISIONS + 1) + 1


class Node(Protocol):
    """One agent's turn."""

    __name__: str

    async def __call__(self, state: EnrichmentState, runtime: Runtime[EnrichmentContext]) -> EnrichmentUpdate:
        """Return what the agent adds to the state."""


def as_it_is(node: Node) -> Node:
    """Return the node unchanged."""
    return node


def build_enrichment_graph(
    bound: Callable[[Node], Node] = as_it_is,
    *,
    context_schema: type[EnrichmentContext] | None = EnrichmentContext,
    input_schema: type[EnrichmentState] = EnrichmentState,
) -> EnrichmentGraph:
    """Return the compiled graph; a caller passes the item, and the context with every call.

    `bound` may wrap each node, for a caller that cannot pass a context; it gives no `context_schema` then.
    """
    graph = StateGraph(EnrichmentState, context_schema=context_schema, input_schema=input_schema)

    graph.add_node("category_expert", bound(nodes.category_expert))
    graph.add_node("attribute_extractor", bound(nodes.attribute_extractor))
    graph.add_node("critic", bound(nodes.critic))
    graph.add_node("demand_analyst", bound(nodes.demand_analyst))
    graph.add_node("demand_critic", bound(nodes.demand_critic))
    graph.add_node("summarizer", bound(nodes.summarizer))

    graph.add_edge(START, "category_expert")
    graph.add_edge("category_expert", "attribute_extractor")
    graph.add_edge("attribute_extractor", "critic")
    graph.add_conditional_edges("critic", after_critic)
    graph.add_edge("demand_analyst", "demand_critic")
    graph.add_edge("demand_critic", "summarizer")
    graph.add_edge("summarizer", END)
    return graph.compile(name="enrichment").with_config({"recursion_limit": RECURSION_LIMIT})


async def after_critic(state: EnrichmentState) -> Literal["attribute_extractor", "demand_analyst"]:
    """Send the failed claims back; with none left, or no revision left, go on to the demands."""
    # Asynchronous though it waits for nothing: LangGraph runs a plain function in another thread, at every item.
    return "attribute_extractor" if state["corrections"] else "demand_analyst"
