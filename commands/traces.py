"""`reaseq traces`: the stored traces, newest first; one of them again; and how older ones are dropped."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.catalog_items import typed_id
from commands.output import AsJson, KnowledgeBase, print_json, print_table, say
from commands.setting_options import with_options
from commands.settings import settings_of
from commands.trace_options import SHOWING, taken_options
from memory.text import printable

if TYPE_CHECKING:
    from memory.traces import TraceHead

app = typer.Typer(help="The stored traces of single items.")

COLUMNS = ("trace", "started (UTC)", "item, title", "model", "how it ended", "steps", "calls", "tokens", "cost", "s")
KEEP = 100

Number = Annotated[int, typer.Argument(help="The trace's number, as in `reaseq traces`.", metavar="TRACE", min=1)]
OfItem = Annotated[str | None, typer.Option("--item", help="Only of this item.", metavar="ID")]
Newest = Annotated[int | None, typer.Option("--limit", help="Only the newest N.", min=1)]


@app.callback(invoke_without_command=True)
def traces(
    context: typer.Context,
    kb: KnowledgeBase = None,
    item: OfItem = None,
    limit: Newest = None,
    as_json: AsJson = False,
) -> None:
    """List the stored traces, newest first."""
    if context.invoked_subcommand:
        return
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import
    from memory.traces import trace_heads  # noqa: PLC0415

    with open_existing_database(settings_of(context, kb=kb).kb) as database, database.session() as session:
        heads = trace_heads(session, item_id=typed_id(item) if item else None, limit=limit)
    if as_json:
        print_json([head.model_dump(mode="json") for head in heads])
        return
    print_table("Traces", COLUMNS, [_cells(head) for head in heads])


@app.command()
@with_options(SHOWING)
def show(
    context: typer.Context, number: Number, kb: KnowledgeBase = None, as_json: AsJson = False, **given: Any
) -> None:
    """Show one trace again: its steps, as a page, as a diagram."""
    from commands.trace_output import print_trace  # noqa: PLC0415 - the graph takes a second to import
    from memory.database import open_existing_database  # noqa: PLC0415
    from memory.traces import trace_of  # noqa: PLC0415

    options = taken_options(given, as_json=as_json)
    with open_existing_database(settings_of(context, kb=kb).kb) as database, database.session() as session:
        trace = trace_of(session, number)
    print_trace(trace, options)


@app.command()
def prune(
    context: typer.Context,
    keep: Annotated[int, typer.Option("--keep", help="How many of the newest stay.", min=0)] = KEEP,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Drop all traces but the newest, with their checkpoints; what is known of the items stays."""
    from graphs.checkpoints import drop_threads  # noqa: PLC0415 - the graph takes a second to import
    from memory.database import open_existing_database  # noqa: PLC0415
    from memory.traces import prune_traces, trace_heads  # noqa: PLC0415

    settings = settings_of(context, kb=kb)
    with open_existing_database(settings.kb) as database, database.writing() as session:
        before = len(trace_heads(session))
        threads = prune_traces(session, keep)
        after = len(trace_heads(session))
    asyncio.run(drop_threads(settings.cache, threads))
    if as_json:
        print_json({"dropped": before - after, "kept": after})
        return
    say(f"dropped {before - after} traces, kept {after}")


def _cells(head: "TraceHead") -> list[str]:
    from commands.trace_view import money  # noqa: PLC0415 - SQL takes a moment to import

    origin = f"\nreplay of {head.replay_of} from step {head.replay_from}" if head.replay_from else ""
    ended = f"{head.accepted} claims accepted" if head.state == "done" else printable(head.failure or head.state, 120)
    return [
        str(head.id),
        f"{head.started_at:%Y-%m-%d\n%H:%M:%S}",
        f"{printable(head.item_id, 40)}\n{printable(head.title, 60)}",
        printable(head.model, 60),
        f"{ended}{origin}",
        str(head.steps),
        str(head.spent.calls),
        str(head.spent.usage.prompt_tokens + head.spent.usage.completion_tokens),
        money(head.spent),
        f"{head.spent.seconds:.2f}",
    ]
