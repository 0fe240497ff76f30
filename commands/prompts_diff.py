"""`reaseq prompts diff`: how a prompt differs from what it was, as it is written and as an item sees it."""

from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.text import Text

from commands.catalog_items import Catalog, find_item
from commands.output import AsJson, KnowledgeBase, console, print_json, printable_lines, say
from commands.prompt_choices import Folder, Item, Model, Name, folder_of, library_of, variant_of
from commands.prompt_values import values_for
from commands.settings import Settings, settings_of
from prompts.differences import Difference, rendered_difference, source_difference
from prompts.library import Prompt, PromptLibrary

COLORS = {"+": "green", "-": "red", "@": "cyan"}

Revision = Annotated[str | None, typer.Argument(help="A git revision; without it HEAD.", metavar="[REV]")]
Second = Annotated[str | None, typer.Argument(help="Another one; without it the file as it is.", metavar="[REV]")]
AgainstRun = Annotated[
    str | None, typer.Option("--against-run", help="What a run used: its number, or last.", metavar="RUN")
]
Other = Annotated[Path | None, typer.Option("--other", help="Another folder of prompts.", metavar="DIR")]


class _Side(NamedTuple):
    name: str
    prompt: Prompt


def diff(
    context: typer.Context,
    agent: Name,
    before: Revision = None,
    after: Second = None,
    item: Item = None,
    catalog: Catalog = None,
    against_run: AgainstRun = None,
    other: Other = None,
    prompts: Folder = None,
    model: Model = None,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Show how a prompt differs from git's HEAD, between two revisions, from what a run used, or from another folder.

    With --item, also how what is sent for that item differs.
    """
    settings = settings_of(context, prompts=prompts, model=model, kb=kb)
    first, last = _sides(settings, agent, (before, after), against_run, other)
    names = (first.name, last.name)
    differences = [source_difference(first.prompt, last.prompt, names)]
    if item is not None:
        found = find_item(catalog, item)
        rendered = [side.prompt.render(**values_for(side.prompt, found, settings)) for side in (first, last)]
        differences.append(rendered_difference(rendered[0], rendered[1], names))
    if as_json:
        _print_json(first, last, differences)
    else:
        _print(first, last, differences)


def _sides(
    settings: Settings, agent: str, revisions: tuple[str | None, str | None], run: str | None, other: Path | None
) -> tuple[_Side, _Side]:
    before, after = revisions
    if sum(map(bool, (before, run, other))) > 1:
        raise typer.BadParameter("compare with one thing at a time: a revision, --against-run or --other")
    present = library_of(settings)
    here = _Side(str(present.file_of(agent)), present.get(agent))
    if other is not None:
        theirs = library_of(settings.overridden(prompts=other))
        return _Side(str(theirs.file_of(agent)), theirs.get(agent)), here
    if run is not None:
        return _of_run(settings, agent, run), here
    return _of_revision(settings, agent, before or "HEAD"), _of_revision(settings, agent, after) if after else here


def _of_revision(settings: Settings, agent: str, revision: str) -> _Side:
    from prompts.git_history import texts_at  # noqa: PLC0415 - few comparisons ask git

    folder, variant = folder_of(settings), variant_of(settings)
    library = PromptLibrary.from_texts(texts_at(folder, revision), variant, folder)
    return _Side(f"{revision}:{library.file_of(agent).relative_to(folder)}", library.get(agent))


def _of_run(settings: Settings, agent: str, run: str) -> _Side:
    from commands.run_prompts import prompt_of_run  # noqa: PLC0415 - SQL takes a moment to import

    number, prompt = prompt_of_run(settings.kb, agent, run)
    return _Side(f"run {number}: {agent}", prompt)


def _print_json(first: _Side, last: _Side, differences: list[Difference]) -> None:
    source, *rendered = (difference.model_dump() for difference in differences)
    sides = [{"name": side.name, "fingerprint": side.prompt.fingerprint} for side in (first, last)]
    print_json({"sides": sides, "source": source, "rendered": rendered[0] if rendered else None})


def _print(first: _Side, last: _Side, differences: list[Difference]) -> None:
    for title, difference in zip(("as it is written", "as the item sees it"), differences, strict=False):
        console.rule(Text(title), align="left")
        if not difference.lines:
            console.print(Text(f"no difference between {difference.before} and {difference.after}"))
        for line in difference.lines:
            console.print(Text(printable_lines(line), style=COLORS.get(line[:1], "")), soft_wrap=True)
    prints = [side.prompt.fingerprint[:12] for side in (first, last)]
    say(f"fingerprint {prints[0]}, the same" if len(set(prints)) == 1 else f"fingerprint {prints[0]} → {prints[1]}")
