"""The command line: `python app.py …`, the same as `reaseq …`; the only reader of settings and environment."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings.exceptions import SettingsError

from commands import enrich, export, models, prompts, show, trace
from commands import settings as settings_command
from commands.output import fail
from commands.settings import Origins, Settings
from memory.errors import ReaseqError
from memory.version import VERSION

if TYPE_CHECKING:
    from graphs.enrichment import EnrichmentGraph

SETTINGS_FILE = Path("reaseq.toml")
# Names that the providers' own tools use; REASEQ_… goes before them.
CONVENTIONAL = ("openai_api_key", "openai_base_url", "ollama_host")

app = typer.Typer(
    name="reaseq",
    help="Turn catalog rows into verified, evidenced product knowledge.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(enrich.demo)
app.command(name="enrich")(enrich.enrich)
app.command(name="trace")(trace.trace)
app.command(name="show")(show.show)
app.command(name="export")(export.export)
app.add_typer(prompts.app, name="prompts")
app.command(name="models")(models.models)
app.command(name="settings")(settings_command.settings)


class _Readable(Settings, BaseSettings):
    """The settings, as the environment and the settings file may give them."""

    model_config = SettingsConfigDict(env_prefix="REASEQ_", toml_file=SETTINGS_FILE, extra="forbid", frozen=True)


def read_settings() -> tuple[Settings, Origins]:
    """Return the settings, and where each came from: environment over settings file over default."""
    sources = {
        "environment": EnvSettingsSource(_Readable)(),
        "environment (provider's name)": _conventional(),
        str(SETTINGS_FILE): TomlConfigSettingsSource(_Readable)(),
    }
    values: dict[str, Any] = {}
    origins: Origins = dict.fromkeys(Settings.model_fields, "default")
    for origin, given in reversed(sources.items()):
        values |= given
        origins |= dict.fromkeys(given, origin)
    return Settings.model_validate(values), origins


def _conventional() -> dict[str, Any]:
    return {name: value for name in CONVENTIONAL if (value := EnvSettingsSource(_Readable, env_prefix="")().get(name))}


@asynccontextmanager
async def enrichment_graph() -> "AsyncIterator[EnrichmentGraph]":
    """Yield the graph for LangGraph's server and Studio, which find it through langgraph.json."""
    from commands.workshop import open_workshop  # noqa: PLC0415 - the graph takes a second to import
    from graphs.server import build_served_graph  # noqa: PLC0415

    async with open_workshop(read_settings()[0]) as workshop:
        yield build_served_graph(workshop.context)


@app.callback()
def begin(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """Read the settings before any command runs."""
    if version:
        typer.echo(f"reaseq {VERSION}")
        raise typer.Exit
    context.obj = read_settings()


def main() -> None:
    """Run the command line; exit code 0, 1 for a failure, 2 for wrong usage, 130 when interrupted."""
    try:
        app()
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        sys.exit(fail(f"settings: {problems}", code=2))
    except SettingsError as error:
        sys.exit(fail(f"settings: {error}", code=2))
    except ReaseqError as error:
        sys.exit(fail(str(error)))
    except KeyboardInterrupt:
        sys.exit(fail("interrupted; what was finished is stored", code=130))
    except BrokenPipeError:
        # The reader of our output has gone (`reaseq show X | head`): end quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
