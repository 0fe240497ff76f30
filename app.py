"""The command line: `python app.py …`, the same as `reaseq …`; the only reader of settings and environment."""

import io
import os
import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings.exceptions import SettingsError

from commands import (
    behaviors,
    beyond_log,
    calibrate,
    diffusion,
    enrich,
    evaluate,
    export,
    failures,
    graph,
    kb,
    models,
    prompts,
    ranker,
    replay,
    review,
    runs,
    show,
    simulate,
    stale,
    taxonomy,
    trace,
    traces,
    train_extractor,
    unmapped,
    vectors,
)
from commands import settings as settings_command
from commands.front_page import FrontPage
from commands.impact import command as impact
from commands.output import fail
from commands.settings import Origins, Settings
from memory.errors import ReaseqError
from memory.version import VERSION
from studio.command import studio

if TYPE_CHECKING:
    from graphs.enrichment import EnrichmentGraph

SETTINGS_FILE = Path("reaseq.toml")
# Names that the providers' own tools and the shell use; REASEQ_… goes before them.
CONVENTIONAL = ("openai_api_key", "openai_base_url", "ollama_host", "otel_exporter_otlp_headers", "editor")

app = typer.Typer(
    name="reaseq",
    cls=FrontPage,
    help="Turn catalog rows into knowledge that their own words prove, and see what a prompt does to the ranking."
    "\n\nBegin with `reaseq demo`, or with `reaseq enrich CATALOG` and `reaseq show ITEM`. Each command has a --help.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(enrich.demo)
app.command(name="enrich")(enrich.enrich)
app.command(name="evaluate")(evaluate.evaluate)
app.command(name="calibrate")(calibrate.calibrate)
app.command(name="stale")(stale.stale)
app.command(name="failures")(failures.failures)
app.command(name="unmapped")(unmapped.unmapped)
app.command(name="runs")(runs.runs)
app.command(name="trace")(trace.trace)
app.command(name="replay")(replay.replay)
app.command(name="show")(show.show)
app.command(name="graph")(graph.graph)
app.command(name="export")(export.export)
app.command(name="simulate")(simulate.simulate)
app.command(name="train-extractor")(train_extractor.train_extractor)
app.add_typer(behaviors.app, name="behaviors")
app.add_typer(ranker.app, name="ranker")
app.add_typer(beyond_log.app, name="benchmark")
app.add_typer(impact.app, name="impact")
app.add_typer(diffusion.app, name="diffusion")
app.add_typer(review.app, name="review")
app.add_typer(kb.app, name="kb")
app.add_typer(traces.app, name="traces")
app.add_typer(taxonomy.app, name="taxonomy")
app.add_typer(prompts.app, name="prompts")
app.add_typer(vectors.app, name="vectors")
app.command(name="studio")(studio)
app.command(name="models")(models.models)
app.command(name="settings")(settings_command.settings)


class _Readable(Settings, BaseSettings):
    """The settings, as the environment and the settings file may give them."""

    model_config = SettingsConfigDict(
        env_prefix="REASEQ_", env_ignore_empty=True, toml_file=SETTINGS_FILE, extra="forbid", frozen=True
    )


def read_settings() -> tuple[Settings, Origins]:
    """Return the settings, and where each came from: environment over settings file over default."""
    sources = {
        "environment": EnvSettingsSource(_Readable)(),
        "environment (provider's name)": _conventional(),
        str(SETTINGS_FILE): _in_file(),
    }
    values: dict[str, Any] = {}
    origins: Origins = dict.fromkeys(Settings.model_fields, "default")
    for origin, given in reversed(sources.items()):
        values |= given
        origins |= dict.fromkeys(given, origin)
    try:
        return Settings.model_validate(values), origins
    except ValidationError as error:
        problems = (f"{e['loc'][0]} ({origins[str(e['loc'][0])]}): {e['msg']}" for e in error.errors())
        raise SettingsError("; ".join(problems)) from None  # the cause quotes the value, which may be a key


def _in_file() -> dict[str, Any]:
    try:
        return TomlConfigSettingsSource(_Readable)()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{SETTINGS_FILE}: {error}") from error


def _conventional() -> dict[str, Any]:
    return {name: value for name in CONVENTIONAL if (value := EnvSettingsSource(_Readable, env_prefix="")().get(name))}


@asynccontextmanager
async def enrichment_graph() -> "AsyncIterator[EnrichmentGraph]":
    """Yield the graph for LangGraph's server and Studio, which find it through langgraph.json."""
    from commands.workshop import open_workshop  # noqa: PLC0415 - the graph takes a second to import
    from graphs.server import build_served_graph  # noqa: PLC0415

    async with open_workshop(read_settings()[0], off_loop=True) as workshop:
        yield build_served_graph(workshop.context)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reaseq {VERSION}")
        raise typer.Exit


@app.callback()
def begin(
    context: typer.Context,
    # Eager: click otherwise asks for a command before it comes to the options.
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Read the settings before any command runs."""
    context.obj = read_settings()


def main() -> None:
    """Run the command line; exit code 0, 1 for a failure, 2 for wrong usage, 130 when interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character of a product's title shows "?"
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # so that what cannot be written is told here
    except SettingsError as error:
        sys.exit(fail(f"settings: {error}", code=2))
    except ReaseqError as error:
        sys.exit(fail(str(error)))
    except (KeyboardInterrupt, SystemExit) as end:
        sys.exit(_code_of(end))
    except BrokenPipeError:
        # The reader of our output has gone (`reaseq show X | head`): end quietly.
        _drop_output()
        sys.exit(1)
    except OSError as error:
        _drop_output()
        sys.exit(fail(str(error)))


def _code_of(end: KeyboardInterrupt | SystemExit) -> str | int | None:
    """Return the exit code; typer makes one of an interruption without a word, so that it is told here."""
    cause = end if isinstance(end, KeyboardInterrupt) else getattr(end.__context__, "__cause__", None)
    if isinstance(cause, KeyboardInterrupt):
        return fail("interrupted; what was finished is stored", code=130)
    assert isinstance(end, SystemExit)  # noqa: S101 - the other one is handled above
    return end.code


def _drop_output() -> None:
    """Let what is still to be written go nowhere, lest it fail once more when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
