"""How commands speak: tables and JSON on standard output, what went wrong on standard error."""

import asyncio
import json
import os
import sys
from collections.abc import Coroutine, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.table import Table
from rich.text import Text

from memory.text import printable

T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
KnowledgeBase = Annotated[str | None, typer.Option("--kb", help="The knowledge base's database URL.", metavar="URL")]

INTERRUPTED, TERMINATED = 130, 143

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def fail(message: str, code: int = 1) -> int:
    """Say on standard error what went wrong, and return the exit code."""
    errors.print(Text.assemble(("error: ", "bold red"), printable_lines(message)), soft_wrap=True)
    return code


def say(message: str) -> None:
    """Say something that is not a result, on standard error."""
    errors.print(Text(printable_lines(message)), soft_wrap=True)


@lru_cache
def say_once(message: str) -> None:
    """Say it once in this process, however many runs an evaluation makes."""
    say(message)


def invoked() -> str:
    """Return how this program was called, for commands that a user may copy."""
    program = Path(sys.argv[0])
    return program.name if program.suffix != ".py" else f"{os.path.relpath(sys.executable)} {os.path.relpath(program)}"


def print_json(value: object) -> None:
    """Print one JSON document in UTF-8, whatever the terminal's encoding; half a surrogate pair becomes "?"."""
    text = json.dumps(to_jsonable_python(value, fallback=str), indent=2, ensure_ascii=False)
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """Print a table; cells are text, never markup, and hold no control characters."""
    table = Table(title=Text(title), title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(printable_lines(cell)) for cell in row))
    console.print(table)


def printable_lines(text: str) -> str:
    """Return text that is safe in a terminal; line ends stay."""
    return "\n".join(printable(line, 2000) for line in text.split("\n"))


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's asynchronous work to its end."""
    try:
        return asyncio.run(work)
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("interrupted; every finished item is stored")
        raise typer.Exit(INTERRUPTED) from None
