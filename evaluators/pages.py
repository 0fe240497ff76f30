"""How reports become HTML: templates of this floor, no script, nothing from elsewhere, every text escaped as data."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def render_page(template: str, **values: object) -> str:
    """Return the page that a template of this floor makes of plain records."""
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {"share": _share, "points": _points, "p_value": _p_value, "score": _score, "signed": _signed}
    pages.globals |= {"points": _points, "signed": _signed}  # for macros that are told how to write a number
    return pages.get_template(template).render(values).lstrip()


def _share(value: float) -> str:
    return f"{value:.1%}"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"


def _score(value: float) -> str:
    return f"{value:.4f}"


def _signed(value: float) -> str:
    return f"{value:+.4f}"


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
