"""A neighbourhood in a terminal: a tree by hop, then what does not hold together."""

from collections import defaultdict

from rich.text import Text
from rich.tree import Tree

from commands.graph_view import GraphView, phrase_contradiction, phrase_cut, phrase_node, phrase_step
from commands.output import console
from memory.discrepancies import Contradiction, StaleFacts
from memory.knowledge_graph.neighbourhood import Neighbourhood
from memory.knowledge_graph.nodes import Edge, ItemNode, Node
from memory.text import printable

WIDEST = 160  # characters of a line
LISTED = 10  # contradictions, stale facts
NAMED = 12  # nodes on one line, and lines of edges across
STYLES = {"item": "cyan", "category": "magenta", "value": "green", "demand": "yellow"}


def print_graph(view: GraphView) -> None:
    """Print the neighbourhood; a node that was shown before is shown again by its name alone."""
    found = view.found
    start = phrase_node(found.start, found.labels[found.start])
    tree = Tree(Text(printable(start, WIDEST), style="bold"), guide_style="dim")
    _grow(tree, found.start, found, _edges_by_end(found), set())
    _add_across(tree, found)
    console.print(tree)
    print_contradictions(view.contradictions[:LISTED], len(view.contradictions) - LISTED)
    print_stale(view.stale[:LISTED], len(view.stale) - LISTED)


def print_contradictions(found: tuple[Contradiction, ...], more: int = 0) -> None:
    """Print contradictions, one a line."""
    for one in found:
        line = Text(f"contradiction  {printable(one.item_id)}  ", style="red")
        console.print(line.append(printable(phrase_contradiction(one), 2 * WIDEST), style="default"))
    _print_more(more, "contradictions")


def print_stale(found: tuple[StaleFacts, ...], more: int = 0) -> None:
    """Print stale facts, one item a line."""
    for one in found:
        line = Text(f"stale  {printable(one.item_id)}  ", style="yellow")
        console.print(line.append(printable("; ".join(one.why), 2 * WIDEST), style="default"))
    _print_more(more, "items with stale facts")


def _print_more(more: int, what: str) -> None:
    if more > 0:
        console.print(Text(f"… and {more:,} more {what}", style="dim"))


def _edges_by_end(found: Neighbourhood) -> dict[Node, list[Edge]]:
    edges: defaultdict[Node, list[Edge]] = defaultdict(list)
    for edge in found.edges:
        edges[edge.source].append(edge)
        edges[edge.target].append(edge)
    return edges


def _grow(branch: Tree, node: Node, found: Neighbourhood, edges: dict[Node, list[Edge]], shown: set[Node]) -> None:
    """Add the neighbours that are one hop further from the start; those that were shown before on one line."""
    before: list[Node] = []
    for edge in edges[node]:
        other = edge.target if edge.source == node else edge.source
        if found.distances[other] != found.distances[node] + 1:
            continue
        if other in shown:
            before.append(other)
            continue
        shown.add(other)
        told = printable(phrase_step(edge, node, found.labels[other]), WIDEST)
        _grow(branch.add(Text(told, style=STYLES[other.kind])), other, found, edges, shown)
    if before:
        branch.add(Text(f"above: {_listed([_name(other, found) for other in before])}", style="dim"))
    for cut in found.cut.get(node, []):
        branch.add(Text(f"… {phrase_cut(cut)}", style="dim"))


def _add_across(tree: Tree, found: Neighbourhood) -> None:
    """Add the edges between nodes that are equally far from the start, one line a node."""
    ends: defaultdict[Node, list[str]] = defaultdict(list)
    for edge in found.edges:
        if found.distances[edge.source] == found.distances[edge.target]:
            ends[edge.source].append(phrase_step(edge, edge.source, found.labels[edge.target]))
    if not ends:
        return
    branch = tree.add(Text("across", style="dim"))
    for node in list(ends)[:NAMED]:
        branch.add(Text(f"{_name(node, found)}: {_listed(ends[node])}"))
    if len(ends) > NAMED:
        branch.add(Text(f"… and of {len(ends) - NAMED} more nodes", style="dim"))


def _name(node: Node, found: Neighbourhood) -> str:
    return printable(node.id if isinstance(node, ItemNode) else phrase_node(node, found.labels[node]), WIDEST // 4)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(printable(name, WIDEST // 2) for name in names[:NAMED]) + more
