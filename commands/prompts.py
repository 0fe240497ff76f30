"""`reaseq prompts`: the prompts that the agents use, as they stand and as they are rendered for an item."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from agents.phrasing import (
    phrase_attributes,
    phrase_candidates,
    phrase_category_demands,
    phrase_claims,
    phrase_demands,
    phrase_item,
    phrase_path,
)
from commands.catalog_items import Catalog, find_item
from commands.output import AsJson, console, print_json, print_table, printable_lines
from commands.settings import Settings, settings_of
from memory.schema import CatalogItem

if TYPE_CHECKING:
    from prompts.library import Prompt, PromptLibrary

app = typer.Typer(help="The agents' prompts.", no_args_is_help=True)

Folder = Annotated[Path | None, typer.Option("--prompts", help="A folder of prompts to use instead.", metavar="DIR")]
Name = Annotated[str, typer.Argument(help="The prompt's name, as in `reaseq prompts list`.", metavar="AGENT")]
Model = Annotated[str | None, typer.Option("--model", help="Show the variant that this model gets.", metavar="SPEC")]


@app.command(name="list")
def list_prompts(context: typer.Context, prompts: Folder = None, model: Model = None, as_json: AsJson = False) -> None:
    """List the prompts: agent, purpose, inputs, fingerprint."""
    library = _library(settings_of(context, prompts=prompts, model=model))
    if as_json:
        print_json([_described(prompt) for prompt in library])
        return
    rows = [[p.name, p.agent, p.purpose, ", ".join(p.inputs), p.fingerprint[:12]] for p in library]
    print_table("Prompts", ["prompt", "agent", "purpose", "inputs", "fingerprint"], rows)


@app.command()
def show(
    context: typer.Context, agent: Name, prompts: Folder = None, model: Model = None, as_json: AsJson = False
) -> None:
    """Show one prompt as it is written."""
    prompt = _library(settings_of(context, prompts=prompts, model=model)).get(agent)
    if as_json:
        print_json(_described(prompt) | {"system": prompt.system, "user": prompt.user})
        return
    heading = f"{prompt.name}  ({prompt.fingerprint[:12]})\n{prompt.purpose}"
    console.print(Text(printable_lines(heading), style="bold"))
    _print_message("system", prompt.system)
    _print_message("user", prompt.user)


@app.command()
def render(
    context: typer.Context,
    agent: Name,
    item: Annotated[str, typer.Option("--item", help="The item's id.", metavar="ID")],
    catalog: Catalog = None,
    prompts: Folder = None,
    model: Model = None,
    as_json: AsJson = False,
) -> None:
    """Show one prompt as a model would get it for an item of a catalog (the bundled sample, unless named)."""
    settings = settings_of(context, prompts=prompts, model=model)
    prompt = _library(settings).get(agent)
    rendered = prompt.render(**_values(prompt, find_item(catalog, item), settings))
    if as_json:
        print_json([message.model_dump() for message in rendered.messages])
        return
    for message in rendered.messages:
        _print_message(message.role, message.content)


def _library(settings: Settings) -> "PromptLibrary":
    from commands.choices import keyless, model_of, prompts_of  # noqa: PLC0415

    return prompts_of(settings, model_of(keyless(settings)))


def _described(prompt: "Prompt") -> dict[str, object]:
    return {
        "name": prompt.name,
        "agent": prompt.agent,
        "purpose": prompt.purpose,
        "inputs": list(prompt.inputs),
        "fingerprint": prompt.fingerprint,
    }


def _print_message(role: str, content: str) -> None:
    console.rule(Text(role), align="left")
    console.print(Text(printable_lines(content)), soft_wrap=True)


def _values(prompt: "Prompt", item: CatalogItem, settings: Settings) -> dict[str, str]:
    """Return what each input of a prompt is for an item, as far as it is known before any model is asked."""
    from agents.demand_analyst import category_demands  # noqa: PLC0415
    from agents.reading.rules import rule_claims  # noqa: PLC0415
    from commands.choices import taxonomy_of  # noqa: PLC0415
    from memory.category_index import CategoryIndex  # noqa: PLC0415
    from memory.encoder import MiniLmEncoder  # noqa: PLC0415

    taxonomy = taxonomy_of(settings)
    index = CategoryIndex.build(tuple(taxonomy.leaves()), MiniLmEncoder(), settings.cache)
    candidates = index.search(item.title, description=item.description)
    template = taxonomy.template(candidates[0].category_id)
    values = {
        "item": phrase_item(item),
        "candidates": phrase_candidates(candidates),
        "category": phrase_path(template.path),
        "attributes": phrase_attributes(template.attributes),
        "claims": phrase_claims(rule_claims(item, template)),
        "corrections": "",
        "known_demands": phrase_category_demands(template.demands),
        "demands": phrase_demands(category_demands(template)),
    }
    return {name: values[name] for name in prompt.inputs}
