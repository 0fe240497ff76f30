"""`reaseq train-extractor`: a small model that reads attributes out of titles, from annotated or verified ones."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.output import AsJson, KnowledgeBase, fail, print_json, say
from commands.setting_options import TaxonomyFile
from commands.settings import Settings, settings_of

if TYPE_CHECKING:
    from evaluators.annotated import AnnotatedTitle


def train_extractor(
    context: typer.Context,
    gold: Annotated[
        Path | None, typer.Argument(help="Annotated titles: JSON Lines, may be gzipped.", metavar="GOLD")
    ] = None,
    *,
    out: Annotated[Path, typer.Option("--out", help="The file to write.", metavar="FILE")],
    from_kb: Annotated[bool, typer.Option("--from-kb", help="Learn from what --kb knows, instead of GOLD.")] = False,
    kb: KnowledgeBase = None,
    taxonomy: TaxonomyFile = None,
    as_json: AsJson = False,
) -> None:
    """Train the student on annotated titles: one JSON object a line with title, category and attributes.

    `attributes` maps each attribute that was looked for to its acceptable values; "n/a" says that the title has none.
    With --from-kb it learns from accepted claims: those of a large model, say, or what people corrected.
    """
    if (gold is None) != from_kb:
        raise typer.BadParameter("give GOLD, or --from-kb without one")
    titles = _titles(settings_of(context, kb=kb, taxonomy=taxonomy), gold)
    if not any(values for title in titles for values in title.attributes.values()):
        raise typer.Exit(fail("there is no title with a value to learn from"))
    figures = _trained(titles, out)
    if as_json:
        print_json(figures)
    else:
        say(f"trained on {len(titles)} titles of {figures['categories']} categories; wrote {out}")


def _trained(titles: "list[AnnotatedTitle]", out: Path) -> dict[str, object]:
    """Train and write the student; return what it was trained on, and what that took."""
    from agents.student.model_file import save_student  # noqa: PLC0415 - the encoder takes a moment to import
    from agents.student.training import train_student  # noqa: PLC0415
    from memory.encoder import MiniLmEncoder  # noqa: PLC0415

    begun = time.process_time()
    student = train_student(titles, MiniLmEncoder())
    save_student(student, out)
    return {
        "titles": len(titles),
        "categories": len(student.categories),
        "attributes": sum(len(known.attributes) for known in student.categories.values()),
        "cpu_seconds": round(time.process_time() - begun, 1),
        "file": str(out),
        "bytes": out.stat().st_size,
    }


def _titles(settings: Settings, gold: Path | None) -> "list[AnnotatedTitle]":
    if gold is not None:
        from evaluators.annotated import read_annotated  # noqa: PLC0415 - as above

        return list(read_annotated(gold))
    from commands.choices import taxonomy_of  # noqa: PLC0415
    from commands.verified_titles import verified_titles  # noqa: PLC0415

    return list(verified_titles(settings.kb, taxonomy_of(settings)))
