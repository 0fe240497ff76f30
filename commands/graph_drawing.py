"""A neighbourhood as an SVG file, and as one HTML page: no script, nothing from elsewhere, every text is escaped."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from commands.graph_layout import HEIGHT, LEGEND, MARGIN, PADDING, WIDTH, drawing
from commands.graph_view import GraphView, origin, phrase_contradiction, phrase_cut, phrase_node
from evaluators.pages import templates
from memory.knowledge_graph.neighbourhood import Neighbourhood
from memory.text import printable

if TYPE_CHECKING:
    from jinja2 import Environment

SHOWN = 500  # characters of a text in a table


def drawing_of(found: Neighbourhood) -> str:
    """Return the SVG file."""
    return _pages().get_template("graph.svg").render(drawing=drawing(found), **_SIZES)


def page_of(view: GraphView) -> str:
    """Return the HTML page: the drawing, tables of its nodes and edges, contradictions and stale facts."""
    return _pages().get_template("graph.html").render(drawing=drawing(view.found), view=view, **_SIZES).lstrip()


_SIZES = {"node_width": WIDTH, "node_height": HEIGHT, "padding": PADDING, "margin": MARGIN, "legend": LEGEND}


def _pages() -> "Environment":
    filters: dict[str, Callable[..., object]] = {
        "shown": lambda text: printable(text, SHOWN),
        "origin": origin,
        "node": phrase_node,
        "cut": phrase_cut,
        "contradiction": phrase_contradiction,
    }
    return templates(Path(__file__).parent, filters)
