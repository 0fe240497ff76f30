"""The options of the commands that write or read vectors and features."""

from datetime import UTC, datetime
from typing import Annotated

import typer

Name = Annotated[str, typer.Option("--name", help="The set of vectors.", metavar="NAME")]
Version = Annotated[
    int | None, typer.Option("--version", help="A version, as in `reaseq kb versions`; else the one that is read.")
]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", help="Only what was stored before this moment (UTC).", metavar="DATE"),
]


def milliseconds(as_of: datetime | None) -> int | None:
    """Return a moment of the command line, which is UTC, in milliseconds since 1970."""
    return None if as_of is None else round(as_of.replace(tzinfo=UTC).timestamp() * 1000)
