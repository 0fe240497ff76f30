"""`reaseq prompts export` and `import`: prompts to and from other tools, as .prompty files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from commands.output import AsJson, print_json, say
from commands.prompt_choices import Folder, Model, Name, library_of
from commands.prompts_new import Replace, target_of, written_prompt
from commands.settings import settings_of
from memory.atomic_file import written_whole
from prompts.prompty import from_prompty, to_prompty

Target = Annotated[Path, typer.Argument(help="The file to write.", metavar="FILE.prompty")]
Given = Annotated[Path, typer.Argument(help="The file to read.", metavar="FILE.prompty")]
As = Annotated[str, typer.Option("--as", help="The prompt that it is to be.", metavar="AGENT")]


def export_prompt(
    context: typer.Context,
    agent: Name,
    file: Target,
    prompts: Folder = None,
    model: Model = None,
    as_json: AsJson = False,
) -> None:
    """Write a prompt as a .prompty file for other tools; what that cannot carry is named."""
    prompt = library_of(settings_of(context, prompts=prompts, model=model)).get(agent)
    carried = to_prompty(prompt)
    with written_whole(file) as unfinished:
        unfinished.write_text(carried.text, encoding="utf-8")
    if as_json:
        print_json({"file": str(file), "fingerprint": prompt.fingerprint, "losses": list(carried.losses)})
        return
    _tell(carried.losses)
    say(f"written: {file}")


def import_prompt(
    context: typer.Context,
    file: Given,
    name: As,
    prompts: Folder = None,
    model: Model = None,
    replace: Replace = False,
    as_json: AsJson = False,
) -> None:
    """Put a .prompty file into a folder of your own as a prompt without faults; what is left out is named."""
    settings = settings_of(context, prompts=prompts, model=model)
    if settings.prompts is None:
        raise typer.BadParameter("name a folder of your own: --prompts DIR")
    path = target_of(settings, settings.prompts, name)
    bundled = library_of(settings.model_copy(update={"prompts": None})).get(name)
    carried = from_prompty(file, name, bundled.agent)
    written_prompt(settings.prompts, path, carried.text, replace=replace)
    fingerprint = library_of(settings).get(name).fingerprint
    if as_json:
        print_json({"file": str(path), "fingerprint": fingerprint, "losses": list(carried.losses)})
        return
    _tell(carried.losses)
    say(f"written: {path}, fingerprint {fingerprint[:12]}")


def _tell(losses: Iterable[str]) -> None:
    for loss in losses:
        say(f"not carried: {loss}")
