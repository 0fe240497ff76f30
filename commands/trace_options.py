"""The options that `trace`, `replay` and `traces show` share: how a trace is made, and how it leaves the command."""

from pathlib import Path
from typing import Annotated, Any

import typer

from memory.record import Record

Html = Annotated[Path | None, typer.Option("--html", help="Write it as a page of its own.", metavar="FILE")]
Mermaid = Annotated[bool | None, typer.Option("--mermaid", help="Print the path taken as a Mermaid diagram instead.")]
Brief = Annotated[bool | None, typer.Option("--brief", help="Leave out prompts and answers.")]
Fresh = Annotated[bool | None, typer.Option("--fresh", help="Ask anew what the ledger has the answer to.")]
NoStore = Annotated[bool | None, typer.Option("--no-store", help="Do not store the trace.")]

SHOWING: dict[str, Any] = {"html": Html, "mermaid": Mermaid, "brief": Brief}
MAKING: dict[str, Any] = {"fresh": Fresh, "no_store": NoStore}


class TraceOptions(Record):
    """What is wished of a trace."""

    html: Path | None = None
    mermaid: bool = False
    brief: bool = False
    fresh: bool = False
    no_store: bool = False
    as_json: bool = False

    @property
    def quiet(self) -> bool:
        """Whether standard output is for a document alone."""
        return self.as_json or self.mermaid


def taken_options(given: dict[str, Any], *, as_json: bool = False) -> TraceOptions:
    """Return the options among all that a command was given, and take them out of it; what is left are settings."""
    own = {name: given.pop(name) for name in (*SHOWING, *MAKING) if name in given}
    return TraceOptions.model_validate({name: v for name, v in own.items() if v is not None} | {"as_json": as_json})
