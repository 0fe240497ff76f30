"""`reaseq ranker`: what a person wants next, by behaviours and knowledge: trained, judged, asked, taken apart."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from commands.catalog_items import typed_id
from commands.cluster_maps import CLUSTER, cluster_of
from commands.enrich import ColumnMap
from commands.model_material import FOLDER, Data, ModelFolder, read_material
from commands.model_options import Config, Html, Seed, Seeds, settings_in, write_file
from commands.output import AsJson, KnowledgeBase, print_json, say
from commands.priorities import PrioritiesOut, write_priorities
from commands.ranker_plan import plan
from commands.ranker_tables import print_ablation, print_ranked, print_report
from commands.run_options import columns_of
from commands.setting_options import with_options
from commands.settings import settings_of
from commands.vector_options import AsOf, milliseconds
from memory.extras import extras

if TYPE_CHECKING:
    from evaluators.ranking.report import RankingReport
    from ranker.config import RankerConfig

Task = Annotated[Literal["next-item", "click-through"], typer.Option("--task", help="What is foretold.")]
Repeats = Annotated[bool, typer.Option("--repeats", help="What a user has already may be next.")]
Refit = Annotated[bool, typer.Option("--refit", help="Count anew up to the last behaviour before what is asked.")]
Imagined = Annotated[
    bool, typer.Option("--imagined", help="By click: ours with and without imagined behaviours, and with a placebo.")
]

app = typer.Typer(help="Rank items by behaviours and knowledge.", no_args_is_help=True)
app.command()(plan)


@app.command()
@with_options(CLUSTER)
def train(
    context: typer.Context,
    data: Data = None,
    map_columns: ColumnMap = None,
    config: Config = None,
    seed: Seed = None,
    hold_out: Annotated[
        int | None, typer.Option("--hold-out", help="Each user's last behaviours that are not learned from.", min=0)
    ] = None,
    repeats: Repeats = False,
    as_of: AsOf = None,
    out: Annotated[Path, typer.Option("--out", help="The folder to write.", metavar="DIR")] = FOLDER,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
    **cluster_options: Any,
) -> None:
    """Train on stored behaviours and knowledge; the same command again goes on where it was interrupted."""
    with extras():
        from commands.ranker_training import train_both  # noqa: PLC0415 - torch is an extra

    settings = settings_of(context, kb=kb)
    chosen = read_config(config).of(seed=seed, held_out=hold_out, repeats=repeats or None)
    moment, again = milliseconds(as_of), chosen.next_item.repeats
    material = read_material(settings, data, columns_of(map_columns), moment, repeats=again)
    metrics = train_both(material, chosen, out, cluster_of(**cluster_options))
    if as_json:
        print_json({"folder": str(out), "metrics": metrics})
    else:
        say(f"{out}: " + ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


@app.command()
def evaluate(
    context: typer.Context,
    task: Task = "next-item",
    data: Data = None,
    map_columns: ColumnMap = None,
    config: Config = None,
    seeds: Seeds = 1,
    refit: Refit = False,
    repeats: Repeats = False,
    imagined: Imagined = False,
    as_of: AsOf = None,
    html: Html = None,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Train ours and the reference models without each user's last two behaviours, and foretell the last one."""
    with extras():
        from commands.ranker_evaluation import evaluated  # noqa: PLC0415 - torch is an extra

    chosen = read_config(config).of(repeats=repeats or None, refit=refit or None)
    settings, moment = settings_of(context, kb=kb), milliseconds(as_of)
    material = read_material(settings, data, columns_of(map_columns), moment, repeats=chosen.next_item.repeats)
    if imagined:
        from commands.imagined_effect import judged_imagined  # noqa: PLC0415 - torch is an extra

        _tell(judged_imagined(material, chosen, range(seeds)), html, as_json)
    else:
        _tell(evaluated(task, material, chosen, range(seeds)), html, as_json)


