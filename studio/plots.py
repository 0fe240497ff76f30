"""Plots: drawn from one template that escapes every text, without a script."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from nicegui import ui

from evaluators.calibration import calibration
from evaluators.item_scores import Judged
from memory.rulings import JudgedClaim

HERE = Path(__file__).parent


def reliability_plot(claims: Iterable[JudgedClaim]) -> None:
    """Show how often claims of about the same confidence were right."""
    found = calibration(Judged(confidence=claim.confidence, right=claim.right) for claim in claims)
    dots = [(part.confidence, part.accuracy, part.claims) for part in found.bins]
    plot("reliability", dots=dots, error=found.ece, brier=found.brier)


def histogram(counts: Sequence[int]) -> None:
    """Show how many claims have which confidence: ten bins from 0 to 1."""
    plot("histogram", counts=list(counts), most=max(*counts, 1))


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
    return plots
