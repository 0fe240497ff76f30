"""The agents as a drawing: one box a node, the way that an item took, and how often it came by."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from graphs.dependencies import AGENTS
from memory.trace import TraceStep
from studio.plots import plot

NODES = tuple(needs.agent for needs in AGENTS)
WIDTH, HEIGHT, GAP, TOP = 148, 44, 34, 40  # pixels
BACK = ("critic", "attribute_extractor")  # the one way back


class Box(NamedTuple):
    """One node as it is drawn."""

    name: str
    x: float
    y: float
    width: float
    height: float
    turns: int
    told: str
    to: str  # where a click leads


class Line(NamedTuple):
    """One way as it is drawn, with its arrow."""

    path: str
    arrow: str
    taken: bool


def show_agent_graph(steps: Sequence[TraceStep], at_work: str, addresses: dict[str, str]) -> None:
    """Draw the graph with the path that the steps took; `addresses` say where a node leads."""
    turns = Counter(step.node for step in steps)
    boxes = [_box(place, node, turns[node], node == at_work, addresses) for place, node in enumerate(NODES)]
    plot(
        "agents", boxes=boxes, edges=_lines(steps), width=len(NODES) * (WIDTH + GAP) - GAP + 4, height=TOP + HEIGHT + 6
    )


def _box(place: int, node: str, turns: int, at_work: bool, addresses: dict[str, str]) -> Box:
    told = "at work …" if at_work else {0: "not asked", 1: "1 turn"}.get(turns, f"{turns} turns")
    x = 2 + place * (WIDTH + GAP)
    return Box(node.replace("_", " "), x, TOP, WIDTH, HEIGHT, turns, told, addresses.get(node, ""))


def _lines(steps: Sequence[TraceStep]) -> list[Line]:
    taken = set(_ways(steps))
    middle = TOP + HEIGHT / 2
    lines = []
    for place, way in enumerate(pairwise(NODES)):
        end = 2 + (place + 1) * (WIDTH + GAP)
        path = f"M{end - GAP} {middle}H{end - 6}"
        lines.append(Line(path, f"M{end - 8} {middle - 5}L{end - 1} {middle}L{end - 8} {middle + 5}Z", way in taken))
    begin, back = (2 + NODES.index(node) * (WIDTH + GAP) + WIDTH / 2 for node in BACK)
    path = f"M{begin} {TOP}C{begin} 4 {back} 4 {back} {TOP - 6}"
    arrow = f"M{back - 5} {TOP - 8}L{back} {TOP - 1}L{back + 5} {TOP - 8}Z"
    lines.append(Line(path, arrow, BACK in taken))
    return sorted(lines, key=lambda line: line.taken)


def _ways(steps: Sequence[TraceStep]) -> Iterable[tuple[str, str]]:
    nodes = [step.node for step in steps]
    return pairwise(nodes)
