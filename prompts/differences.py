"""How two prompts, or what they say of one item, differ: line by line."""

import difflib
from collections.abc import Sequence

from memory.record import Record
from prompts.library import Prompt, RenderedPrompt

CONTEXT_LINES = 2  # shown around a change


class Difference(Record):
    """What changed from one text to another, as the lines of a unified diff; none where they are the same."""

    before: str  # what the first is called
    after: str
    lines: tuple[str, ...]


def source_difference(before: Prompt, after: Prompt, names: tuple[str, str]) -> Difference:
    """Return how two prompts differ as they are written: head, sections, and the fragments that they include."""
    return _difference(_written(before), _written(after), names)


def rendered_difference(before: RenderedPrompt, after: RenderedPrompt, names: tuple[str, str]) -> Difference:
    """Return how what is sent differs."""
    return _difference(_said(before), _said(after), names)


def _difference(before: Sequence[str], after: Sequence[str], names: tuple[str, str]) -> Difference:
    lines = difflib.unified_diff(before, after, *names, lineterm="", n=CONTEXT_LINES)
    return Difference(before=names[0], after=names[1], lines=tuple(lines))


def _written(prompt: Prompt) -> list[str]:
    head = [f"agent: {prompt.agent}", f"purpose: {prompt.purpose}", f"inputs: [{', '.join(prompt.inputs)}]"]
    head += [f"note: {note}" for note in prompt.notes]
    lines = [*head, "# System", *prompt.system.split("\n"), "# User", *prompt.user.split("\n")]
    for name, text in prompt.fragments:
        lines += [f"# {name}", *text.rstrip("\n").split("\n")]
    return lines


def _said(rendered: RenderedPrompt) -> list[str]:
    return [line for message in rendered.messages for line in (f"[{message.role}]", *message.content.split("\n"))]
