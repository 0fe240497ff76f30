"""Plots: drawn from one template that escapes every text, without a script."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from nicegui import ui

from evaluators.calibration import calibration
from evaluators.item_scores import Judged
from evaluators.significance import Difference
from memory.rulings import JudgedClaim

LEAST = 0.00001  # half of the axis where nothing differs at all
HERE = Path(__file__).parent


def reliability_plot(claims: Iterable[JudgedClaim]) -> None:
    """Show how often claims of about the same confidence were right."""
    found = calibration(Judged(confidence=claim.confidence, right=claim.right) for claim in claims)
    dots = [(part.confidence, part.accuracy, part.claims) for part in found.bins]
    plot("reliability", dots=dots, error=found.ece, brier=found.brier)


def histogram(counts: Sequence[int]) -> None:
    """Show how many claims have which confidence: ten bins from 0 to 1."""
    plot("histogram", counts=list(counts), most=max(*counts, 1))


def intervals(rows: Sequence[tuple[str, Difference, str]]) -> None:
    """Show differences with their intervals: name, difference, and "good", "bad" or nothing where it is not sure."""
    most = max((abs(end) for _, one, _ in rows for end in (one.low, one.high, one.difference)), default=0.0)
    plot("intervals", rows=rows, most=most or LEAST)


def changes(gained: int, lost: int, changed: int, most: int) -> None:
    """Show how many claims were gained, lost and changed, as parts of a bar of `most` claims."""
    plot("changes", gained=gained, lost=lost, changed=changed, most=most or 1)


def movement(counts: Sequence[int], greatest: float) -> None:
    """Show how far vectors moved: so many items in each equal part of the way from 0 to the greatest distance."""
    width = greatest / len(counts) if counts else 0.0
    bins = [(place * width, count) for place, count in enumerate(counts)]
    plot("movement", bins=bins, most=max(*counts, 1), greatest=greatest)


def drawn(svg: str) -> None:
    """Show a drawing that an escaping template of ours has made."""
    ui.html(svg, sanitize=False).classes("wide")


def plot(name: str, **values: object) -> None:
    """Show one of the plots of the template."""
    template = _plots().get_template("plots.html").module
    drawn(str(getattr(template, name)(**values)))


@lru_cache
def _plots() -> Environment:
    plots = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    plots.filters["share"] = lambda value: f"{value:.0%}"
    plots.filters["points"] = lambda value: f"{100 * value:+.2f}"
    return plots
