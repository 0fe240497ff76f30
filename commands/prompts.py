"""`reaseq prompts`: the prompts that the agents use, as they stand and as they are rendered for an item."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from commands import prompts_diff, prompts_history, prompts_lint, prompts_new, prompts_prompty, prompts_watch
from commands.catalog_items import Catalog, find_item
from commands.output import AsJson, console, print_json, print_table, printable_lines
from commands.prompt_choices import Folder, Model, Name, library_of
from commands.prompt_values import values_for
from commands.settings import settings_of

if TYPE_CHECKING:
    from prompts.library import Prompt

app = typer.Typer(help="The agents' prompts: look at them, write your own, check and compare.", no_args_is_help=True)


@app.command(name="list")
def list_prompts(context: typer.Context, prompts: Folder = None, model: Model = None, as_json: AsJson = False) -> None:
    """List the prompts: agent, purpose, inputs, fingerprint."""
    library = library_of(settings_of(context, prompts=prompts, model=model))
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
    prompt = library_of(settings_of(context, prompts=prompts, model=model)).get(agent)
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
    prompt = library_of(settings).get(agent)
    rendered = prompt.render(**values_for(prompt, find_item(catalog, item), settings))
    if as_json:
        print_json([message.model_dump() for message in rendered.messages])
        return
    for message in rendered.messages:
        _print_message(message.role, message.content)


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


# After those above, for the help lists them in this order.
app.command()(prompts_new.new)
app.command()(prompts_lint.lint)
app.command()(prompts_diff.diff)
app.command()(prompts_watch.watch)
app.command()(prompts_history.history)
app.command(name="export")(prompts_prompty.export_prompt)
app.command(name="import")(prompts_prompty.import_prompt)
