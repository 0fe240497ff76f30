"""Where the nodes of a drawing stand: one column a hop, neighbours near each other, no two labels in one place."""

import unicodedata
from collections import defaultdict
from itertools import pairwise
from typing import NamedTuple

from commands.graph_view import phrase_cut, phrase_node
from memory.knowledge_graph.neighbourhood import Neighbourhood
from memory.knowledge_graph.nodes import CategoryNode, Edge, Node
from memory.text import printable

# In pixels.
WIDTH, HEIGHT, PADDING = 270, 24, 10  # of a node
COLUMN, ROW = 420, 30  # from one node to the next, at least
MARGIN, LEGEND = 24, 64
LABEL = 60  # characters
TOOLTIP = 300  # characters


class Box(NamedTuple):
    """One node as it is drawn, by its upper left corner."""

    x: float
    y: float
    kind: str
    label: str
    tooltip: str
    cut: str  # what is not shown of its neighbours


class Line(NamedTuple):
    """One edge as it is drawn: a path of SVG, and what it is."""

    path: str
    origin: str
    positive: bool
    across: bool  # between nodes of one column
    tooltip: str


class Drawing(NamedTuple):
    """Everything that a drawing consists of."""

    title: str
    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def drawing(found: Neighbourhood) -> Drawing:
    """Return the drawing of a neighbourhood; the same neighbourhood is drawn the same."""
    columns = _columns(found)
    height = max(len(column) for column in columns) * ROW
    places: dict[Node, tuple[float, float]] = {}
    for hop, column in enumerate(columns):
        row = height / len(column)
        top = MARGIN + (row - HEIGHT) / 2
        places |= {node: (MARGIN + hop * COLUMN, top + row * number) for number, node in enumerate(column)}
    return Drawing(
        title=printable(f"Around {phrase_node(found.start, found.labels[found.start])}", TOOLTIP),
        width=2 * MARGIN + WIDTH + COLUMN * (len(columns) - 1) + (WIDTH // 4 if len(columns) > 1 else COLUMN),
        height=2 * MARGIN + height + LEGEND,
        boxes=tuple(_box(node, place, found) for node, place in places.items()),
        lines=tuple(_line(edge, places, found) for edge in found.edges),
    )


def _columns(found: Neighbourhood) -> list[list[Node]]:
    """Return the nodes by hop, each column in the order of the neighbours in the column before."""
    beside: defaultdict[Node, list[Node]] = defaultdict(list)
    for edge in found.edges:
        beside[edge.source].append(edge.target)
        beside[edge.target].append(edge.source)
    columns: list[list[Node]] = [[] for _ in range(max(found.distances.values()) + 1)]
    for node, hop in found.distances.items():
        columns[hop].append(node)
    for before, column in pairwise(columns):
        rank = {node: number for number, node in enumerate(before)}
        means = {node: _mean([rank[other] for other in beside[node] if other in rank]) for node in column}
        column.sort(key=means.__getitem__)
    return columns


def _mean(ranks: list[int]) -> float:
    return sum(ranks) / len(ranks) if ranks else 0.0


def _box(node: Node, place: tuple[float, float], found: Neighbourhood) -> Box:
    told = phrase_node(node, found.labels[node])
    shown = node.path[-1] if isinstance(node, CategoryNode) else told
    cut = ", ".join(phrase_cut(cut) for cut in found.cut.get(node, []))
    return Box(*place, node.kind, _fitting(shown), printable(told, TOOLTIP), cut)


def _line(edge: Edge, places: dict[Node, tuple[float, float]], found: Neighbourhood) -> Line:
    (x1, y1), (x2, y2) = sorted((places[edge.source], places[edge.target]))
    y1, y2 = y1 + HEIGHT / 2, y2 + HEIGHT / 2
    begin = x1 + WIDTH
    if x1 == x2:  # in one column: around the right side
        bend = begin + min(COLUMN - WIDTH, 30 + abs(y2 - y1) / 6)
        path = f"M{begin:.1f} {y1:.1f}C{bend:.1f} {y1:.1f} {bend:.1f} {y2:.1f} {begin:.1f} {y2:.1f}"
    else:
        middle = (begin + x2) / 2
        path = f"M{begin:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    ends = (printable(phrase_node(node, found.labels[node]), 80) for node in (edge.source, edge.target))
    told = f" {'' if edge.positive else 'not '}{edge.relation.replace('_', ' ')} ".join(ends)
    return Line(path, edge.origin.value, edge.positive, x1 == x2, printable(told, TOOLTIP))


def _fitting(text: str) -> str:
    """Return as much of a text as fits into a node."""
    shown = printable(text, LABEL)
    while sum(map(_pixels, shown)) > WIDTH - 2 * PADDING:
        shown = f"{shown.rstrip('…')[:-1]}…"
    return shown


def _pixels(character: str) -> float:
    """Return about how wide a character is, in the widest of the usual fonts."""
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 12.5
    if character in "iljI.,:;|!'":
        return 3.9
    if character in "ftr() ":
        return 4.8
    return 11.5 if character in "mwMW@%…" else 8.4 if character.isupper() else 7.3
