"""The page Prompts: the files that the command line uses, edited, checked, rendered, tried and saved."""

from nicegui.page_arguments import PageArguments

from commands.prompt_choices import folder_of, library_of, variant_of
from prompts.library import Prompt
from studio.parts import address, box, empty, heading, text
from studio.prompt_desk import PromptDesk
from studio.shell import Shell
from studio.workbench import Workbench


async def prompts_page(bench: Workbench, shell: Shell, arguments: PageArguments) -> None:
    """Show the page; the address says which prompt, by its name among those that the settings' model gets."""
    shell.show("prompts", {"Ctrl-S": "save, while the editor has the focus"})
    library = library_of(bench.settings)
    name = arguments.query_parameters.get("prompt", "attribute_extractor")
    with box("columns aside prompts"):
        with box("panel"):
            _show_list(bench, [*library], name)
        with box():
            if name not in library.names():
                empty("There is no such prompt", "Choose one of the list.")
                return
            await PromptDesk(bench, library.get(name), library.file_of(name)).show()


def _show_list(bench: Workbench, prompts: list[Prompt], chosen: str) -> None:
    variant = variant_of(bench.settings)
    heading("Prompts", f"as {bench.settings.model} gets them" + (f"; variant {variant}" if variant else ""))
    folder = folder_of(bench.settings)
    text(f"folder {folder.name}", "soft small").props["title"] = str(folder)
    with box("list"):
        for prompt in prompts:
            with box("chosen" if prompt.name == chosen else "", "a") as entry:
                text(prompt.name.replace("_", " "))
                text(prompt.purpose, "sub")
            entry.props["href"] = address("prompts", prompt=prompt.name)
