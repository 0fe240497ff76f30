"""`reaseq runs`: every run, how it ended, and what it cost."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.output import AsJson, KnowledgeBase, print_json, print_table, say
from commands.settings import settings_of

if TYPE_CHECKING:
    from memory.runs import Run

COLUMNS = ("run", "started (UTC)", "catalog, model", "state, rows", "calls", "tokens", "cost", "version")


def runs(
    context: typer.Context,
    kb: KnowledgeBase = None,
    limit: Annotated[int | None, typer.Option("--limit", help="Only the newest N.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """List the runs, newest first: settings, counts, calls, tokens, cost."""
    from memory import runs as stored  # noqa: PLC0415 - SQL takes a moment to import
    from memory.database import open_existing_database  # noqa: PLC0415

    with open_existing_database(settings_of(context, kb=kb).kb) as database, database.session() as session:
        found = stored.runs(session, limit=limit)
    if as_json:
        print_json([run.model_dump(mode="json") for run in found])
        return
    print_table("Runs", COLUMNS, [_cells(run) for run in found])
    for run in found[:1]:
        if run.reason:
            say(f"run {run.id} stopped: {run.reason}")


def _cells(run: "Run") -> list[str]:
    counts = ", ".join(f"{number} {end}" for end, number in run.counts if number) or "none"
    unpriced = f" + {run.unpriced} calls of unknown price" if run.unpriced else ""
    return [
        str(run.id),
        f"{run.started_at:%Y-%m-%d\n%H:%M}",
        f"{Path(run.catalog).name}\n{run.settings.get('model', '')}",
        f"{run.state.value}\n{counts}",
        f"{run.calls}, {run.lost} lost" if run.lost else str(run.calls),
        str(run.usage.prompt_tokens + run.usage.completion_tokens),
        f"{run.cost:.4f}{unpriced}",
        "pruned" if run.version_id is None else str(run.version_id),
    ]
