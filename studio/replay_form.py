"""A trace again from one step: with the prompts as they are, or with an edit of the step's prompt that is not saved."""

from nicegui import ui

from commands.prompt_choices import library_of
from memory.trace import Trace, TraceStep
from prompts.library import PromptLibrary
from prompts.sources import read_source
from studio.parts import address, box, button, text
from studio.workbench import Workbench


class ReplayForm:
    """The edit, and the button that runs it."""

    def __init__(self, bench: Workbench, trace: Trace, step: TraceStep) -> None:
        self._bench, self._trace, self._step = bench, trace, step
        self._library = library_of(bench.settings)
        named = [call.prompt for call in step.calls if call.prompt in self._library.names()]
        self._prompt = named[0] if named else step.node

    def show(self) -> None:
        """Show the prompt in an editor."""
        self._source = read_source(self._library.file_of(self._prompt)).text
        with box("stack part"):
            text(f"{self._prompt}.md: an edit here is for this run alone; the page Prompts saves.", "soft small")
            self._editor = ui.codemirror(self._source, language="Markdown", line_wrapping=True).classes("small-editor")
            with box("row"):
                button(f"Run from step {self._step.number}", self._run, "primary run-again")

    def _run(self) -> None:
        number, steps = self._trace.id or 0, self._step.number
        self._bench.traces.replay(self._bench.settings, self._trace, steps, self._edited())
        ui.navigate.to(address("items", item=self._trace.item.id, trace=number, live=1))

    def _edited(self) -> PromptLibrary:
        if self._editor.value == self._source:
            return self._library
        return self._library.with_text(self._prompt, self._editor.value)
