"""Which prompts a command is about: the options that all have, the library, and the folder and file behind it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.settings import Settings

if TYPE_CHECKING:
    from prompts.findings import Finding
    from prompts.library import PromptLibrary

Folder = Annotated[Path | None, typer.Option("--prompts", help="A folder of prompts to use instead.", metavar="DIR")]
Name = Annotated[str, typer.Argument(help="The prompt's name, as in `reaseq prompts list`.", metavar="AGENT")]
Model = Annotated[str | None, typer.Option("--model", help="Show the variant that this model gets.", metavar="SPEC")]
Item = Annotated[str | None, typer.Option("--item", help="The item's id.", metavar="ID")]


def library_of(settings: Settings) -> "PromptLibrary":
    """Return the prompts that the settings' model gets, without a key for it."""
    from commands.choices import keyless, model_of, prompts_of  # noqa: PLC0415 - the providers take a while to import

    return prompts_of(settings, model_of(keyless(settings)))


def folder_of(settings: Settings) -> Path:
    """Return the folder of the prompts that the settings name, else of those that come with the product."""
    from prompts.library import default_folder  # noqa: PLC0415 - as above

    return settings.prompts or default_folder()


def variant_of(settings: Settings) -> str | None:
    """Return the variant that the settings' model gets."""
    from commands.choices import keyless, model_of, variant_for  # noqa: PLC0415 - as above

    return variant_for(model_of(keyless(settings)))


def lint_faults(name: str, text: str, folder: Path) -> list["Finding"]:
    """Return all findings of a text that is not saved yet as the file `name` of a folder."""
    from agents.prompt_contracts import GIVEN_SLOTS, answer_names  # noqa: PLC0415 - as above
    from prompts.lint import lint_text  # noqa: PLC0415

    return lint_text(name, text, folder, answers=answer_names(), slots=GIVEN_SLOTS)


def linted(settings: Settings, variant: str | None = None) -> list["Finding"]:
    """Return all findings of the settings' prompts, held against what agents give and what answers may name."""
    from agents.prompt_contracts import GIVEN_SLOTS, answer_names  # noqa: PLC0415 - as above
    from prompts.lint import lint_folder  # noqa: PLC0415

    return lint_folder(folder_of(settings), variant=variant, answers=answer_names(), slots=GIVEN_SLOTS)
