"""Options that are settings of their name: a command takes the ones it lists."""

from collections.abc import Callable
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any

import typer

# The headings of the help under which they stand.
MODEL_PANEL = "Model and prompts"
AIDS_PANEL = "Aids of the extractor"
TELEMETRY_PANEL = "Spans for a collector"

Model = Annotated[
    str | None,
    typer.Option("--model", help="PROVIDER:MODEL; see `reaseq models`.", metavar="SPEC", rich_help_panel=MODEL_PANEL),
]
Prompts = Annotated[
    Path | None,
    typer.Option("--prompts", help="A folder of prompts to use instead.", metavar="DIR", rich_help_panel=MODEL_PANEL),
]
TaxonomyFile = Annotated[
    Path | None,
    typer.Option("--taxonomy", help="A taxonomy to use instead.", metavar="FILE", rich_help_panel=MODEL_PANEL),
]
Revisions = Annotated[
    int | None,
    typer.Option(
        "--max-revisions", help="How often failed claims go back.", min=0, max=10, rich_help_panel=MODEL_PANEL
    ),
]
Prices = Annotated[
    Path | None,
    typer.Option("--prices", help="Prices of your own (TOML).", metavar="FILE", rich_help_panel=MODEL_PANEL),
]
Approved = Annotated[
    Path | None,
    typer.Option(
        "--approved",
        help="Golden items to learn from, by look-up and demonstrations.",
        metavar="FILE",
        rich_help_panel=AIDS_PANEL,
    ),
]
ApprovedCatalog = Annotated[
    Path | None,
    typer.Option(
        "--approved-catalog",
        help="Has the texts of those that are an id alone.",
        metavar="FILE",
        rich_help_panel=AIDS_PANEL,
    ),
]
DemonstrationNumber = Annotated[
    int | None,
    typer.Option(
        "--demonstrations", help="How many of them a prompt shows.", min=0, max=50, rich_help_panel=AIDS_PANEL
    ),
]
Extractor = Annotated[
    Path | None,
    typer.Option(
        "--extractor", help="A student of `reaseq train-extractor`.", metavar="FILE", rich_help_panel=AIDS_PANEL
    ),
]
Calibration = Annotated[
    Path | None,
    typer.Option("--calibration", help="A file of `reaseq calibrate`.", metavar="FILE", rich_help_panel=AIDS_PANEL),
]
Abstain = Annotated[
    bool | None,
    typer.Option(
        "--abstain/--no-abstain",
        help="Leave claims below the calibration's threshold to a person; as a rule with --calibration.",
        rich_help_panel=AIDS_PANEL,
    ),
]
Cascade = Annotated[
    bool | None,
    typer.Option(
        "--cascade/--no-cascade",
        help="Ask the model only what rules, look-up and student are unsure of.",
        rich_help_panel=AIDS_PANEL,
    ),
]
Escalate = Annotated[
    str | None,
    typer.Option(
        "--escalate",
        help="A stronger model, asked where the others disagree.",
        metavar="SPEC",
        rich_help_panel=AIDS_PANEL,
    ),
]
OtelEndpoint = Annotated[
    str | None,
    typer.Option(
        "--otel",
        help="Send spans to this collector, by OTLP over HTTP.",
        metavar="ENDPOINT",
        rich_help_panel=TELEMETRY_PANEL,
    ),
]
OtelContent = Annotated[
    bool | None,
    typer.Option(
        "--otel-content/--no-otel-content",
        help="Also the text of prompts and answers.",
        rich_help_panel=TELEMETRY_PANEL,
    ),
]
OtelSample = Annotated[
    float | None,
    typer.Option(
        "--otel-sample", help="The share of items whose spans are sent.", min=0, max=1, rich_help_panel=TELEMETRY_PANEL
    ),
]

REASONING: dict[str, Any] = {
    "model": Model,
    "prompts": Prompts,
    "taxonomy": TaxonomyFile,
    "max_revisions": Revisions,
    "prices": Prices,
}
AIDS: dict[str, Any] = {
    "approved": Approved,
    "approved_catalog": ApprovedCatalog,
    "demonstrations": DemonstrationNumber,
    "extractor": Extractor,
    "calibration": Calibration,
    "abstain": Abstain,
    "cascade": Cascade,
    "escalate": Escalate,
}
TELEMETRY: dict[str, Any] = {"otel": OtelEndpoint, "otel_content": OtelContent, "otel_sample": OtelSample}


def with_options(options: dict[str, Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what gives a command these options; it takes them as keyword arguments (`**settings`), None by default."""

    def given(command: Callable[..., None]) -> Callable[..., None]:
        own = signature(command)
        kept = [parameter for parameter in own.parameters.values() if parameter.kind is not Parameter.VAR_KEYWORD]
        added = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind) for name, kind in options.items()
        ]
        command.__signature__ = own.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]  # typer reads it
        command.__annotations__.update(options)
        return command

    return given
