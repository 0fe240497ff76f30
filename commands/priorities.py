"""How priorities of enrichment leave the ranker's ablation, and how other commands come by them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from commands.output import say
from memory.atomic_file import written_whole
from memory.enrichment_priorities import AttributePriority, EnrichmentPriorities, read_priorities
from memory.text import printable

if TYPE_CHECKING:
    from evaluators.ranking.report import AttributeEffect, RankingReport
    from memory.item_vectors.knowledge_table import KnowledgeTable

Priorities = Annotated[
    Path | None,
    typer.Option(
        "--priorities", help="First what moves the ranking: a file of `reaseq ranker ablate`.", metavar="FILE"
    ),
]
PrioritiesOut = Annotated[
    Path | None, typer.Option("--priorities", help="Also write what to enrich first (JSON).", metavar="FILE")
]


def gains_in(path: Path | None) -> dict[str, float]:
    """Return what attributes gain whose interval is clear of zero, the greatest first; it is said which these are.

    Nothing for no file. Raises `memory.enrichment_priorities.PrioritiesUnreadable`.
    """
    if path is None:
        return {}
    gains = read_priorities(path).gains
    if gains:
        say(f"first: {', '.join(printable(attribute, 40) for attribute in gains)}")
    else:
        say(f"no attribute of {path} has an interval clear of zero: the usual order")
    return gains


def write_priorities(path: Path, report: "RankingReport", known: "KnowledgeTable") -> None:
    """Write what an ablation found as priorities; raises `memory.atomic_file.FileUnwritable`."""
    priorities = priorities_of(report, known)
    with written_whole(path) as unfinished:
        unfinished.write_text(priorities.model_dump_json(indent=2), encoding="utf-8")
    say(f"wrote {path}")


def priorities_of(report: "RankingReport", known: "KnowledgeTable") -> EnrichmentPriorities:
    """Return what an ablation found, with the items of which each attribute is unknown."""
    found = sorted(report.attributes, key=lambda one: -one.difference.difference)
    return EnrichmentPriorities(
        task=report.protocol.task,
        metric=report.metrics[0],
        version=known.version,
        items=len(known.ids),
        attributes=tuple(_priority(effect, known) for effect in found),
    )


def _priority(effect: "AttributeEffect", known: "KnowledgeTable") -> AttributePriority:
    missing = ~known.having(effect.attribute)
    leaves, counts = np.unique(np.array(known.leaves(), dtype=np.str_)[missing], return_counts=True)
    return AttributePriority(
        attribute=effect.attribute,
        gain=effect.difference.difference,
        low=effect.difference.low,
        high=effect.difference.high,
        known=effect.items,
        unknown=int(missing.sum()),
        unknown_by_category=dict(zip(leaves.tolist(), counts.tolist(), strict=True)),
    )
