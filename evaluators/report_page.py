"""An evaluation as one HTML file: no script, nothing from elsewhere; every text in it is data and is escaped."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evaluators.evaluation import Evaluation

TEMPLATE = "report.html"


def report_page(found: Evaluation) -> str:
    """Return the page."""
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {"share": _share, "points": _points, "p_value": _p_value}
    systems = [found.compared, found.system] if found.compared else [found.system]
    return pages.get_template(TEMPLATE).render(found=found, systems=systems).lstrip()


def _share(value: float) -> str:
    return f"{value:.1%}"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
