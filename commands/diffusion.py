"""`reaseq diffusion`: what a person plausibly does that the log does not have: trained, judged, imagined, explained."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.catalog_items import typed_id
from commands.cluster_maps import CLUSTER, cluster_of
from commands.enrich import ColumnMap
from commands.model_material import Data, read_material
from commands.model_options import Config, Html, Seed, Seeds, settings_in, write_file
from commands.output import AsJson, KnowledgeBase, print_json, say
from commands.ranker_tables import print_report
from commands.run_options import columns_of
from commands.setting_options import with_options
from commands.settings import settings_of
from commands.vector_options import AsOf, milliseconds
from memory.extras import extras

if TYPE_CHECKING:
    from commands.diffusion_generation import Generated
    from diffusion.config import DiffusionConfig
    from memory.database import Database

FOLDER = Path("diffusion-model")
SLOTS = {"future": "future", "futures": "future", "gap": "gap", "gaps": "gap", "next": "next"}
SLOTS_HELP = "future, gaps, or both; or next: the likeliest next behaviours, without chains."

LeastDemand = Annotated[
    float, typer.Option("--least-demand", help="Least cosine to the nearest demand of the user.", min=-1, max=1)
]
Model = Annotated[Path, typer.Option("--diffusion", help="The model's folder.", metavar="DIR")]
User = Annotated[str, typer.Argument(help="The user's id.", metavar="USER")]
HeldOut = Annotated[
    int | None,
    typer.Option("--held-out", help="Each user's last behaviours that are not read: 3 for the ranker to learn.", min=0),
]

app = typer.Typer(help="Imagine behaviours that the log does not have, each with its reasons.", no_args_is_help=True)


@app.command()
@with_options(CLUSTER)
def train(
    context: typer.Context,
    data: Data = None,
    map_columns: ColumnMap = None,
    config: Config = None,
    seed: Seed = None,
    held_out: HeldOut = None,
    as_of: AsOf = None,
    out: Annotated[Path, typer.Option("--out", help="The folder to write.", metavar="DIR")] = FOLDER,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
    **cluster_options: Any,
) -> None:
    """Train on stored behaviours and knowledge; the same command again goes on where it was interrupted."""
    with extras():
        from commands.diffusion_training import train_into  # noqa: PLC0415 - torch is an extra

    chosen = read_config(config, seed)
    material = read_material(settings_of(context, kb=kb), data, columns_of(map_columns), milliseconds(as_of))
    metrics = train_into(out, material, held_out or 0, chosen, cluster_of(**cluster_options))
    if as_json:
        print_json({"folder": str(out), "metrics": metrics})
    else:
        say(f"{out}: " + ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


@app.command()
def evaluate(
    context: typer.Context,
    task: Annotated[
        str, typer.Option("--task", help="What is foretold.", metavar="next-item|completion")
    ] = "next-item",
    data: Data = None,
    map_columns: ColumnMap = None,
    config: Config = None,
    seeds: Seeds = 1,
    as_of: AsOf = None,
    html: Html = None,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Foretell each user's last behaviour, or one hidden among the others; beside simple ways and an equal twin."""
    with extras():
        from commands.diffusion_evaluation import TASKS, judged  # noqa: PLC0415 - torch is an extra
        from evaluators.ranking.report_page import ranking_report_page  # noqa: PLC0415

    if task not in TASKS:
        raise typer.BadParameter(f"is one of {', '.join(TASKS)}", param_hint="--task")
    chosen = read_config(config)
    material = read_material(settings_of(context, kb=kb), data, columns_of(map_columns), milliseconds(as_of))
    report = judged(task, material, chosen, range(seeds))
    if html is not None:
        write_file(html, ranking_report_page(report))
    if as_json:
        print_json(report)
    else:
        print_report(report)


