"""`reaseq prompts new`: a folder of prompts of one's own, with one prompt to begin with."""

import re
from pathlib import Path
from typing import Annotated

import typer

from commands.evaluate import EVALUATION_KB
from commands.output import AsJson, KnowledgeBase, print_json, say
from commands.prompt_choices import Folder, Model, Name, library_of, lint_faults, variant_of
from commands.prompts_history import Evaluations
from commands.settings import Settings, settings_of
from prompts.copies import copy_missing, put_prompt
from prompts.findings import PromptError, errors_in
from prompts.library import default_folder
from prompts.sources import PROMPT_NAME, read_source
from prompts.written import as_file

FINGERPRINT = re.compile("[0-9a-f]{6,64}")

From = Annotated[
    str,
    typer.Option(
        "--from", help="A prompt's name, a file, or a fingerprint of its history.", metavar="PROMPT|FILE|PRINT"
    ),
]
Replace = Annotated[bool, typer.Option("--replace", help="Put it in the place of the one that is there.")]


def new(
    context: typer.Context,
    agent: Name,
    source: From,
    prompts: Folder = None,
    model: Model = None,
    kb: KnowledgeBase = None,
    evaluations: Evaluations = EVALUATION_KB,
    replace: Replace = False,
    as_json: AsJson = False,
) -> None:
    """Write a prompt for an agent into a folder of your own; what the folder lacks is copied from the bundled one.

    It is written as the variant that the model gets, and only if it has no faults. The fingerprints that
    `reaseq prompts history` lists lead back to what was used before.
    """
    settings = settings_of(context, prompts=prompts, model=model, kb=kb)
    if settings.prompts is None:
        raise typer.BadParameter("name a folder of your own: --prompts DIR")
    text = _text(source, agent, settings, evaluations)
    path = target_of(settings, settings.prompts, agent)
    written = written_prompt(settings.prompts, path, text, replace=replace)
    present = library_of(settings).get(agent)
    if as_json:
        copied = [str(copy) for copy in written]
        print_json({"file": str(path), "model": settings.model, "fingerprint": present.fingerprint, "copied": copied})
        return
    if written:
        say(f"copied {len(written)} prompts to {settings.prompts}")
    say(f"written: {path}, fingerprint {present.fingerprint[:12]}; {settings.model} is asked with it")


def written_prompt(folder: Path, path: Path, text: str, *, replace: bool) -> list[Path]:
    """Write a prompt into a folder that is completed from the bundled one; return what was copied beside it.

    Raises `PromptError` for a text with a fault, and then nothing is written.
    """
    name = path.relative_to(folder).as_posix()
    for fault in errors_in(lint_faults(name, text, folder if folder.is_dir() else default_folder())):
        raise PromptError(str(fault))
    folder.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    put_prompt(path, text, folder, replace=replace)
    return copy_missing(default_folder(), folder)


def target_of(settings: Settings, folder: Path, agent: str) -> Path:
    """Return the file in a folder that the settings' model would be asked with for this agent."""
    library_of(_of_some_prompts(settings.overridden(prompts=folder))).get(agent)  # says which there are
    variant = variant_of(settings)
    is_variant = variant is not None and (default_folder() / variant / f"{agent}.md").exists()
    return folder / variant / f"{agent}.md" if variant is not None and is_variant else folder / f"{agent}.md"


def _of_some_prompts(settings: Settings) -> Settings:
    """Return the settings, with the bundled prompts where the folder that they name has none yet."""
    begun = settings.prompts is not None and any(settings.prompts.glob("*.md"))
    return settings if begun else settings.model_copy(update={"prompts": None})


def _text(source: str, agent: str, settings: Settings, evaluations: str) -> str:
    """Return the text of a prompt by its name, of one that was used, or of a file."""
    library = library_of(_of_some_prompts(settings))
    if source in library.names():
        return read_source(library.file_of(source)).text
    if FINGERPRINT.fullmatch(source):
        from commands.run_prompts import prompt_of_fingerprint  # noqa: PLC0415 - SQL takes a moment to import

        return as_file(prompt_of_fingerprint((settings.kb, evaluations), agent, source))
    if PROMPT_NAME.fullmatch(source):
        library.get(source)  # says which there are
    return read_source(Path(source)).text
