"""One prompt in an editor: checked and rendered as it is typed, tried on an item and on golden items, saved."""

import asyncio
from functools import partial
from pathlib import Path

from nicegui import ui

from agents.prompt_contracts import GIVEN_SLOTS, answer_names
from commands.prompt_choices import folder_of
from memory.schema import CatalogItem
from prompts.findings import Finding
from prompts.library import Prompt, PromptLibrary
from prompts.lint import lint_text
from prompts.sources import read_source, save_source
from studio.item_choice import ItemChoice
from studio.parts import box, button, text
from studio.prompt_trials import PromptTrials
from studio.prompt_views import PromptViews
from studio.telling import in_tab
from studio.workbench import Workbench

TYPING_SECONDS = 0.4  # of rest after a key before the text is looked at


class PromptDesk:
    """The editor and what stands around it."""

    def __init__(self, bench: Workbench, prompt: Prompt, file: Path) -> None:
        self._bench, self._prompt, self._file = bench, prompt, file
        self._folder = folder_of(bench.settings)
        self._saved = read_source(file)
        self._typed_last = 0
        self._looking = asyncio.Lock()  # the last look shows the last text: a slow one never overtakes it

    async def show(self) -> None:
        """Show everything."""
        with box("row between"):
            with box("row"):
                text(self._prompt.name.replace("_", " "), tag="h1")
                self._state = text("saved", "badge good state")
            with box("row"):
                button("As saved", self._revert, hint="drop the edit")
                button("Save", self.save, "primary save", key="Ctrl-S")
        text(f"{self._file.relative_to(self._folder)} · takes {', '.join(self._prompt.inputs)}", "soft small")
        self._findings = box("stack tight findings")
        with box("columns"):
            with box("stack"):
                self._show_editor()
            self._views = PromptViews(self._bench, self._prompt.name)
            self._views.show()
        PromptTrials(self._bench, self).show()
        await self._look()

    @property
    def text(self) -> str:
        """The text as it is edited."""
        return str(self._editor.value)

    @property
    def file(self) -> Path:
        """Its file, within the folder of the prompts."""
        return self._file.relative_to(self._folder)

    @property
    def item(self) -> CatalogItem | None:
        """The item that it is tried on."""
        return self._choice.item

    def edited(self) -> PromptLibrary:
        """Return the prompts with the edit; `PromptError` where it breaks a rule."""
        return self._views.library.with_text(self._prompt.name, self.text)

    async def save(self) -> None:
        """Write the file; refuses where somebody else has changed it underneath."""
        written = self.text
        hashed = save_source(self._file, written, base_hash=self._saved.hash, folder=self._folder)
        self._saved = self._saved.model_copy(update={"text": written, "hash": hashed})
        ui.notify(f"saved {self._file.name}", type="positive")
        await self._look()

    def _show_editor(self) -> None:
        with box("row between"):
            self._choice = ItemChoice(self._bench, self._look)
            self._choice.show()
        self._editor = ui.codemirror(
            self._saved.text,
            language="Markdown",
            line_wrapping=True,
            on_change=self._typed,
            keymap={"Mod-s": in_tab(self.save)},
        ).classes("editor")

    async def _revert(self) -> None:
        self._saved = read_source(self._file)
        self._editor.set_value(self._saved.text)
        await self._look()

    async def _typed(self) -> None:
        self._typed_last += 1
        number = self._typed_last
        await asyncio.sleep(TYPING_SECONDS)
        if number == self._typed_last:
            await self._look()

    async def _look(self) -> None:
        """Check and render the text as it is; one look at a time."""
        async with self._looking:
            await self._look_at(self.text)

    async def _look_at(self, edited: str) -> None:
        same = edited == self._saved.text
        self._state.set_text("saved" if same else "edited")
        self._state.classes(replace=f"badge state {'good' if same else 'doubt'}")
        found = await asyncio.to_thread(partial(_linted, self._file, edited, self._folder))
        self._findings.clear()
        with self._findings:
            _show_findings(found)
        await self._views.look(edited, self._saved.text, self._choice.item)


def _linted(file: Path, edited: str, folder: Path) -> list[Finding]:
    name = file.relative_to(folder).as_posix()
    return lint_text(name, edited, folder, answers=answer_names(), slots=GIVEN_SLOTS)


def _show_findings(found: list[Finding]) -> None:
    if not found:
        text("✓ no findings", "good small")
    for one in found:
        with box("finding"):
            text(one.severity, f"badge {'bad' if one.severity == 'error' else 'doubt'}")
            text("" if one.line is None else f"line {one.line}", "soft small nowrap")
            text(one.reason)
