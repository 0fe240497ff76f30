"""The page Knowledge: the categories, how well each attribute is known, the graph, what could not be mapped."""

from functools import partial

from nicegui import ui
from nicegui.page_arguments import PageArguments

from agents.phrasing import phrase_path
from memory.category_knowledge import KnownAttribute, KnownCategory, known_attributes, known_categories
from studio.graph_part import graph_part
from studio.parts import Cell, address, bar, box, empty, heading, link, table, text, waiting
from studio.plots import histogram
from studio.shell import Shell
from studio.vocabulary_part import proposals_part, unmapped_part
from studio.workbench import Workbench

LISTED = 200  # categories
ATTRIBUTES = 60


async def knowledge_page(bench: Workbench, shell: Shell, arguments: PageArguments) -> None:
    """Show the page; the address says which category, and around what the graph is drawn."""
    asked = arguments.query_parameters
    category, around = asked.get("category", ""), asked.get("around", "")
    shell.show("knowledge")
    with box("title"):
        text("Knowledge", tag="h1")
        text("What the version that is read knows of the catalog.", "soft")
    if around or asked.get("graph"):
        await graph_part(bench, around)
        return
    with box("columns aside"):
        left = box("panel")
        right = box("stack")
    with left:
        waiting("counting items")
    with right:
        attributes = box("panel")
        unmapped_part(bench, category or None)
        proposals_part(bench, category or None)
    await _fill_categories(bench, left, attributes, category)


async def _fill_categories(bench: Workbench, left: ui.element, right: ui.element, chosen: str) -> None:
    """Show the categories as they were counted last, at once, and again where a new count says otherwise."""
    before = bench.categories
    if before:
        await _show_counted(bench, left, right, chosen)
    bench.categories = await bench.read(known_categories)
    if bench.categories != before or not before:
        await _show_counted(bench, left, right, chosen)


async def _show_counted(bench: Workbench, left: ui.element, right: ui.element, chosen: str) -> None:
    found = bench.categories
    left.clear()
    with left:
        _show_categories(found, chosen)
    picked = next((one for one in found if one.category_id == chosen), None)
    if picked is None and not chosen and found:
        picked = max(found, key=lambda one: one.items)
    right.clear()
    with right:
        if picked is None:
            empty("Nothing is known yet", "Run a catalog: each enriched item adds to its category.")
            return
        heading(picked.path[-1], f"{phrase_path(picked.path)} · {picked.items:,} items")
        place = box()
        with place:
            waiting("reading what is known of its attributes")
    known = await bench.read(partial(known_attributes, category_id=picked.category_id))
    place.clear()
    with place:
        _show_attributes(known, picked)


def _show_categories(found: list[KnownCategory], chosen: str) -> None:
    heading("Categories", f"{len(found):,} with items")
    with box("row"):
        link("Graph of the knowledge →", "knowledge", "small", graph=1)
    search = ui.input("Find a category").props("dense outlined clearable").classes("search full")
    listed = box("list")

    def fill() -> None:
        words = str(search.value or "").casefold().split()
        fitting = [one for one in found if all(word in phrase_path(one.path).casefold() for word in words)]
        listed.clear()
        with listed:
            for one in fitting[:LISTED]:
                _category_entry(one, chosen)
            if len(fitting) > LISTED:
                text(f"and {len(fitting) - LISTED:,} more: type a part of the name", "soft small")

    search.on_value_change(fill)
    fill()


def _category_entry(one: KnownCategory, chosen: str) -> None:
    with box("chosen" if one.category_id == chosen else "", "a") as entry:
        with box("row between"):
            text(one.path[-1], tag="span")
            text(f"{one.items:,}", "soft small number", "span")
        text(" › ".join(one.path[:-1]), "sub")
    entry.props["href"] = address("knowledge", category=one.category_id)


def _show_attributes(known: list[KnownAttribute], category: KnownCategory) -> None:
    rows: list[list[str | Cell]] = [_attribute_cells(one, category) for one in known[:ATTRIBUTES]]
    if not rows:
        text("No claim of any attribute: its items are known by category alone.", "soft")
        return
    columns = ["attribute", "coverage", "", "accepted", "left to a person", "rejected", "confidence 0 → 1"]
    table(columns, rows, numbers=[2, 3, 4, 5])
    text(
        "Coverage: items with an accepted value. Confidence: of accepted claims, the tenths from 0 to 1.", "soft small"
    )


def _attribute_cells(one: KnownAttribute, category: KnownCategory) -> list[str | Cell]:
    share = min(1.0, one.items / max(1, category.items))
    return [
        one.attribute.replace("_", " "),
        Cell(make=lambda: bar(share), classes="middle"),
        f"{share:.0%}",
        f"{one.accepted:,}",
        f"{one.abstained:,}",
        f"{one.rejected:,}",
        Cell(make=lambda: histogram(one.confidence)),
    ]