@app.command()
def ablate(
    context: typer.Context,
    task: Task = "next-item",
    data: Data = None,
    map_columns: ColumnMap = None,
    config: Config = None,
    seeds: Seeds = 1,
    attributes: Annotated[int, typer.Option("--attributes", help="Of how many attributes.", min=0)] = 8,
    refit: Refit = False,
    repeats: Repeats = False,
    as_of: AsOf = None,
    html: Html = None,
    priorities: PrioritiesOut = None,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Train with the log alone, + titles, + knowledge, and without each attribute: which of them move the ranking."""
    with extras():
        from commands.ranker_evaluation import ablated  # noqa: PLC0415 - torch is an extra

    chosen = read_config(config).of(repeats=repeats or None, refit=refit or None)
    settings, moment = settings_of(context, kb=kb), milliseconds(as_of)
    material = read_material(settings, data, columns_of(map_columns), moment, repeats=chosen.next_item.repeats)
    report = ablated(task, material, chosen, range(seeds), attributes)
    if priorities is not None:
        write_priorities(priorities, report, material.known)
    _tell(report, html, as_json)
    if not as_json:
        print_ablation(report)


@app.command()
def rank(
    context: typer.Context,
    user: Annotated[str, typer.Option("--user", help="Whose behaviours count.", metavar="U")],
    candidates: Annotated[
        str | None, typer.Option("--candidates", help="Items to rank, by click, separated by commas.", metavar="IDS")
    ] = None,
    top: Annotated[int, typer.Option("--top", help="Without candidates: so many of the whole catalog.", min=1)] = 10,
    data: Data = None,
    map_columns: ColumnMap = None,
    as_of: AsOf = None,
    ranker: ModelFolder = FOLDER,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Rank items for a user, and say which behaviours and which knowledge weighed most."""
    with extras():
        from commands.ranker_training import allows_repeats, ranked  # noqa: PLC0415 - torch is an extra

    wanted = None if candidates is None else [typed_id(one) for one in candidates.split(",") if one.strip()]
    if wanted == []:
        raise typer.BadParameter("names no item", param_hint="--candidates")
    again, moment = allows_repeats(ranker), milliseconds(as_of)
    material = read_material(settings_of(context, kb=kb), data, columns_of(map_columns), moment, repeats=again)
    found = ranked(material, ranker, typed_id(user), wanted, top)
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
    else:
        print_ranked(found)


@app.command()
def export(
    context: typer.Context,
    onnx: Annotated[Path, typer.Option("--onnx", help="The file to write, for onnxruntime.", metavar="FILE")],
    data: Data = None,
    map_columns: ColumnMap = None,
    as_of: AsOf = None,
    ranker: ModelFolder = FOLDER,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Write the ranker of candidates as two files that are served without torch: a network, and what was counted."""
    with extras():
        from commands.ranker_training import allows_repeats  # noqa: PLC0415 - torch is an extra
        from ranker.click_fitting import load_click_through  # noqa: PLC0415
        from ranker.onnx_export import export_onnx  # noqa: PLC0415 - so is onnx

    again, moment = allows_repeats(ranker), milliseconds(as_of)
    material = read_material(settings_of(context, kb=kb), data, columns_of(map_columns), moment, repeats=again)
    items = material.behaviors.items
    network, counts = export_onnx(load_click_through(ranker, material), items, onnx)
    if as_json:
        print_json({"network": str(network), "counts": str(counts), "items": len(items)})
    else:
        say(f"wrote {network} and {counts}: {len(items)} items")


def read_config(path: Path | None) -> "RankerConfig":
    """Return a ranker's settings; raises `ConfigUnreadable`."""
    with extras():
        from learning.devices import use_threads  # noqa: PLC0415 - torch is an extra
        from ranker.config import RankerConfig  # noqa: PLC0415

    config = settings_in(path, RankerConfig, "a ranker")
    use_threads(config.threads)
    return config


def _tell(report: "RankingReport", html: Path | None, as_json: bool) -> None:
    if html is not None:
        from evaluators.ranking.report_page import ranking_report_page  # noqa: PLC0415 - jinja takes a moment

        write_file(html, ranking_report_page(report))
    if as_json:
        print_json(report)
    else:
        print_report(report)
