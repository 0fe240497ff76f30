"""`reaseq trace`: one item through the graph, every step printed as it ends."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from agents.phrasing import phrase_path
from commands.catalog_items import find_item, given_item
from commands.enrich import ColumnMap
from commands.knowledge import print_claims, print_demands, print_knowledge, print_template
from commands.output import AsJson, KnowledgeBase, console, print_json, printable_lines, run_async
from commands.run_options import RunOptions
from commands.setting_options import AIDS, REASONING, TELEMETRY, with_options
from commands.settings import Settings, settings_of
from memory.model_call import ModelCall
from memory.schema import CatalogItem, Enrichment

if TYPE_CHECKING:
    from graphs.single_item import Step


@with_options(REASONING | AIDS | TELEMETRY)
def trace(
    context: typer.Context,
    catalog: Annotated[Path | None, typer.Argument(help="The catalog that has the item.")] = None,
    item: Annotated[str | None, typer.Option("--item", help="The item's id.", metavar="ID")] = None,
    title: Annotated[str | None, typer.Option("--title", help="Trace a title instead of a catalog's item.")] = None,
    description: Annotated[str, typer.Option("--description", help="The description that goes with --title.")] = "",
    kb: KnowledgeBase = None,
    map_columns: ColumnMap = None,
    as_json: AsJson = False,
    **settings: Any,
) -> None:
    """Run one item through the graph and show every step; the stored knowledge of the item stays as it is."""
    if (title is None) == (catalog is None) or (catalog is not None and item is None):
        raise typer.BadParameter("give CATALOG --item ID, or --title TEXT")
    chosen = settings_of(context, kb=kb, **settings)
    columns = RunOptions(map_columns=tuple(map_columns or ())).columns
    traced = given_item(title, description) if title is not None else find_item(catalog, item or "", columns)
    run_async(_trace(chosen, traced, as_json))


async def _trace(settings: Settings, item: CatalogItem, as_json: bool) -> None:
    from commands.workshop import open_workshop  # noqa: PLC0415 - the graph takes a second to import
    from graphs.single_item import trace_item  # noqa: PLC0415

    async with open_workshop(settings) as workshop:
        with workshop.onlooker.item(item.id):
            steps = trace_item(workshop.graph, item, workshop.context)
            await (_print_as_json(item, steps) if as_json else _print_steps(item, steps))


async def _print_steps(item: CatalogItem, steps: "AsyncIterator[Step | Enrichment]") -> None:
    number = 0
    async for step in steps:
        if isinstance(step, Enrichment):
            console.rule(Text("result"), align="left")
            print_knowledge(item, step)
        else:
            number += 1
            console.rule(Text(f"{number}. {step.node}  ({step.seconds:.2f} s)", style="bold"), align="left")
            for call in step.calls:
                _print_call(call)
            _print_update(item, step)


async def _print_as_json(item: CatalogItem, steps: "AsyncIterator[Step | Enrichment]") -> None:
    document: dict[str, object] = {"item": item.model_dump(mode="json")}
    listed: list[dict[str, object]] = []
    async for step in steps:
        if isinstance(step, Enrichment):
            document |= {"steps": listed, "enrichment": step.model_dump(mode="json")}
        else:
            calls = [call.model_dump(mode="json") for call in step.calls]
            listed.append({"node": step.node, "seconds": step.seconds, "calls": calls, "update": dict(step.update)})
    print_json(document)


def _print_call(call: ModelCall) -> None:
    console.print(
        Text(
            f"{call.model}, prompt {call.prompt} {call.prompt_fingerprint[:12]}, {call.usage.prompt_tokens} + "
            f"{call.usage.completion_tokens} tokens, {call.seconds:.2f} s, {call.finish_reason}",
            style="dim",
        )
    )
    for message in call.messages:
        console.print(Text(f"[{message.role}]", style="cyan"))
        console.print(Text(printable_lines(message.content)), soft_wrap=True)
    console.print(Text("[answer]", style="cyan"))
    console.print(Text(printable_lines(call.raw_answer)), soft_wrap=True)


def _print_update(item: CatalogItem, step: "Step") -> None:
    update = step.update
    if "category" in update:
        for candidate in update["category"].candidates:
            mark = "→" if candidate.category_id == update["category"].category_id else " "
            console.print(
                Text(
                    printable_lines(
                        f"{mark} {candidate.score:.3f} {candidate.category_id}  {phrase_path(candidate.path)}"
                    )
                )
            )
    if "template" in update:
        print_template(update["template"])
    if "claims" in update:
        print_claims(item, update["claims"], ())
    print_demands(update.get("demands", ()), ())
    for verdict in (*update.get("verdicts", ()), *update.get("demand_verdicts", ())):
        console.print(
            Text(
                printable_lines(
                    f"{verdict.claim_id}: {verdict.decision.value} by {verdict.checked_by}: "
                    f"{verdict.reason.value} {verdict.note}"
                )
            )
        )
    if update.get("corrections"):
        console.print(Text("→ back to the extractor", style="yellow"))
    if "summary" in update:
        console.print(Text(printable_lines(update["summary"])))
