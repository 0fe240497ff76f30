"""What stands around one node of the graph, fetched hop by hop: never the whole catalog for one neighbourhood."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from memory.knowledge_graph.nodes import (
    BELOW,
    IN_CATEGORY,
    NAMES,
    NAMING,
    STANDS_IN_FOR,
    CategoryNode,
    DemandNode,
    Edge,
    ItemNode,
    Node,
    Origin,
    ValueNode,
    facts_of,
    label_of,
    named_in_title,
    names_category,
    value_node,
)
from memory.record import Record
from memory.rows import StoredKnowledge

MOST_NODES = 600  # in one neighbourhood
LOOKED_AT = 1_000  # items of one value, demand or category that are looked at

Group = Literal["value", "demand", "item", "category", "substitute"]
Shared = ValueNode | DemandNode | CategoryNode  # what many items may have


class Member(NamedTuple):
    """One item that has a value, a demand or a category."""

    item_id: str
    origin: Origin
    positive: bool = True


class Members(NamedTuple):
    """The items that have something: at most `LOOKED_AT`, and whether there are more."""

    members: tuple[Member, ...]
    more: bool = False


class Stored(Protocol):
    """Where the graph is kept; every answer is bounded, whatever the catalog's size."""

    def knowledge(self, item_ids: Collection[str]) -> Mapping[str, StoredKnowledge]:
        """Return what is known of some items."""
        ...

    def titles(self, item_ids: Collection[str]) -> Mapping[str, str]:
        """Return the titles of some items."""
        ...

    def members(self, shared: Shared) -> Members:
        """Return the items that have a value, a demand, or stand directly in a category."""
        ...

    def categories(self) -> Collection[tuple[str, ...]]:
        """Return the paths of the categories that items were put in."""
        ...


class Cut(Record):
    """Neighbours of one kind that a node has beyond those that are shown."""

    group: Group
    more: int
    at_least: bool  # there are even more: not all were counted


@dataclass
class Neighbourhood:
    """The nodes within some hops of one, with their distance, the edges between them, and what was cut."""

    start: Node
    hops: int
    distances: dict[Node, int] = field(default_factory=dict)  # in the order in which they were found
    edges: dict[Edge, None] = field(default_factory=dict)  # a set that keeps its order
    cut: dict[Node, list[Cut]] = field(default_factory=dict)
    labels: dict[Node, str] = field(default_factory=dict)

    @property
    def item_ids(self) -> list[str]:
        """The items in it."""
        return [node.id for node in self.distances if isinstance(node, ItemNode)]


def neighbourhood(stored: Stored, start: Node, *, hops: int = 2, width: int = 12) -> Neighbourhood:
    """Return what stands within `hops` edges of a node, along or against their direction.

    A node shows at most `width` neighbours of each kind: of the items of a value those first that share most with what
    is shown already, equals by id. An item that is asked about also shows its substitutes, `substitutes_of`.
    """
    walk = _Walk(stored, Neighbourhood(start, hops, {start: 0}), width)
    frontier = [start]
    for distance in range(1, hops + 1):
        frontier = walk.hop(frontier, distance)
    walk.close()
    return walk.found


def substitutes_of(stored: Stored, item_id: str, limit: int) -> list[str]:
    """Return the items that could stand in for one: its category, and more than half of the values of each of the two.

    At least two values must be shared. Most shared values come first, equals by id. Looked at are `LOOKED_AT`
    items of the category and of each value.
    """
    known = stored.knowledge([item_id]).get(item_id)
    if known is None:
        return []
    values, category = _values(known), CategoryNode(known.enrichment.category.path)
    beside = {member.item_id for member in stored.members(category).members} - {item_id}
    holders = (member.item_id for value in values for member in stored.members(value).members)
    shared = Counter(holder for holder in holders if holder in beside)
    enough = [other for other, count in shared.items() if count > 1 and 2 * count > len(values)]
    ranked = sorted(enough, key=_most_of(shared))[: 4 * limit]
    others = stored.knowledge(ranked)
    return [other for other in ranked if 2 * shared[other] > len(_values(others[other]))][:limit]


