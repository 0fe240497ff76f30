"""What the commands of all models share: options, the file of settings, the page that is written."""

import tomllib
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError

from commands.output import say
from memory.atomic_file import written_whole
from memory.errors import ReaseqError
from memory.record import Record

Config = Annotated[Path | None, typer.Option("--config", help="Settings of the model (TOML).", metavar="FILE")]
Seed = Annotated[int | None, typer.Option("--seed", help="Of everything that is drawn.", min=0)]
Seeds = Annotated[int, typer.Option("--seeds", help="How many times each model is trained.", min=1, max=20)]
Html = Annotated[Path | None, typer.Option("--html", help="Also write a page.", metavar="FILE")]
Settings = TypeVar("Settings", bound=Record)


class ConfigUnreadable(ReaseqError):
    """A file holds no settings of a model."""


def settings_in(path: Path | None, kind: type[Settings], of: str) -> Settings:
    """Return the settings of a file, the defaults without one; `of` names the model. Raises `ConfigUnreadable`."""
    try:
        return kind.model_validate({} if path is None else tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigUnreadable(f"{str(path)!r} holds no settings of {of}: {error}") from error


def write_file(path: Path, text: str) -> None:
    """Write a file whole, and say so."""
    with written_whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    say(f"wrote {path}")
