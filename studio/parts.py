"""The few parts that all pages are made of: every text is a text node, never markup."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from memory.text import printable
from studio.telling import in_tab

SHOWN = 300  # characters of a text in a cell

Handler = Callable[..., Any]


def box(classes: str = "", tag: str = "div") -> Element:
    """Return an element to put others into."""
    return ui.element(tag).classes(classes)


def text(content: str, classes: str = "", tag: str = "div") -> TextElement:
    """Return an element that shows a text as it is; control characters are made visible."""
    return TextElement(tag=tag, text="\n".join(printable(line, 5_000) for line in content.split("\n"))).classes(classes)


def heading(content: str, note: str = "") -> None:
    """Show the heading of a part of a page, with a note beside it."""
    with box("heading"):
        text(content, tag="h2")
        if note:
            text(note, "soft")


def link(content: str, page: str, classes: str = "", **query: str | int) -> TextElement:
    """Return a link to one of our own pages."""
    made = text(content, classes, "a")
    made.props["href"] = address(page, **query)
    return made


def address(page: str, **query: str | int) -> str:
    """Return the address of one of our own pages."""
    parts = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
    return f"/{page}?{parts}" if parts else f"/{page}"


def button(
    label: str, on_click: Handler, classes: str = "", *, key: str = "", hint: str = "", off: bool = False
) -> Element:
    """Return a button; `key` is the key that does the same."""
    made = ui.element("button").classes(f"button {classes}").on("click", in_tab(on_click), [])
    made.props["type"] = "button"
    made.props["disabled"] = off
    if hint:
        made.props["title"] = hint
    with made:
        text(label, tag="span")
        if key:
            text(key, tag="kbd")
    return made


@dataclass(frozen=True)
class Cell:
    """One cell of a table that is more than a text: a link to a page of ours, a style, or a part of its own."""

    content: str = ""
    classes: str = ""
    to: str = ""  # an address of `address`
    make: Callable[[], object] | None = None


def table(columns: Sequence[str], rows: Iterable[Sequence[str | Cell]], *, numbers: Iterable[int] = ()) -> Element:
    """Return a table; the columns in `numbers` stand to the right."""
    right = set(numbers)
    with box("wide") as wide, box("", "table"):
        with box("", "thead"), box("", "tr"):
            for place, column in enumerate(columns):
                text(column, "number" if place in right else "", "th")
        with box("", "tbody"):
            for row in rows:
                with box("", "tr"):
                    for place, cell in enumerate(row):
                        _cell(cell if isinstance(cell, Cell) else Cell(cell), number=place in right)
    return wide


def figures(values: Iterable[tuple[str, str]]) -> None:
    """Show some numbers large, each with what it is."""
    with box("figures"):
        for value, label in values:
            with box("figure"):
                text(value, "value")
                text(label, "label")


def bar(share: float, classes: str = "") -> Element:
    """Return a bar that is filled by a share of 1."""
    with box(f"bar {classes}") as made:
        box("filled").style(f"width: {100 * max(0.0, min(1.0, share)):.1f}%")
    return made


def empty(title: str, what_next: str) -> None:
    """Say that there is nothing here, and what would change that."""
    with box("empty"):
        text(title, "title")
        text(what_next, "soft")


def waiting(what: str) -> Element:
    """Return what stands where something is still looked for."""
    return text(f"{what} …", "waiting soft").props("role=status")


def _cell(cell: Cell, *, number: bool) -> None:
    with box(f"{'number' if number else ''} {cell.classes}", "td"):
        if cell.make is not None:
            cell.make()
        elif cell.to:
            text(printable(cell.content, SHOWN), tag="a").props["href"] = cell.to
        else:
            text(cell.content if "\n" in cell.content else printable(cell.content, SHOWN), tag="span")
