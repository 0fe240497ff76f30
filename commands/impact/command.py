"""`reaseq impact`: what a change of prompts, model or agents does, from golden items to the ranking; ship it or not."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.enrich import ColumnMap, Money, RetryFailed, Tokens, options_from
from commands.evaluate import Catalog, Seed, Split
from commands.model_options import Html
from commands.output import AsJson, KnowledgeBase, print_json, run_async, say
from commands.run_options import columns_of
from commands.setting_options import AIDS, REASONING, TELEMETRY, with_options
from commands.settings import Settings, settings_of
from memory.extras import extras

if TYPE_CHECKING:
    from commands.impact.options import ImpactOptions
    from evaluators.impact.report import ImpactReport

Against = Annotated[
    int | None, typer.Option("--against", help="The version to compare with; else the current one.", metavar="VERSION")
]
Data = Annotated[
    Path | None, typer.Option("--data", help="The log to rank by, instead of the stored behaviours.", metavar="FILE")
]
Gold = Annotated[Path | None, typer.Option("--gold", help="Golden items of the catalog (JSON Lines).", metavar="FILE")]
Sample = Annotated[int | None, typer.Option("--sample", help="Only N items, drawn by their behaviours.", min=1)]
Seeds = Annotated[
    int, typer.Option("--seeds", help="How many times each model is trained on each side.", min=1, max=20)
]
Tolerance = Annotated[
    float, typer.Option("--tolerance", help="What does not matter: 0.005 is half a point.", min=0, max=1)
]
Without = Annotated[
    list[str] | None,
    typer.Option("--without", help="The change is to switch this agent off; may be repeated.", metavar="AGENT"),
]
Agents = Annotated[
    str | None,
    typer.Option("--agents", help="What each is worth: all, or names with commas; runs without each.", metavar="NAMES"),
]
RankerConfig = Annotated[Path | None, typer.Option("--ranker-config", help="As of `reaseq ranker`.", metavar="FILE")]
DiffusionConfig = Annotated[
    Path | None, typer.Option("--diffusion-config", help="As of `reaseq diffusion`.", metavar="FILE")
]
Ranking = Annotated[bool, typer.Option("--ranking/--no-ranking", help="Train the ranker on both sides.")]
Diffusion = Annotated[bool, typer.Option("--diffusion/--no-diffusion", help="Train the diffusion model on both sides.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what is stale and would be paid; ask and store nothing.")]
Gate = Annotated[bool, typer.Option("--gate", help="Exit code 1 where something is worse for sure.")]
Out = Annotated[Path | None, typer.Option("--out", help="Also write the report as JSON.", metavar="FILE")]
Number = Annotated[int | None, typer.Argument(help="A report of `reaseq impact list`; else the newest.", metavar="N")]

RUNNING: dict[str, Any] = {
    "ranker_config": RankerConfig,
    "diffusion_config": DiffusionConfig,
    "retry_failed": RetryFailed,
    "budget": Money,
    "max_tokens": Tokens,
}

app = typer.Typer(
    help="What a change of prompts, model or agents does, from golden items to the ranking: ship it or not."
)


@app.callback(invoke_without_command=True)
@with_options(REASONING | AIDS | TELEMETRY | RUNNING)
def impact(
    context: typer.Context,
    against: Against = None,
    data: Data = None,
    map_columns: ColumnMap = None,
    gold: Gold = None,
    catalog: Catalog = None,
    split: Split = None,
    sample: Sample = None,
    seed: Seed = 0,
    seeds: Seeds = 1,
    tolerance: Tolerance = 0.005,
    without: Without = None,
    agents: Agents = None,
    ranking: Ranking = True,
    diffusion: Diffusion = True,
    dry_run: DryRun = False,
    html: Html = None,
    out: Out = None,
    gate: Gate = False,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
    **settings: Any,
) -> None:
    """Say what a change does before it is shipped: only what it makes stale is made anew, in a version nobody reads."""
    if context.invoked_subcommand is not None:
        return
    given = locals()
    _impact(**given.pop("settings"), **given)


@app.command(name="list")
def list_reports(context: typer.Context, kb: KnowledgeBase = None, as_json: AsJson = False) -> None:
    """List the reports that were made."""
    from commands.impact.tables import print_kept  # noqa: PLC0415 - SQL takes a moment to import
    from memory.database import open_existing_database  # noqa: PLC0415
    from memory.impact_reports import kept_reports  # noqa: PLC0415
    from memory.versions import current_version  # noqa: PLC0415

    with open_existing_database(settings_of(context, kb=kb).kb) as database, database.session() as session:
        found, current = kept_reports(session), current_version(session)
    if as_json:
        print_json([one.model_dump(mode="json", exclude={"content"}) for one in found])
    else:
        print_kept(found, current)


@app.command()
def show(
    context: typer.Context,
    number: Number = None,
    html: Html = None,
    out: Out = None,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Show a report again, or write it as a page or as JSON."""
    from commands.impact.telling import read_report, tell  # noqa: PLC0415 - SQL takes a moment to import
    from memory.database import open_existing_database  # noqa: PLC0415
    from memory.impact_reports import kept_report  # noqa: PLC0415

    with open_existing_database(settings_of(context, kb=kb).kb) as database, database.session() as session:
        kept = kept_report(session, number)
    tell(read_report(kept.content), kept.id, html=html, out=out, as_json=as_json)


