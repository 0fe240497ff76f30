"""`reaseq train-extractor`: a small model that reads attributes out of titles, from annotated titles."""

import time
from pathlib import Path
from typing import Annotated

import typer

from commands.output import AsJson, print_json, say


def train_extractor(
    gold: Annotated[Path, typer.Argument(help="Annotated titles: JSON Lines, may be gzipped.", metavar="GOLD")],
    out: Annotated[Path, typer.Option("--out", help="The file to write.", metavar="FILE")],
    as_json: AsJson = False,
) -> None:
    """Train the student on annotated titles: one JSON object a line with title, category and attributes.

    `attributes` maps each attribute that was looked for to its acceptable values; "n/a" says that the title has none.
    """
    from agents.student.model_file import save_student  # noqa: PLC0415 - the encoder takes a moment to import
    from agents.student.training import train_student  # noqa: PLC0415
    from evaluators.annotated import read_annotated  # noqa: PLC0415
    from memory.encoder import MiniLmEncoder  # noqa: PLC0415

    titles = list(read_annotated(gold))
    begun = time.process_time()
    student = train_student(titles, MiniLmEncoder())
    save_student(student, out)
    figures = {
        "titles": len(titles),
        "categories": len(student.categories),
        "attributes": sum(len(known.attributes) for known in student.categories.values()),
        "cpu_seconds": round(time.process_time() - begun, 1),
        "file": str(out),
        "bytes": out.stat().st_size,
    }
    if as_json:
        print_json(figures)
    else:
        say(f"trained on {len(titles)} titles of {len(student.categories)} categories; wrote {out}")
