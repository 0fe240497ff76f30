"""How reports become HTML: templates beside the shared parts, no script, nothing from elsewhere, every text escaped."""

from collections.abc import Callable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

OWN = Path(__file__).parent


def render_page(template: str, **values: object) -> str:
    """Return the page that a template of this floor makes of plain records."""
    return templates(OWN, {}).get_template(template).render(values).lstrip()


def templates(folder: Path, filters: Mapping[str, Callable[..., object]]) -> Environment:
    """Return the templates of a folder, which may import `page_parts.html`, with filters of theirs."""
    made = Environment(
        loader=FileSystemLoader([folder, OWN]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {**_WRITTEN, **filters}
    made.globals |= {"points": _points, "signed": _signed}  # for macros that are told how to write a number
    return made


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


_WRITTEN = {"share": _share, "points": _points, "p_value": _p_value, "score": _score, "signed": _signed}
