"""A user's logged and imagined behaviours on one line of time, as an SVG file and as a page: every text is escaped."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from commands.imagined_view import ImaginedBehavior, ImaginedView, LoggedBehavior
from evaluators.pages import templates
from memory.text import printable

if TYPE_CHECKING:
    from jinja2 import Environment

ROW, TOP, WIDTH = 62, 84, 980
BOX, LOGGED_X, IMAGINED_X, LINE_X = 380, 20, 580, 490
SHOWN = 46  # characters of a title in a box
REASON = 56  # characters of a reason below it
TOOLTIP = 400


@dataclass(frozen=True)
class Box:
    """One behaviour: what is written in it, and where it stands."""

    logged: bool
    y: int
    title: str
    note: str
    reason: str
    slot: str  # "" of what is logged
    confidence: float
    tooltip: str


@dataclass(frozen=True)
class Drawing:
    """The picture in pixels: the line of time runs down, what is logged stands to the left of it."""

    title: str
    note: str
    height: int
    boxes: tuple[Box, ...]
    links: tuple[tuple[str, float], ...]  # paths from imagined behaviours to their nearest logged ones; how near


def drawing(view: ImaginedView) -> Drawing:
    """Lay a view out, a behaviour a row, in the order of time."""
    boxes: list[Box] = []
    place: dict[str, int] = {}  # item -> y of the newest behaviour with it
    for number, row in enumerate(view.rows):
        y = TOP + number * ROW
        if isinstance(row, LoggedBehavior):
            place[row.item] = y
            boxes.append(_logged(row, y, view))
        else:
            boxes.append(_imagined(row, y, view))
    links = [
        (_path(TOP + number * ROW, place[row.near_item]), row.near_cosine or 0.0)
        for number, row in enumerate(view.rows)
        if isinstance(row, ImaginedBehavior) and row.near_item in place
    ]
    note = (
        f"{len(view.logged)} logged, {len(view.imagined)} imagined from what happened before {view.moment(view.as_of)}"
    )
    return Drawing(
        title=f"What {printable(view.user, 60)} did, and may want",
        note=printable(f"{note}, by {view.model_version}", 160),
        height=TOP + len(boxes) * ROW + 50,
        boxes=tuple(boxes),
        links=tuple(links),
    )


def timeline_of(view: ImaginedView) -> str:
    """Return the SVG file."""
    return pages().get_template("imagined.svg").render(drawing=drawing(view))


def page_of(views: list[ImaginedView]) -> str:
    """Return the HTML page: of each user the picture and a table of the reasons."""
    shown = [(view, drawing(view)) for view in views]
    return pages().get_template("imagined.html").render(shown=shown).lstrip()


_SIZES = {
    "width": WIDTH, "box_width": BOX, "logged_x": LOGGED_X, "imagined_x": IMAGINED_X, "line_x": LINE_X, "row": ROW,
}  # fmt: skip


def _logged(row: LoggedBehavior, y: int, view: ImaginedView) -> Box:
    title = row.title or row.item
    note = f"{view.moment(row.time)} · {row.kind}"
    tooltip = printable(f"{row.item}: {row.title}", TOOLTIP)
    return Box(True, y, printable(title, SHOWN), note, printable(row.item, REASON), "", 1.0, tooltip)


def _imagined(row: ImaginedBehavior, y: int, view: ImaginedView) -> Box:
    where = view.moment(row.time) if row.slot == "gap" else f"next, no. {row.position}"
    chains = "" if row.slot == "next" else f" · {row.agreement:.0%} of chains"
    return Box(
        logged=False,
        y=y,
        title=printable(row.title or row.item, SHOWN),
        note=f"{where} · {row.confidence:.2f} sure{chains}",
        reason=printable(reason(row), REASON),
        slot="gap" if row.slot == "gap" else "future",  # as it is coloured: what is next is to come
        confidence=row.confidence,
        tooltip=printable(f"{row.item}: {row.title}; {reason(row)}", TOOLTIP),
    )


def reason(row: ImaginedBehavior) -> str:
    """Return what speaks for an imagined behaviour."""
    parts = []
    if row.demand:
        parts.append(f"meets “{row.demand}”" + ("" if row.demand_cosine is None else f" ({row.demand_cosine:.2f})"))
    if row.near_item:
        near = "" if row.near_cosine is None else f" ({row.near_cosine:.2f})"
        parts.append(f"like {row.near_title or row.near_item}{near}")
    return "; ".join(parts) or "nothing in the history is near to it"


def _path(of: int, to: int) -> str:
    """Return a curve from an imagined behaviour's box to a logged one's, over the line of time."""
    start, end, middle = IMAGINED_X, LOGGED_X + BOX, LINE_X
    return f"M{start},{of + 22} C{middle},{of + 22} {middle},{to + 22} {end},{to + 22}"


def pages() -> "Environment":
    """Return the templates of this room, with what they need to draw a line of time."""
    made = templates(Path(__file__).parent, {"shown": lambda text: printable(text, TOOLTIP), "reason": reason})
    made.globals |= _SIZES
    return made
