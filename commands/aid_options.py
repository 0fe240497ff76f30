"""The options that name what aids the extractor; each is also a setting of its name."""

from pathlib import Path
from typing import Annotated

import typer

Approved = Annotated[
    Path | None,
    typer.Option("--approved", help="Golden items to learn from, by look-up and demonstrations.", metavar="FILE"),
]
ApprovedCatalog = Annotated[
    Path | None, typer.Option("--approved-catalog", help="Has the texts of those that are an id alone.", metavar="FILE")
]
DemonstrationNumber = Annotated[
    int | None, typer.Option("--demonstrations", help="How many of them a prompt shows.", min=0, max=50)
]
Extractor = Annotated[
    Path | None, typer.Option("--extractor", help="A student of `reaseq train-extractor`.", metavar="FILE")
]
Calibration = Annotated[
    Path | None, typer.Option("--calibration", help="A file of `reaseq calibrate`.", metavar="FILE")
]
Abstain = Annotated[
    bool | None,
    typer.Option(
        "--abstain/--no-abstain",
        help="Leave claims below the calibration's threshold to a person; as a rule with --calibration.",
    ),
]
Cascade = Annotated[
    bool | None,
    typer.Option("--cascade/--no-cascade", help="Ask the model only what rules, look-up and student are unsure of."),
]
Escalate = Annotated[
    str | None, typer.Option("--escalate", help="A stronger model, asked where the others disagree.", metavar="SPEC")
]