@app.command()
@with_options(CLUSTER)
def generate(
    context: typer.Context,
    users: Annotated[
        str,
        typer.Option("--users", help="all, ids with commas between, or a file of one a line.", metavar="all|IDS|FILE"),
    ] = "all",
    slots: Annotated[str, typer.Option("--slots", help=SLOTS_HELP, metavar="SLOTS")] = "future,gaps",
    chains: Annotated[int, typer.Option("--chains", help="Independent runs that may agree.", min=1, max=64)] = 4,
    count: Annotated[int, typer.Option("--count", help="Behaviours of a user, at most.", min=1, max=64)] = 8,
    least_demand: LeastDemand = 0.0,
    expires: Annotated[int | None, typer.Option("--expires", help="Not read after so many days.", min=1)] = None,
    again: Annotated[bool, typer.Option("--again", help="Also for users that this model has imagined.")] = False,
    held_out: HeldOut = None,
    as_of: AsOf = None,
    seed: Annotated[int, typer.Option("--seed", help="Of everything that is drawn.", min=0)] = 0,
    model: Model = FOLDER,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
    **cluster_options: Any,
) -> None:
    """Imagine behaviours and store them; what an interrupted run stored is not done again."""
    if held_out is not None and as_of is not None:
        raise typer.BadParameter("is told by --as-of already", param_hint="--held-out")
    kinds = slots_of(slots)
    with extras():
        from commands.diffusion_generation import Wish, generate_for  # noqa: PLC0415 - torch is an extra

    settings, moment = settings_of(context, kb=kb), milliseconds(as_of)
    wish = Wish(kinds, chains, count, expires, again, held_out or 0, moment, seed, least_demand)
    _tell_generated(generate_for(settings, model, users, wish, cluster_of(**cluster_options)), as_json)


@app.command()
def show(
    context: typer.Context,
    user: User,
    last: Annotated[int, typer.Option("--last", help="Logged behaviours beside them.", min=0)] = 12,
    html: Html = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="Also write a picture.", metavar="FILE")] = None,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Show what was imagined of a user, with the reasons of each behaviour."""
    with extras():
        from commands.imagined_view import view_of  # noqa: PLC0415 - polars is an extra
    from commands.imagined_drawing import page_of, timeline_of  # noqa: PLC0415 - jinja takes a moment to import
    from commands.imagined_tables import print_timeline  # noqa: PLC0415

    with _opened(context, kb) as database:
        view = view_of(database, typed_id(user), last)
    if html is not None:
        write_file(html, page_of([view]))
    if svg is not None:
        write_file(svg, timeline_of(view))
    if as_json:
        print_json(view)
    else:
        print_timeline(view)


@app.command()
def forget(context: typer.Context, user: User, kb: KnowledgeBase = None, as_json: AsJson = False) -> None:
    """Switch the inference of a user's interests off, and delete what was inferred."""
    _switch(context, kb, _named(user), as_json, allowed=False)


@app.command()
def allow(context: typer.Context, user: User, kb: KnowledgeBase = None, as_json: AsJson = False) -> None:
    """Switch the inference of a user's interests on again."""
    _switch(context, kb, _named(user), as_json, allowed=True)


def read_config(path: Path | None, seed: int | None = None) -> "DiffusionConfig":
    """Return a model's settings; raises `ConfigUnreadable`."""
    with extras():
        from diffusion.config import DiffusionConfig  # noqa: PLC0415 - torch is an extra
        from learning.devices import use_threads  # noqa: PLC0415

    use_threads(1)  # equal seeds give equal weights with one
    config = settings_in(path, DiffusionConfig, "a diffusion model")
    return config if seed is None else config.model_copy(update={"seed": seed})


def slots_of(text: str) -> tuple[str, ...]:
    """Return the kinds of slots that were typed."""
    words = [word.strip().casefold() for word in text.split(",") if word.strip()]
    kinds = tuple(dict.fromkeys(SLOTS.get(word, "") for word in words))
    if not kinds or "" in kinds or ("next" in kinds and len(kinds) > 1):
        told = "names future, gaps, or both with a comma between; or next, which draws nothing, alone"
        raise typer.BadParameter(told, param_hint="--slots")
    return kinds


def _tell_generated(done: "Generated", as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    say(
        f"imagined {done.behaviors} behaviours of {done.users} users; {done.before} were done before,"
        f" {done.off} have switched inference off"
    )


def _named(user: str) -> str:
    if not typed_id(user):
        raise typer.BadParameter("names nobody", param_hint="USER")
    return typed_id(user)


def _switch(context: typer.Context, kb: str | None, user: str, as_json: bool, *, allowed: bool) -> None:
    with extras():
        from memory.behaviors.generated import set_inference  # noqa: PLC0415 - polars is an extra

    with _opened(context, kb) as database, database.writing() as session:
        gone = set_inference(session, user, allowed=allowed)
    if as_json:
        print_json({"user": user, "allowed": allowed, "deleted": gone})
    elif allowed:
        say(f"interests of user {user!r} may be inferred again")
    else:
        say(f"interests of user {user!r} are not inferred any more; {gone} imagined behaviours are deleted")


def _opened(context: typer.Context, kb: str | None) -> "Database":
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import

    return open_existing_database(settings_of(context, kb=kb).kb)
