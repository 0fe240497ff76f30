"""`reaseq enrich` and `reaseq demo`: a catalog through the graph, and what came of it."""

import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from commands.catalog_items import SAMPLE_CATALOG
from commands.knowledge import print_items
from commands.output import INTERRUPTED, TERMINATED, AsJson, KnowledgeBase, fail, invoked, print_json, run_async, say
from commands.priorities import Priorities, gains_in
from commands.run_options import ClusterOptions, RunOptions, with_items_at_once
from commands.setting_options import AIDS, REASONING, TELEMETRY, Model, with_options
from commands.settings import Settings, settings_of
from memory.item_list import read_item_list
from memory.shown_url import shown_url

if TYPE_CHECKING:
    from commands.run_report import RunReport

DEMO_KB = "sqlite:///demo.db"
SHOWN_REFUSALS = 12
AGAIN, COST, CLUSTER = "What is done again", "What it may cost", "On a cluster"  # headings of the help

Limit = Annotated[int | None, typer.Option("--limit", help="Only the first N rows.", min=1)]
ColumnMap = Annotated[
    list[str] | None,
    typer.Option("--map", help="Which column is what: title=Name; may be repeated.", metavar="FIELD=COLUMN"),
]
Concurrency = Annotated[int | None, typer.Option("--concurrency", help="Items at once.", min=1, max=50_000)]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Do everything anew, also what is done and paid already.", rich_help_panel=AGAIN)
]
Money = Annotated[
    float | None,
    typer.Option("--budget", help="Stop before more money than this is spent.", min=0, rich_help_panel=COST),
]
Tokens = Annotated[
    int | None,
    typer.Option("--max-tokens", help="Stop before more tokens than this are used.", min=1, rich_help_panel=COST),
]
Items = Annotated[
    Path | None, typer.Option("--items", help="Only these, in this order: a file of ids, one a line.", metavar="FILE")
]
StaleOnly = Annotated[
    bool, typer.Option("--stale-only", help="No catalog: what `reaseq stale` lists, anew.", rich_help_panel=AGAIN)
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what it would cost; ask and store nothing.", rich_help_panel=COST)
]
ProviderBatch = Annotated[
    bool,
    typer.Option(
        "--provider-batch", help="Through OpenAI's batch API: hours later, at half the price.", rich_help_panel=COST
    ),
]
Durability = Annotated[
    Literal["normal", "full"] | None,
    typer.Option("--durability", help="full: each answer also outlives a loss of power; slower."),
]
Client = Annotated[
    Literal["aiohttp", "langchain"] | None,
    typer.Option("--client", help="What speaks to OpenAI-compatible servers; langchain is langchain-openai."),
]
Engine = Annotated[
    Literal["here", "ray"],
    typer.Option("--engine", help="ray: workers on a Ray cluster do it; here: this process.", rich_help_panel=CLUSTER),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray-address",
        help="The cluster's HOST:PORT; else one of this machine alone.",
        metavar="ADDRESS",
        rich_help_panel=CLUSTER,
    ),
]
Workers = Annotated[
    int, typer.Option("--workers", help="Processes on the Ray cluster.", min=1, max=10_000, rich_help_panel=CLUSTER)
]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Also try again what failed before.", rich_help_panel=AGAIN)
]


@with_options(REASONING | AIDS | TELEMETRY)
def enrich(
    context: typer.Context,
    catalog: Annotated[
        str | None,
        typer.Argument(help="A .csv, .jsonl, .parquet or .xlsx file; with --engine ray a pattern or URL too."),
    ] = None,
    kb: KnowledgeBase = None,
    limit: Limit = None,
    concurrency: Concurrency = None,
    map_columns: ColumnMap = None,
    fresh: Fresh = False,
    retry_failed: RetryFailed = False,
    budget: Money = None,
    max_tokens: Tokens = None,
    durability: Durability = None,
    client: Client = None,
    stale_only: StaleOnly = False,
    priorities: Priorities = None,
    items: Items = None,
    provider_batch: ProviderBatch = False,
    dry_run: DryRun = False,
    engine: Engine = "here",
    ray_address: RayAddress = None,
    workers: Workers = 2,
    as_json: AsJson = False,
    **settings: Any,
) -> None:
    """Turn a catalog's rows into verified knowledge in the knowledge base; the same command again goes on."""
    given = locals()
    _enrich(**given.pop("settings"), **given)