@app.command()
def ship(
    context: typer.Context,
    number: Number = None,
    force: Annotated[bool, typer.Option("--force", help="Whatever the verdict says.")] = False,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Read the changed version from now on, as a whole; refused where the verdict is not to."""
    from commands.impact.shipping import shipped  # noqa: PLC0415 - SQL takes a moment to import

    shipped(settings_of(context, kb=kb), number, force=force, as_json=as_json)


@app.command()
def rollback(context: typer.Context, number: Number = None, kb: KnowledgeBase = None, as_json: AsJson = False) -> None:
    """Read the version before the change again, as a whole."""
    from commands.impact.shipping import taken_back  # noqa: PLC0415 - SQL takes a moment to import

    taken_back(settings_of(context, kb=kb), number, as_json=as_json)


def _impact(context: typer.Context, *, kb: str | None, without: list[str] | None, **given: Any) -> None:
    settings = settings_of(context, kb=kb, **{name: given[name] for name in Settings.model_fields if name in given})
    if without:
        settings = settings.overridden(without=tuple(sorted({*settings.without, *_known_agents(without)})))
    options, as_json = _options(given), given["as_json"]
    with extras():
        from commands.impact.investigation import investigated, planned  # noqa: PLC0415 - torch is an extra
    from commands.impact.telling import keep, tell  # noqa: PLC0415

    if given["agents"] is not None:
        _agents(settings, options, given)
        return
    plan = planned(settings, options)
    if given["dry_run"]:
        from commands.forecasts import print_to_do  # noqa: PLC0415

        print_to_do(plan.todo, as_json)
        return
    if not plan.sides.differ:
        _say_nothing_differs(plan.sides.before.id, as_json)
        return
    report = run_async(investigated(plan, options))
    number = keep(settings, report)
    tell(report, number, html=given["html"], out=given["out"], as_json=as_json)
    _conclude(report, number, gate=given["gate"])


def _options(given: dict[str, Any]) -> "ImpactOptions":
    from commands.evaluation_gold import GoldChoice  # noqa: PLC0415 - the graph takes a second to import
    from commands.impact.options import ImpactOptions  # noqa: PLC0415

    gold, chosen = given["gold"], {name: given[name] for name in ("catalog", "split", "seed")}
    kept = {name: given[name] for name in ImpactOptions.model_fields if name in given}
    return ImpactOptions(
        **kept
        | {
            "map_columns": columns_of(given["map_columns"]),
            "gold": None if gold is None else GoldChoice(file=gold, **chosen),
            "run": options_from({name: given[name] for name in ("retry_failed", "budget", "max_tokens")}),
        }
    )


def _known_agents(named: list[str]) -> list[str]:
    from commands.evaluations import REVISIONS, agents_of  # noqa: PLC0415 - the graph takes a second to import

    found = list(agents_of(",".join(named)))
    if REVISIONS in found:
        raise typer.BadParameter("revisions are switched off with --max-revisions 0", param_hint="--without")
    return found


def _agents(settings: Settings, options: "ImpactOptions", given: dict[str, Any]) -> None:
    from commands.evaluations import agents_of  # noqa: PLC0415 - the graph takes a second to import
    from commands.impact.agents import agents_judged  # noqa: PLC0415 - torch is an extra
    from commands.impact.telling import keep, tell  # noqa: PLC0415

    report = run_async(agents_judged(settings, options, agents_of(given["agents"])))
    number = keep(settings, report)
    tell(report, number, html=given["html"], out=given["out"], as_json=given["as_json"])


def _say_nothing_differs(version: int, as_json: bool) -> None:
    if as_json:
        print_json({"kind": "reaseq impact", "before": version, "differs": False})
    else:
        say(f"nothing that results depend on differs from version {version}: there is nothing to compare")


def _conclude(report: "ImpactReport", number: int, *, gate: bool) -> None:
    from commands.output import invoked  # noqa: PLC0415

    if report.verdict.decision.value == "do not ship":
        say(f"report {number}; all the same: {invoked()} impact ship {number} --force")
    else:
        say(f"report {number}; read it from now on: {invoked()} impact ship {number}")
    say(f"and back: {invoked()} impact rollback {number}")
    if gate and not report.verdict.passed:
        say("gate: FAILED")
        raise typer.Exit(1)
