"""`reaseq prompts lint`: every fault of every prompt, before a run finds the first."""

import typer

from commands.catalog_items import Catalog, find_item
from commands.output import AsJson, print_json, print_table, say
from commands.prompt_choices import Folder, Item, folder_of, library_of, linted
from commands.prompt_values import values_for
from commands.settings import Settings, settings_of
from memory.schema import CatalogItem
from prompts.findings import Finding, doubt, errors_in
from prompts.lengths import LONG_RENDERED, guessed_tokens

COLUMNS = ("file, line", "severity", "rule", "reason")


def lint(
    context: typer.Context, prompts: Folder = None, item: Item = None, catalog: Catalog = None, as_json: AsJson = False
) -> None:
    """List every fault of every prompt: file, line, severity, rule, reason; exit code 1 where one is an error.

    With --item, also say which prompts are long once they are filled for that item.
    """
    settings = settings_of(context, prompts=prompts)
    found = linted(settings)
    if item is not None and not errors_in(found):
        found += _of_renderings(settings, find_item(catalog, item))
    if as_json:
        print_json([finding.model_dump() for finding in found])
    else:
        _print(found, folder_of(settings).name)
    if errors_in(found):
        raise typer.Exit(1)


def _of_renderings(settings: Settings, item: CatalogItem) -> list[Finding]:
    library, found = library_of(settings), []
    for prompt in library:
        messages = prompt.render(**values_for(prompt, item, settings)).messages
        tokens = guessed_tokens(*(message.content for message in messages))
        if tokens > LONG_RENDERED:
            file = str(library.file_of(prompt.name))
            found.append(doubt(file, None, "long-rendered", f"is about {tokens:,} tokens for the item {item.id!r}"))
    return found


def _print(found: list[Finding], folder: str) -> None:
    if not found:
        say(f"no findings in {folder}")
        return
    rows = [[f"{f.file}:{f.line}" if f.line else f.file, f.severity, f.rule, f.reason] for f in found]
    print_table("Findings", COLUMNS, rows)
