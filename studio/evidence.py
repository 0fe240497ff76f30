"""An item as its shop describes it, the words that prove something highlighted: all of it text nodes."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from memory.schema import CatalogItem, Claim, Evidence
from studio.parts import box, text

LONG = 3_000  # characters of a field that are shown; what lies behind is told


def show_source(item: CatalogItem, evidence: Iterable[Evidence] = (), strong: Evidence | None = None) -> None:
    """Show each field of an item with its evidence marked; `strong` is the one that is asked about."""
    spans = list(evidence)
    with box("stack tight"):
        for name, content in item.texts():
            with box("source title-text" if name == "title" else "source"):
                if name != "title":
                    text(name, "name", "span")
                _show_marked(content, [span for span in spans if span.field == name], strong)


def evidence_of(claims: Iterable[Claim]) -> list[Evidence]:
    """Return the evidence of claims that have one."""
    return [claim.evidence for claim in claims if claim.evidence is not None]


def _show_marked(content: str, spans: Sequence[Evidence], strong: Evidence | None) -> None:
    shown = content[:LONG]
    borders = {0, len(shown)}
    for span in spans:
        borders |= {min(span.start, len(shown)), min(span.end, len(shown))}
    for start, end in pairwise(sorted(borders)):
        within = [span for span in spans if span.start <= start and end <= span.end]
        if within:
            text(shown[start:end], "strong" if strong in within else "", "mark")
        else:
            text(shown[start:end], tag="span")
    if len(content) > LONG:
        text(f" … and {len(content) - LONG:,} more characters", "soft", "span")
