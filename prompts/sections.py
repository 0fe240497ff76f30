"""The two sections of a prompt file: what the system is told, and what the user says."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from prompts.findings import Finding, fault

SECTIONS = ("System", "User")
RULE = "sections"
_HEADING = re.compile(r"^# +(.+?)$", re.MULTILINE)


class Section(NamedTuple):
    """A template, and where it begins in its file."""

    text: str
    line: int = 1


def read_sections(file: str, body: str, first_line: int) -> tuple[tuple[Section, ...], list[Finding]]:
    """Return the sections that a body has, or every fault of them.

    A heading of the first level is a section's, and there are no others; `first_line` is the body's first one.
    """
    headings = list(_HEADING.finditer(body))
    if not _are_the_sections(headings):
        return (), _wrong_headings(file, body, first_line, headings)
    found, findings = [], []
    if body[: headings[0].start()].strip():
        findings.append(fault(file, first_line, RULE, "text before '# System'"))
    for heading, end in zip(headings, [headings[1].start(), len(body)], strict=True):
        text = body[heading.end() : end]
        if not text.strip():
            line = first_line + body[: heading.start()].count("\n")
            findings.append(fault(file, line, RULE, f"the section '# {heading[1]}' is empty"))
            continue
        blank = len(text) - len(text.lstrip())
        found.append(Section(text.strip(), first_line + body[: heading.end() + blank].count("\n")))
    return tuple(found), findings


def _are_the_sections(headings: Sequence[re.Match[str]]) -> bool:
    return [heading[1] for heading in headings] == list(SECTIONS)


def _wrong_headings(file: str, body: str, first_line: int, headings: Sequence[re.Match[str]]) -> list[Finding]:
    names = [heading[1] for heading in headings]
    place = None
    for number, heading in enumerate(headings):
        if number >= len(SECTIONS) or heading[1] != SECTIONS[number]:
            place = first_line + body[: heading.start()].count("\n")
            break
    missing = "".join(f"; '# {name}' is missing" for name in SECTIONS if name not in names)
    reason = f"the headings are {names}; a prompt has '# System', then '# User' (inside them, ##){missing}"
    return [fault(file, place, RULE, reason)]
