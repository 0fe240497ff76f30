"""`reaseq benchmark beyond-log`: how well is told what people want that the log does not show; for any model."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.beyond_log_tables import print_beyond_log
from commands.enrich import ColumnMap
from commands.model_material import Data
from commands.model_options import Config, Html, write_file
from commands.output import AsJson, KnowledgeBase, print_json, say
from commands.run_options import columns_of
from commands.settings import Settings, settings_of
from memory.extras import extras

if TYPE_CHECKING:
    from commands.beyond_log_run import Plan
    from commands.beyond_log_scene import Scene, Sources
    from diffusion.config import DiffusionConfig
    from evaluators.beyond_log.report import BeyondLogReport

Seeds = Annotated[int, typer.Option("--seeds", help="How many times is hidden and trained.", min=1, max=20)]
Share = Annotated[float, typer.Option("--share", help="Share of a user's leaf categories to hide.", min=0.01, max=0.99)]
Cuts = Annotated[list[int] | None, typer.Option("--k", help="Length of the lists; the first one counts.", min=1)]
CategoryFile = Annotated[
    Path | None,
    typer.Option("--categories", help="Leaf categories: item,category[,title]; no --kb, no knowledge.", metavar="FILE"),
]
TruthFile = Annotated[Path | None, typer.Option("--truth", help="The truth of simulated shoppers.", metavar="FILE")]
DemandFile = Annotated[
    Path | None, typer.Option("--demands", help="What people said they wanted: user,item,demand.", metavar="FILE")
]
Near = Annotated[float | None, typer.Option("--near", help="Cosine from which two items are near.", min=-1.0, max=1.0)]
Generated = Annotated[
    list[str] | None,
    typer.Option("--generated", help="Suggestions of a model of yours: user,item,score.", metavar="NAME=FILE"),
]
Export = Annotated[Path | None, typer.Option("--export", help="Only write what a participant is given.", metavar="DIR")]
ControlsOnly = Annotated[bool, typer.Option("--controls-only", help="Train no model.")]
Ranker = Annotated[bool, typer.Option("--ranker", help="Also train a ranker with imagined behaviours and without.")]

app = typer.Typer(help="Benchmarks that others can run their models in.", no_args_is_help=True)


@app.callback()
def _benchmarks() -> None:
    """Keep a group of a single command a group."""


@app.command(name="beyond-log")
def beyond_log(
    context: typer.Context,
    data: Data = None,
    map_columns: ColumnMap = None,
    categories: CategoryFile = None,
    truth: TruthFile = None,
    demands: DemandFile = None,
    generated: Generated = None,
    seeds: Seeds = 1,
    share: Share = 0.25,
    k: Cuts = None,
    near: Near = None,
    controls_only: ControlsOnly = False,
    ranker: Ranker = False,
    config: Config = None,
    export: Export = None,
    html: Html = None,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Hide leaf categories of each user, and see who finds them again: controls, models, and files of suggestions."""
    from_files = {"log": data, "categories": categories, "truth": truth, "demands": demands}
    sources = _sources(from_files, columns_of(map_columns), kb is not None or categories is None, near)
    scene = _scene(settings_of(context, kb=kb), sources)
    plan = replace(_plan(seeds, share, k, generated, (not controls_only, ranker)), config=_read(config))
    if export is not None:
        _export(scene, plan, export, as_json)
    else:
        _tell(scene, plan, html, as_json)


def write_page(report: "BeyondLogReport", path: Path) -> None:
    """Write the page of a report."""
    from evaluators.beyond_log.report_page import beyond_log_page  # noqa: PLC0415 - jinja takes a moment

    write_file(path, beyond_log_page(report))


def _sources(
    files: dict[str, Path | None], columns: dict[str, str] | None, knowledge: bool, near: float | None
) -> "Sources":
    with extras():
        from commands.beyond_log_scene import Sources  # noqa: PLC0415 - numpy takes a moment to import

    return Sources(**files, columns=columns, knowledge=knowledge, near=near)


def _scene(settings: Settings, sources: "Sources") -> "Scene":
    from commands.beyond_log_scene import read_scene  # noqa: PLC0415

    with extras():
        return read_scene(settings, sources)


def _plan(
    seeds: int, share: float, cuts: list[int] | None, generated: list[str] | None, trained: tuple[bool, bool]
) -> "Plan":
    from commands.beyond_log_run import Plan  # noqa: PLC0415

    lengths = tuple(dict.fromkeys(cuts or Plan.cuts))
    return Plan(tuple(range(seeds)), share, lengths, tuple(generated or ()), *trained)


def _read(config: Path | None) -> "DiffusionConfig | None":
    if config is None:
        return None
    from commands.diffusion import read_config  # noqa: PLC0415 - torch is an extra

    return read_config(config)


def _export(scene: "Scene", plan: "Plan", folder: Path, as_json: bool) -> None:
    from commands.beyond_log_files import export  # noqa: PLC0415
    from commands.beyond_log_run import seed_folder  # noqa: PLC0415

    folders = {seed: seed_folder(folder, seed, plan.seeds) for seed in plan.seeds}
    told = {str(own): export(scene, own, plan.share, seed) for seed, own in folders.items()}
    for own, protocol in told.items():
        say(f"wrote {own}: {protocol.behaviors} visible behaviours; {protocol.scored_users} users are to be scored")
    if as_json:
        print_json({own: protocol.model_dump(mode="json") for own, protocol in told.items()})


def _tell(scene: "Scene", plan: "Plan", html: Path | None, as_json: bool) -> None:
    from commands.beyond_log_run import benchmarked  # noqa: PLC0415

    report = benchmarked(scene, plan)
    if html is not None:
        write_page(report, html)
    if as_json:
        print_json(report)
    else:
        print_beyond_log(report)
