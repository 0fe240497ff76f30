"""`reaseq evaluate`: how right a model with its prompts is on golden items, and whether a change made it better."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.enrich import Money, RetryFailed, Tokens, options_from
from commands.output import AsJson, print_json, run_async, say
from commands.setting_options import AIDS, REASONING, TELEMETRY, with_options
from commands.settings import Settings, settings_of

if TYPE_CHECKING:
    from commands.evaluations import EvaluationOptions
    from evaluators.evaluation import Evaluation

EVALUATION_KB = "sqlite:///evaluation.db"

Gold = Annotated[Path, typer.Argument(help="Golden items: JSON Lines, also .gz.", metavar="GOLD")]
Kb = Annotated[str, typer.Option("--kb", help="Where golden items and answers are kept.", metavar="URL")]
Catalog = Annotated[
    Path | None, typer.Option("--catalog", help="Has the texts of golden items that are an id alone.", metavar="FILE")
]
Split = Annotated[str | None, typer.Option("--split", help="Only this split of the gold.", metavar="NAME")]
Sample = Annotated[int | None, typer.Option("--sample", help="Only so many items, drawn by --seed.", min=1)]
Seed = Annotated[int, typer.Option("--seed", help="Of the sample and of the intervals.")]
Exact = Annotated[bool, typer.Option("--exact", help="Compare values letter by letter, not in their normal form.")]
Complete = Annotated[bool, typer.Option("--complete", help="Gold is complete: a value that it does not name is wrong.")]
Target = Annotated[
    float, typer.Option("--target-precision", help="Which confidence keeps this precision?", min=0, max=1)
]
Agents = Annotated[
    str | None,
    typer.Option("--agents", help="What each is worth: all, or names with commas; runs without each.", metavar="NAMES"),
]
Compare = Annotated[
    tuple[str, str] | None,
    typer.Option("--compare", help="Two versions (numbers), models or folders of prompts.", metavar="A B"),
]
Gate = Annotated[
    Path | None,
    typer.Option("--gate", help="An earlier --out; exit code 1 where it is worse for sure.", metavar="FILE"),
]
Tolerance = Annotated[
    float, typer.Option("--tolerance", help="A loss that the gate allows, such as 0.01.", min=0, max=1)
]
FromKb = Annotated[bool, typer.Option("--from-kb", help="Run nothing: score what --kb knows of the golden items.")]
Html = Annotated[Path | None, typer.Option("--html", help="Also write a report with plots.", metavar="FILE")]
Out = Annotated[Path | None, typer.Option("--out", help="Also write all of it as JSON, for --gate.", metavar="FILE")]


@with_options(REASONING | AIDS | TELEMETRY)
def evaluate(
    context: typer.Context,
    gold: Gold,
    catalog: Catalog = None,
    kb: Kb = EVALUATION_KB,
    split: Split = None,
    sample: Sample = None,
    seed: Seed = 0,
    exact: Exact = False,
    complete: Complete = False,
    target_precision: Target = 0.95,
    agents: Agents = None,
    compare: Compare = None,
    gate: Gate = None,
    tolerance: Tolerance = 0.0,
    from_kb: FromKb = False,
    retry_failed: RetryFailed = False,
    budget: Money = None,
    max_tokens: Tokens = None,
    html: Html = None,
    out: Out = None,
    as_json: AsJson = False,
    **settings: Any,
) -> None:
    """Measure quality on golden items; the same command again goes on, and answers that are there cost nothing."""
    given = locals()
    _evaluate(**given.pop("settings"), **given)


def _evaluate(
    context: typer.Context, *, kb: str, html: Path | None, out: Path | None, as_json: bool, **given: Any
) -> None:
    from commands.evaluations import evaluated  # noqa: PLC0415 - the graph takes a second to import
    from commands.kept_scores import keep_scores  # noqa: PLC0415 - as above

    options = _options(given)
    _refuse_the_catalogs_own(context, kb, options)
    settings = settings_of(context, kb=kb, **{name: given[name] for name in Settings.model_fields if name in given})
    found = run_async(evaluated(settings, options, options_from(given)))
    keep_scores(settings, found)
    if out:
        _write(out, found.model_dump_json(indent=2) + "\n")
    if html:
        from evaluators.report_page import report_page  # noqa: PLC0415 - jinja2 is for this alone

        _write(html, report_page(found))
    _conclude(found, as_json)


def _options(given: dict[str, Any]) -> "EvaluationOptions":
    from commands.evaluation_gold import GoldChoice  # noqa: PLC0415 - as above
    from commands.evaluations import EvaluationOptions, agents_of  # noqa: PLC0415 - as above

    chosen = {name: given[name] for name in ("catalog", "split", "sample", "seed")}
    kept = {name: given[name] for name in EvaluationOptions.model_fields if name in given}
    options = EvaluationOptions(
        **kept
        | {
            "gold": GoldChoice(file=given["gold"], **chosen),
            "match": "exact" if given["exact"] else "normal",
            "agents": agents_of(given["agents"]),
        }
    )
    if sum(map(bool, (options.compare, options.gate, options.agents))) > 1:
        raise typer.BadParameter("one of --compare, --gate and --agents at a time")
    if options.from_kb and (options.agents or options.compare):
        raise typer.BadParameter("--from-kb runs nothing: it goes with neither --agents nor --compare")
    return options


def _refuse_the_catalogs_own(context: typer.Context, kb: str, options: "EvaluationOptions") -> None:
    """Golden items are no goods: they would be exported with the catalog, and their version be the current one."""
    reads_only = options.from_kb or (options.compare and all(name.isdecimal() for name in options.compare))
    if kb == settings_of(context).kb and not reads_only:
        raise typer.BadParameter(
            "--kb is the knowledge base of your catalog: --from-kb scores what it knows, or name another"
        )


def _write(path: Path, text: str) -> None:
    from memory.atomic_file import written_whole  # noqa: PLC0415 - as above

    with written_whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", errors="replace")
    say(f"written: {path}")


def _conclude(found: "Evaluation", as_json: bool) -> None:
    from commands.evaluation_tables import print_evaluation  # noqa: PLC0415 - as above

    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        print_evaluation(found)
    if found.gate and not found.gate.passed:
        if as_json:
            say("gate: FAILED: " + "; ".join(found.gate.reasons))
        raise typer.Exit(1)
