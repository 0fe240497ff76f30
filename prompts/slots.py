"""The slots of a prompt beside what its agent gives: a prompt that takes less or more fails when it is run."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from jinja2 import nodes

from prompts.findings import Finding, doubt, fault
from prompts.front_matter import FrontMatter
from prompts.sections import Section
from prompts.templates import environment

OFTEN = 3  # times that a slot may stand in a prompt before somebody should look


class Given(NamedTuple):
    """What an agent fills a prompt's slots with."""

    always: frozenset[str]
    on_request: frozenset[str] = frozenset()  # slots that a prompt may leave out


GivenSlots = Mapping[str, Given]  # file in the folder without ".md" -> what its agent gives
NO_SLOTS: GivenSlots = MappingProxyType({})


def misfits(file: str, name: str, text: str, head: FrontMatter, slots: GivenSlots) -> Iterator[Finding]:
    """Yield the slots that an agent does not fill, and those that it fills and the prompt does not take."""
    given = slots.get(name)
    line = next((number for number, row in enumerate(text.split("\n"), 1) if row.startswith("inputs")), None)
    if given is None:
        if slots:
            yield doubt(file, None, "unasked", f"no agent asks with this prompt; they ask with {', '.join(slots)}")
        return
    for slot in sorted(set(head.inputs) - given.always - given.on_request):
        filled = ", ".join(sorted(given.always | given.on_request))
        yield fault(file, line, "slot-unfilled", f"nobody fills the slot {slot!r}; the agent fills {filled}")
    for slot in sorted(given.always - set(head.inputs)):
        yield fault(file, line, "slot-missing", f"has no slot {slot!r}; the agent fills it, and would fail without")


def repeated_slots(file: str, sections: Sequence[Section]) -> Iterator[Finding]:
    """Yield the slots that stand in a prompt more than `OFTEN` times: each time is paid for."""
    places: dict[str, list[int]] = {}
    for section in sections:
        for node in environment(()).parse(section.text).find_all(nodes.Output):
            for name in node.find_all(nodes.Name):
                places.setdefault(name.name, []).append(section.line + (name.lineno or 1) - 1)
    for slot, lines in places.items():
        if len(lines) > OFTEN:
            yield doubt(file, lines[OFTEN], "repeated", f"holds the slot {slot!r} {len(lines)} times; each is paid for")
