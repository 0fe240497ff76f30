"""Prompts as .prompty files (Microsoft Prompty): what can be carried there and back, and what cannot, by name."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from prompts.findings import PromptError
from prompts.front_matter import HeadUnreadable, plain_head
from prompts.library import Prompt
from prompts.sources import read_text
from prompts.written import as_file

ROLES = ("system", "user", "assistant", "function", "tools", "tool", "developer")
CARRIED = ("name", "description", "inputs", "inputSchema", "template", "sample")
_INPUT = re.compile(r"[a-z][a-z0-9_]*")
# A line that Prompty takes for the beginning of a message, such as "user:" or "# System:".
_ROLE = re.compile(rf"^\s*+(?:#\s*+)?({'|'.join(ROLES)})\s*+(?:(\[[^\]\n]*\])\s*+)?:\s*$", re.IGNORECASE)
_HEADING = re.compile(r"^# +(?=\S)", re.MULTILINE)
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)")
_INCLUDE = re.compile(r"^[ \t]*{%-?\s*include\s+[\"'](_[a-z_]+\.md)[\"']\s*-?%}[ \t]*\n?", re.MULTILINE)


class Carried(NamedTuple):
    """A prompt in its other form, and what was lost or changed on the way."""

    text: str
    losses: tuple[str, ...]


def to_prompty(prompt: Prompt) -> Carried:
    """Return a prompt as a .prompty file, and what that cannot carry.

    Raises `PromptError` for a line that would begin a message there.
    """
    sections = {"system": _whole(prompt.system, prompt), "user": _whole(prompt.user, prompt)}
    for role, text in sections.items():
        for number, line in enumerate(text.split("\n"), 1):
            if _ROLE.match(line) or line.strip().startswith("![thread]"):
                raise PromptError(
                    f"{prompt.name!r}: line {number} of its {role} section, {line!r}, begins a message there"
                )
    head: dict[str, object] = {
        "name": prompt.name,
        "description": prompt.purpose,
        "inputs": {name: {"kind": "string"} for name in prompt.inputs},
        "template": {"format": {"kind": "jinja2"}, "parser": {"kind": "prompty"}},
    }
    written = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=10_000)
    body = "\n\n".join(f"{role}:\n{text}" for role, text in sections.items())
    return Carried(f"---\n{written}---\n{body}\n", tuple(_not_carried(prompt)))


def from_prompty(path: Path, name: str, agent: str) -> Carried:
    """Return a .prompty file as the text of a prompt file, and what was left out or changed.

    Raises `PromptError` for what a prompt here cannot be: other roles, several messages of one role, other templates.
    """
    text = read_text(path, path.parent)
    try:
        head, body = plain_head(text)
    except HeadUnreadable as error:
        raise PromptError(f"{path}{f', line {error.line}' if error.line else ''}: {error.reason}") from error
    _refuse_other_templates(path, head)
    messages = _messages(path, body)
    losses = [*_left_out(head), *_changed(messages)]
    inputs = _inputs(path, head)
    purpose = head.get("description") or head.get("name") or f"{name}, from {path.name}"
    system, user = (_HEADING.sub("## ", messages[role]) for role in ("system", "user"))
    prompt = Prompt(name=name, agent=agent, purpose=str(purpose), inputs=tuple(inputs), system=system, user=user)
    return Carried(as_file(prompt), tuple(losses))


def _whole(text: str, prompt: Prompt) -> str:
    """Return a section with the fragments that it includes written out."""
    fragments = dict(prompt.fragments)
    return _INCLUDE.sub(lambda match: fragments.get(match[1], match[0]), text).strip()


def _not_carried(prompt: Prompt) -> Iterator[str]:
    if prompt.agent != prompt.name:
        yield f"the agent, {prompt.agent}: name it again by --as {prompt.name}"
    if prompt.notes:
        yield f"notes ({len(prompt.notes)})"
    for name, _ in prompt.fragments:
        yield f"the fragment {name} is written out; what comes back has another fingerprint"
    if "{%" in prompt.system + prompt.user:
        yield "other tools leave an empty line where a {% … %} stands; here there is none"
    if _IMAGE.search(prompt.system + prompt.user):
        yield "a Markdown image is a text here, and an attached image there"


def _refuse_other_templates(path: Path, head: Mapping[str, Any]) -> None:
    template = head.get("template", "jinja2")
    kind = template.get("format", template.get("type", "jinja2")) if isinstance(template, dict) else template
    kind = kind.get("kind", "jinja2") if isinstance(kind, dict) else kind
    if kind != "jinja2":
        raise PromptError(f"{path}: its templates are {kind!r}; here they are jinja2")


def _messages(path: Path, body: str) -> dict[str, str]:
    """Return the texts of the system and of the user message."""
    found: list[tuple[str, list[str]]] = [("system", [])]  # text before any role is the system's
    for line in body.split("\n"):
        if match := _ROLE.match(line):
            found.append((match[1].lower(), []))
        else:
            found[-1][1].append(line)
    texts = [(role, "\n".join(lines).strip()) for role, lines in found]
    told = [(role, text) for role, text in texts if text]
    if [role for role, _ in told] != ["system", "user"]:
        raise PromptError(f"{path}: its messages are {[role for role, _ in told]}; a prompt has 'system', then 'user'")
    return dict(told)


def _inputs(path: Path, head: Mapping[str, Any]) -> list[str]:
    """Return the names of the inputs, in their three spellings: a mapping, a list of properties, a sample."""
    given = head.get("inputs") or head.get("inputSchema") or head.get("sample") or {}
    if isinstance(given, dict) and isinstance(given.get("properties"), list | dict):
        given = given["properties"]
    names = [part.get("name") for part in given if isinstance(part, dict)] if isinstance(given, list) else list(given)
    found = []
    for name in names:
        if not isinstance(name, str) or not _INPUT.fullmatch(name):
            raise PromptError(f"{path}: the input {name!r} has to be named by small letters, digits and _")
        found.append(name)
    return found


def _left_out(head: Mapping[str, Any]) -> Iterator[str]:
    for key, value in head.items():
        if key not in CARRIED and not (key == "model" and value in ({"api": "chat"}, {"apiType": "chat"})):
            yield f"{key!r} is left out"
    if isinstance(head.get("sample"), dict | str):
        yield "the sample's values are left out"


def _changed(messages: Mapping[str, str]) -> Iterator[str]:
    for role, text in messages.items():
        if _HEADING.search(text):
            yield f"headings of the first level in the {role} message are of the second now"
        if _IMAGE.search(text):
            yield f"an image in the {role} message is a text now"
