"""What an edit comes to: the messages as a model would get them for an item, and what differs from the saved file."""

import asyncio
import difflib
from collections.abc import Iterator

from nicegui.element import Element

from commands.prompt_choices import library_of
from commands.prompt_values import values_for
from memory.schema import CatalogItem
from prompts.findings import PromptError
from prompts.library import Prompt, PromptLibrary, RenderedPrompt
from studio.parts import box, heading, text
from studio.workbench import Workbench

CONTEXT = 2  # lines around a difference
KEPT = 50  # items whose slots are kept: to fill them takes a second, and an encoder
_Line = tuple[str, str]  # classes, content


class PromptViews:
    """The rendering and the difference; both follow the editor."""

    rendered: Element
    difference: Element

    def __init__(self, bench: Workbench, name: str) -> None:
        self._bench, self._name = bench, name
        self.library: PromptLibrary = library_of(bench.settings)

    def show(self) -> None:
        """Show the places."""
        with box("stack"):
            self.rendered = box("rendered")
            self.difference = box("difference")

    async def look(self, edited: str, saved: str, item: CatalogItem | None) -> None:
        """Render a text, and tell it from the saved one."""
        told = await asyncio.to_thread(self._render, edited, item)
        self.rendered.clear()
        with self.rendered:
            _show_rendered(told, item)
        self.difference.clear()
        with self.difference:
            _show_difference(saved, edited)

    def _render(self, edited: str, item: CatalogItem | None) -> RenderedPrompt | str:
        """Return the messages, or why there are none."""
        if item is None:
            return "choose an item to see it rendered"
        try:
            prompt = self.library.with_text(self._name, edited).get(self._name)
            return prompt.render(**self._filled(prompt, item))
        except PromptError as error:
            return str(error)

    def _filled(self, prompt: Prompt, item: CatalogItem) -> dict[str, str]:
        kept, key = self._bench.slot_values, (item.content_hash, prompt.name, prompt.inputs)
        if key not in kept:
            if len(kept) >= KEPT:
                kept.clear()
            kept[key] = values_for(prompt, item, self._bench.settings)
        return kept[key]


def _show_rendered(told: RenderedPrompt | str, item: CatalogItem | None) -> None:
    heading("As it is rendered", f"for item {item.id}: {item.title}" if item else "")
    if isinstance(told, str):
        text(told, "told bad")
        return
    for message in told.messages:
        text(f"{message.role} · {len(message.content):,} characters", "soft small")
        text(message.content, f"message of-{message.role}")


def _show_difference(saved: str, edited: str) -> None:
    if saved == edited:
        return
    heading("What differs from the saved file")
    with box("message"):
        for classes, content in _difference(saved, edited):
            text(content or " ", classes, "span")


def _difference(saved: str, edited: str) -> Iterator[_Line]:
    lines = difflib.unified_diff(saved.splitlines(), edited.splitlines(), lineterm="", n=CONTEXT)
    for number, line in enumerate(lines):
        if number >= 2:  # the first two name files
            style = {"+": "come", "-": "gone", "@": "place"}.get(line[:1], "same")
            yield style, line
