"""A prompt file taken apart: its head, its two sections, the fragments that they include, and what is wrong with it."""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import NamedTuple

from prompts.findings import Finding, fault, in_order
from prompts.front_matter import FrontMatter, read_head
from prompts.sections import Section, read_sections
from prompts.templates import Fragments, References, references


class PromptSource(NamedTuple):
    """A prompt file without a fault."""

    head: FrontMatter
    system: Section
    user: Section
    fragments: Fragments


class TakenApart(NamedTuple):
    """What became of a file: the prompt, unless a finding is an error."""

    source: PromptSource | None
    findings: tuple[Finding, ...]


def take_apart(file: str, name: str, text: str, fragments: Mapping[str, str]) -> TakenApart:
    """Return a prompt file taken apart, with every fault of it; `fragments` are the texts that it may include.

    `file` is what findings call it; `text` is normal (`sources.normal_text`).
    """
    head, body, findings = read_head(file, text)
    is_headless = head is None and not body  # nobody can say where sections would begin
    first_line = text[: len(text) - len(body)].count("\n") + 1
    sections, faults = ((), []) if is_headless else read_sections(file, body, first_line)
    named = [references(file, section, fragments) for section in sections]
    used = sorted({fragment for found in named for fragment in found.fragments})
    included = [fragment_references(_beside(file, fragment), fragments[fragment]) for fragment in used]
    faults += [finding for found in (*named, *included) for finding in found.findings]
    if head is not None:
        faults += _agent_faults(file, name, head)
        if not faults:
            of_fragments = [References(dict.fromkeys(found.slots), {}, ()) for found in included]
            faults += _slot_faults(file, text, head, [*named, *of_fragments])
    if findings or faults or head is None:
        return TakenApart(None, tuple(in_order([*findings, *faults])))
    kept = tuple((fragment, fragments[fragment]) for fragment in used)
    return TakenApart(PromptSource(head, sections[0], sections[1], kept), ())


def fragment_references(file: str, text: str) -> References:
    """Return what a fragment names; it includes nothing."""
    return references(file, Section(text), {})


def _agent_faults(file: str, name: str, head: FrontMatter) -> Iterator[Finding]:
    if name != head.agent and not name.startswith(f"{head.agent}_"):
        reason = f"agent {head.agent!r} has its prompts in {head.agent}.md or {head.agent}_*.md"
        yield fault(file, None, "agent", reason)


def _slot_faults(file: str, text: str, head: FrontMatter, named: list[References]) -> Iterator[Finding]:
    used: dict[str, int | None] = {}
    for found in named:
        used = {**found.slots, **used}
    for slot in sorted(used.keys() - set(head.inputs)):
        yield fault(
            file, used[slot], "slot-unknown", f"uses the slot {slot!r}, but its inputs are {sorted(head.inputs)}"
        )
    line = next((number for number, row in enumerate(text.split("\n"), 1) if row.startswith("inputs")), None)
    for slot in sorted(set(head.inputs) - used.keys()):
        yield fault(file, line, "slot-unused", f"declares the input {slot!r}, but uses only {sorted(used)}")


def _beside(file: str, fragment: str) -> str:
    return str(PurePath(file).parent / fragment)
