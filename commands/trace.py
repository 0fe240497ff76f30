"""`reaseq trace`: one item through the graph, every step printed as it ends, and stored."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.catalog_items import find_item, given_item
from commands.enrich import ColumnMap
from commands.output import AsJson, KnowledgeBase, run_async
from commands.run_options import RunOptions
from commands.setting_options import AIDS, REASONING, TELEMETRY, with_options
from commands.settings import Settings, settings_of
from commands.trace_options import MAKING, SHOWING, TraceOptions, taken_options
from memory.schema import CatalogItem

if TYPE_CHECKING:
    from memory.traces import Trace

Watch = Annotated[bool, typer.Option("--watch", help="Run again from the first step whose prompt you save.")]


@with_options(REASONING | AIDS | TELEMETRY | SHOWING | MAKING)
def trace(
    context: typer.Context,
    catalog: Annotated[Path | None, typer.Argument(help="The catalog that has the item.")] = None,
    item: Annotated[str | None, typer.Option("--item", help="The item's id.", metavar="ID")] = None,
    title: Annotated[str | None, typer.Option("--title", help="Trace a title instead of a catalog's item.")] = None,
    description: Annotated[str, typer.Option("--description", help="The description that goes with --title.")] = "",
    kb: KnowledgeBase = None,
    map_columns: ColumnMap = None,
    watch: Watch = False,
    as_json: AsJson = False,
    **given: Any,
) -> None:
    """Run one item through the graph and show every step; what is known of the item stays as it is."""
    if (title is None) == (catalog is None) or (catalog is not None and item is None):
        raise typer.BadParameter("give CATALOG --item ID, or --title TEXT")
    options = taken_options(given, as_json=as_json)
    if watch and options.quiet:
        raise typer.BadParameter("--watch shows what happens in the terminal: leave out --json and --mermaid")
    chosen = settings_of(context, kb=kb, **given)
    columns = RunOptions(map_columns=tuple(map_columns or ())).columns
    found = given_item(title, description) if title is not None else find_item(catalog, item or "", columns)
    run_async(_trace(chosen, found, options, watch=watch))


async def _trace(settings: Settings, item: CatalogItem, options: TraceOptions, *, watch: bool) -> None:
    from commands.trace_output import finish, followed, refuse_failure  # noqa: PLC0415 - the graph takes a second to import
    from commands.tracing import traced  # noqa: PLC0415

    found = await followed(lambda manner: traced(settings, item, manner=manner), _nothing_of(item, settings), options)
    finish(found, options)
    if watch:
        from commands.trace_watch import watch_prompts  # noqa: PLC0415

        await watch_prompts(settings, found, options)
    refuse_failure(found)


def _nothing_of(item: CatalogItem, settings: Settings) -> "Trace":
    from memory.rows import now  # noqa: PLC0415 - SQL takes a moment to import
    from memory.traces import Trace  # noqa: PLC0415

    return Trace(item=item, started_at=now(), model=settings.model, prompts=())
