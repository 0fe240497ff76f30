"""The drawing of the agents: every node and way of the graph, and no other."""

from itertools import pairwise

from graphs.enrichment import build_enrichment_graph
from studio.agent_graph import BACK, NODES


def test_the_drawing_has_the_nodes_and_the_ways_of_the_graph() -> None:
    graph = build_enrichment_graph().get_graph()

    assert set(graph.nodes) == {"__start__", *NODES, "__end__"}
    drawn = {("__start__", NODES[0]), *pairwise(NODES), BACK, (NODES[-1], "__end__")}
    assert {(edge.source, edge.target) for edge in graph.edges} == drawn
