"""The knowledge graph around an item, a value or a demand: drawn, and as lists that lead on."""

import asyncio
from collections.abc import Iterable

from nicegui import ui

from commands.graph import view_around
from commands.graph_drawing import drawing_of
from commands.graph_view import GraphView, phrase_contradiction, phrase_cut, phrase_node, phrase_step
from memory.errors import ReaseqError
from memory.knowledge_graph.lookup import find_node, spoken
from memory.knowledge_graph.nodes import CategoryNode, Edge, ItemNode, Node
from studio.parts import Cell, address, box, button, empty, heading, link, table, text, waiting
from studio.plots import drawn
from studio.telling import in_tab
from studio.workbench import Workbench

WIDTHS = {4: "narrow", 8: "as it is", 20: "wide"}
HOPS = {1: "1 hop", 2: "2 hops", 3: "3 hops"}
LISTED = 60  # edges
NOTHING_NAMED = ("Around what?", "Type an item's id, a value such as color=black, or the words of a demand.")


async def graph_part(bench: Workbench, around: str) -> None:
    """Show what stands around a node that is named as on the command line."""
    with box("row part"):
        link("← Categories", "knowledge")
        what = _named(around)
        hops = ui.select(HOPS, value=2).props("dense outlined options-dense")
        width = ui.select(WIDTHS, value=8).props("dense outlined options-dense")
        drawing = box()
    place = box("part")

    turn = asyncio.Lock()  # the last one shows what was asked for last

    async def draw() -> None:
        async with turn:
            named = str(what.value or "").strip()
            place.clear()
            with place:
                if not named:
                    empty(*NOTHING_NAMED)
                    return
                waiting("walking through the graph")
            found = await asyncio.to_thread(_look, bench, named, int(hops.value), int(width.value))
            place.clear()
            with place:
                _show(found)

    with drawing:
        button("Draw", draw, "primary")
    what.on("keydown.enter", in_tab(draw), [])
    await draw()


def _named(around: str) -> ui.input:
    field = ui.input("An item's id, attribute=value, or a demand's words", value=around)
    return field.props("dense outlined").classes("search wide-field")


def _look(bench: Workbench, named: str, hops: int, width: int) -> GraphView | str:
    """Return what is around, or why nothing is found."""
    try:
        node = bench.database.read(lambda session: find_node(session, named))
        return view_around(bench.database, node, hops=hops, width=width)
    except ReaseqError as error:
        return str(error)


def _show(view: GraphView | str) -> None:
    if isinstance(view, str):
        text(view, "told doubt")
        return
    found = view.found
    heading(
        phrase_node(found.start, found.labels[found.start]),
        f"{len(found.distances):,} nodes, {len(found.edges):,} edges",
    )
    if isinstance(found.start, ItemNode):
        link("the item →", "items", "small", item=found.start.id)
    with box("panel wide"):
        drawn(drawing_of(found))
    for one in view.contradictions:
        text(f"{one.item_id}: {phrase_contradiction(one)}", "told bad")
    for stale in view.stale:
        text(f"{stale.item_id}: {'; '.join(stale.why)}", "told doubt")
    with box("part"):
        heading("What stands beside it", "each leads on")
        table(["kind", "how it relates", "not shown"], _rows(view, _beside(view)))


def _beside(view: GraphView) -> list[Edge]:
    start = view.found.start
    return [edge for edge in view.found.edges if start in (edge.source, edge.target)]


def _rows(view: GraphView, edges: Iterable[Edge]) -> list[list[str | Cell]]:
    found = view.found
    rows: list[list[str | Cell]] = []
    for edge in list(edges)[:LISTED]:
        other: Node = edge.target if edge.source == found.start else edge.source
        cut = ", ".join(phrase_cut(one) for one in found.cut.get(other, []))
        told = phrase_step(edge, found.start, found.labels[other])
        if isinstance(other, CategoryNode):
            rows.append([other.kind, told, cut])
        else:
            rows.append([other.kind, Cell(told, to=address("knowledge", around=spoken(other))), cut])
    return rows