def demo(
    context: typer.Context,
    kb: KnowledgeBase = DEMO_KB,
    model: Model = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Enrich the bundled sample catalog, measure it, rank with it for made-up shoppers, imagine what they want."""
    from commands.demo_page import PAGE  # noqa: PLC0415
    from commands.demo_steps import demo_steps  # noqa: PLC0415
    from commands.sample_scores import print_scores, score_sample  # noqa: PLC0415

    settings = settings_of(context, kb=kb, model=model)
    say(f"Enriching the bundled sample catalog with {settings.model} …")
    # Anew each time: a demo shows the work, not that it was done before.
    report = _run(settings, SAMPLE_CATALOG, RunOptions(limit=limit, fresh=True))
    scores = score_sample(settings)
    if as_json:
        print_json(report.as_json() | demo_steps(settings, report.as_json(), scores, quiet=True))
        return
    conclude(report, settings, as_json)
    print_scores(scores)
    demo_steps(settings, report.as_json(), scores, quiet=False)
    say(f"wrote {PAGE}: all of this on one page")
    _say_what_next(settings, report)


def _enrich(
    context: typer.Context,
    catalog: str | None,
    *,
    stale_only: bool,
    priorities: Path | None,
    items: Path | None,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Run or forecast; each option that was given goes to the setting or the run option of its name."""
    if (catalog is None) != stale_only:
        raise typer.BadParameter("give CATALOG, or --stale-only without one")
    _check_order(stale_only=stale_only, priorities=priorities, items=items)
    settings = settings_of(context, **{name: given[name] for name in Settings.model_fields if name in given})
    options = options_from(given)
    settings = with_items_at_once(settings, options, given["concurrency"])
    gains, only = gains_in(priorities), None if items is None else read_item_list(items)
    if dry_run:
        _forecast(settings, Path(catalog) if catalog else None, options, only, as_json)
    elif (cluster := _cluster(given, options)) is not None:
        conclude(_run_on_ray(settings, catalog, options, cluster), settings, as_json)
    else:
        conclude(_run(settings, Path(catalog) if catalog else None, options, gains, only), settings, as_json)


def _check_order(*, stale_only: bool, priorities: Path | None, items: Path | None) -> None:
    for option, file in (("--priorities", priorities), ("--items", items)):
        if file is not None and not stale_only:
            raise typer.BadParameter(f"a catalog is read row by row: {option} goes with --stale-only")
    if priorities is not None and items is not None:
        raise typer.BadParameter("--items says the order: it goes without --priorities")


def _cluster(given: Mapping[str, Any], options: RunOptions) -> ClusterOptions | None:
    """Return which cluster is to work, None for this process; wrong usage is told."""
    if given["engine"] == "here":
        if given["ray_address"] is not None:
            raise typer.BadParameter("--ray-address goes with --engine ray")
        return None
    if options.provider_batch:
        raise typer.BadParameter("a provider's batches need no cluster: --provider-batch goes without --engine ray")
    return ClusterOptions(address=given["ray_address"], workers=given["workers"])


def _run_on_ray(settings: Settings, catalog: str | None, options: RunOptions, cluster: ClusterOptions) -> "RunReport":
    from commands.ray_run import run_on_ray  # noqa: PLC0415 - Ray is of an extra, and takes a second to import

    if catalog is None:
        raise typer.BadParameter("--stale-only works in this process: it goes without --engine ray")
    return run_async(run_on_ray(settings, catalog, options, cluster))


def options_from(given: dict[str, Any]) -> RunOptions:
    """Return the run options among a command's options; money is exact from here on."""
    chosen = {name: value for name, value in given.items() if name in RunOptions.model_fields and value is not None}
    if "budget" in chosen:
        chosen["budget"] = Decimal(str(chosen["budget"]))
    return RunOptions.model_validate(chosen)


def _run(
    settings: Settings,
    catalog: Path | None,
    options: RunOptions,
    gains: Mapping[str, float] | None = None,
    only: Sequence[str] | None = None,
) -> "RunReport":
    """Enrich a catalog, or without one what is stale (of `only` these items), what lacks most of the gains first."""
    from commands.catalog_run import run_catalog, run_rows  # noqa: PLC0415 - the graph takes a second to import
    from commands.stored_rows import stale_rows  # noqa: PLC0415

    if catalog is None:
        return run_async(run_rows(settings, stale_rows(options.limit, gains, only), options))
    return run_async(run_catalog(settings, catalog, options))


def _forecast(
    settings: Settings, catalog: Path | None, options: RunOptions, only: Sequence[str] | None, as_json: bool
) -> None:
    from commands.forecasts import catalog_work, print_to_do, stale_work  # noqa: PLC0415 - as above

    work = catalog_work(settings, catalog, options) if catalog else stale_work(settings, options, only=only)
    print_to_do(work, as_json)


def conclude(report: "RunReport", settings: Settings, as_json: bool) -> None:
    """Print what came of a run, and end with the exit code that says how it ended."""
    if as_json:
        print_json(report.as_json() | {"kb": shown_url(settings.kb)})
    else:
        _print_report(report, settings)
    if report.problem:
        raise typer.Exit(fail(str(report.problem)))
    if report.stopped_by:
        say("stopped; the same command goes on where this run was")
        raise typer.Exit(INTERRUPTED if report.stopped_by == 2 else TERMINATED)
    if report.rows and not report.enriched and not report.skipped:
        raise typer.Exit(1)


def _print_report(report: "RunReport", settings: Settings) -> None:
    if report.run_id is None:
        say("nothing to do")
        return
    if report.shown:
        print_items(report.shown, more=report.enriched - len(report.shown))
    _say_what_failed(report)
    counts, spend = report.counts, report.spend
    done = f" + {counts.skipped} ended before" if counts.skipped else ""
    say(
        f"{report.rows} rows = {counts.enriched} enriched + {counts.rejected} rejected + {counts.failed} failed{done}; "
        f"claims: {report.claims['accept']} accepted, {report.claims['reject']} rejected{_left_to_people(report)}"
    )
    unpriced = f" and {spend.unpriced} calls of unknown price" if spend.unpriced else ""
    say(
        f"{spend.calls} calls, {report.tokens} tokens, {spend.cost:.4f} spent{unpriced}, "
        f"{spend.replayed} answers from the ledger; "
        f"{report.seconds:.1f} s, {report.cpu_seconds / max(1, report.enriched):.2f} CPU-s an item"
    )
    say(f"Knowledge base: {shown_url(settings.kb)}, run {report.run_id}")


def _left_to_people(report: "RunReport") -> str:
    abstained = report.claims["abstain"]
    return f", {abstained} left to a person (reaseq review)" if abstained else ""


def _say_what_failed(report: "RunReport") -> None:
    for row in report.rejected[:SHOWN_REFUSALS]:
        say(f"rejected: {row.file}, line {row.line}: {row.reason}")
    if len(report.rejected) > SHOWN_REFUSALS:
        say(f"… and {len(report.rejected) - SHOWN_REFUSALS} more rejected rows")
    for item_id, reason, detail in report.worst:
        say(f"failed: {item_id}: {reason}: {detail}")


def _say_what_next(settings: Settings, report: "RunReport") -> None:
    item_id = min((item.id for item, _ in report.shown), default="S001")
    sample, kb = os.path.relpath(SAMPLE_CATALOG), shown_url(settings.kb)
    say("\nNext:")
    for what, arguments in {
        "what is known of an item, with evidence": f"show {item_id} --kb {kb}",
        "every step of one item": f"trace {sample} --item {item_id}",
        "what shoppers may want next": f"ranker train --kb {kb}",
        "and one of them": f"ranker rank --user u00001 --kb {kb}",
        "all of it as one file": f"export --format jsonl --out knowledge.jsonl --kb {kb}",
        "your own products": "enrich YOUR_CATALOG.csv",
        "how to use a stronger model": "models",
    }.items():
        say(f"  {invoked()} {arguments}    # {what}")
