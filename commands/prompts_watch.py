"""`reaseq prompts watch`: a prompt as an item sees it, anew at each save."""

import asyncio
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from commands.catalog_items import Catalog, find_item
from commands.output import console, errors, printable_lines, say
from commands.prompt_choices import Folder, Model, Name, folder_of, library_of, linted, variant_of
from commands.prompt_values import values_for
from commands.settings import Settings, settings_of
from memory.schema import CatalogItem
from prompts.findings import Finding, PromptError, errors_in
from prompts.lengths import guessed_tokens
from prompts.watching import edits

ItemId = Annotated[str, typer.Option("--item", help="The item's id.", metavar="ID")]


def watch(
    context: typer.Context,
    agent: Name,
    item: ItemId,
    catalog: Catalog = None,
    prompts: Folder = None,
    model: Model = None,
) -> None:
    """Show a prompt for an item, with its faults, again each time that a file of it is saved; Ctrl-C ends it."""
    settings = settings_of(context, prompts=prompts, model=model)
    asyncio.run(_watch(settings, agent, find_item(catalog, item)))


async def _watch(settings: Settings, agent: str, item: CatalogItem) -> None:
    if not errors_in(linted(settings)):
        library_of(settings).get(agent)  # a name that there is none of is told at once
    folder, stop = folder_of(settings), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    _show(settings, agent, item)
    say(f"watching {folder}; Ctrl-C ends it")
    async for changed in edits(folder, agent, variant_of(settings), stop=stop):
        say(f"saved: {', '.join(sorted(path.name for path in changed))}")
        _show(settings, agent, item)


def _show(settings: Settings, agent: str, item: CatalogItem) -> None:
    """Print the faults of a prompt, and what it says of the item if there is nothing that keeps it from that."""
    found = findings_of(agent, linted(settings, variant_of(settings)))
    for finding in found:
        errors.print(Text(printable_lines(f"{finding.severity}: {finding}"), style="yellow"), soft_wrap=True)
    try:
        prompt = library_of(settings).get(agent)
        rendered = prompt.render(**values_for(prompt, item, settings))
    except PromptError as error:
        say(f"not rendered: {error}")
        return
    for message in rendered.messages:
        console.rule(Text(message.role), align="left")
        console.print(Text(printable_lines(message.content)), soft_wrap=True)
    tokens = guessed_tokens(*(message.content for message in rendered.messages))
    say(f"{prompt.name} {prompt.fingerprint[:12]}, about {tokens} tokens for {item.id}")


def findings_of(agent: str, findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings of one prompt's files, and of fragments."""
    return [found for found in findings if Path(found.file).stem == agent or Path(found.file).name.startswith("_")]