@dataclass
class _Walk:
    """One walk: what was found so far, and how wide it may be."""

    stored: Stored
    found: Neighbourhood
    width: int
    left: list[tuple[Node, Group, list[Edge], bool]] = field(default_factory=list)  # what was not taken of whom

    def hop(self, frontier: list[Node], distance: int) -> list[Node]:
        """Add the neighbours of a frontier; return the nodes that are new."""
        before = len(self.found.distances)
        known = self.stored.knowledge([node.id for node in frontier if isinstance(node, ItemNode)])
        shared = [node for node in frontier if not isinstance(node, ItemNode)]
        common = Counter(member.item_id for node in shared for member in self.stored.members(node).members)
        for node in frontier:
            if isinstance(node, ItemNode):
                self._from_item(node, known.get(node.id), distance)
            else:
                self._from_shared(node, common, distance)
        return list(self.found.distances)[before:]

    def close(self) -> None:
        """Add the edges to what another step has found after all, count what was cut, and add the labels."""
        for node, group, edges, more in self.left:
            absent = [edge for edge in edges if _other_end(edge, node) not in self.found.distances]
            self.found.edges |= dict.fromkeys(edge for edge in edges if _other_end(edge, node) in self.found.distances)
            if absent or more:
                self.found.cut.setdefault(node, []).append(Cut(group=group, more=len(absent), at_least=more))
        titles = self.stored.titles(self.found.item_ids)
        for node in self.found.distances:
            self.found.labels[node] = label_of(node, titles.get(node.id) if isinstance(node, ItemNode) else None)
        self._named_titles(titles)

    def _from_item(self, node: ItemNode, known: StoredKnowledge | None, distance: int) -> None:
        if known is None:
            return
        facts = list(facts_of(known.enrichment))
        for kind in ("category", "value", "demand"):
            self._take(node, kind, [edge for edge in facts if edge.target.kind == kind], distance)
        if node == self.found.start:
            others = substitutes_of(self.stored, node.id, self.width)
            edges = [Edge(node, ItemNode(other), STANDS_IN_FOR, Origin.COMPUTED) for other in others]
            self._take(node, "substitute", edges, distance)

    def _from_shared(self, node: Shared, common: Mapping[str, int], distance: int) -> None:
        held = self.stored.members(node)
        members = sorted(held.members, key=lambda member: _most_of(common)(member.item_id))
        self._take(node, "item", [_membership(member, node) for member in members], distance, more=held.more)
        if isinstance(node, CategoryNode):
            self._take(node, "category", list(self._around(node)), distance)
        elif isinstance(node, DemandNode) and node.relation in NAMING:
            named = sorted(path for path in self.stored.categories() if names_category(node.text, path[-1]))
            edges = [Edge(node, CategoryNode(path), NAMES, Origin.COMPUTED) for path in named]
            self._take(node, "category", edges, distance)

    def _around(self, node: CategoryNode) -> Iterator[Edge]:
        """Yield the edges to the category above and from those below."""
        if len(node.path) > 1:
            yield Edge(node, CategoryNode(node.path[:-1]), BELOW, Origin.COMPUTED)
        depth = len(node.path)
        below = {
            path[: depth + 1] for path in self.stored.categories() if len(path) > depth and path[:depth] == node.path
        }
        yield from (Edge(CategoryNode(path), node, BELOW, Origin.COMPUTED) for path in sorted(below))

    def _take(self, node: Node, group: Group, edges: list[Edge], distance: int, *, more: bool = False) -> None:
        """Add as many of a node's edges as there is room for; those to nodes that are there already need none."""
        left: list[Edge] = []
        taken = 0
        for edge in edges:
            other = _other_end(edge, node)
            is_new = other not in self.found.distances
            if is_new and (taken >= self.width or len(self.found.distances) >= MOST_NODES):
                left.append(edge)
                continue
            taken += is_new
            self.found.distances.setdefault(other, distance)
            self.found.edges[edge] = None
        self.left.append((node, group, left, more))

    def _named_titles(self, titles: Mapping[str, str]) -> None:
        """Add the edges from what is used with an item, or stood in for by it, to other items whose title it names."""
        own = {(edge.source, edge.target) for edge in self.found.edges}
        for demand in list(self.found.distances):
            if isinstance(demand, DemandNode) and demand.relation in NAMING:
                for item_id in sorted(titles):
                    item = ItemNode(item_id)
                    if (item, demand) not in own and named_in_title(demand.text, titles[item_id]):
                        self.found.edges[Edge(demand, item, NAMES, Origin.COMPUTED)] = None


def _other_end(edge: Edge, node: Node) -> Node:
    return edge.target if edge.source == node else edge.source


def _membership(member: Member, node: Shared) -> Edge:
    match node:
        case CategoryNode():
            relation = IN_CATEGORY
        case ValueNode():
            relation = node.attribute
        case DemandNode():
            relation = node.relation
    return Edge(ItemNode(member.item_id), node, relation, member.origin, member.positive)


def _values(known: StoredKnowledge) -> set[ValueNode]:
    return {value_node(claim) for claim in known.enrichment.accepted}


def _most_of(counts: Mapping[str, int]) -> Callable[[str], tuple[int, str]]:
    """Return what ids are sorted by so that the greatest count comes first, equals by id."""
    return lambda item_id: (-counts[item_id], item_id)
