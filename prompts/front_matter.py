"""The head of a prompt file: plain YAML between two lines of ---, with known keys only."""

import re
from collections.abc import Hashable
from typing import Annotated, Any, NamedTuple

import frontmatter
import yaml
from frontmatter.default_handlers import YAMLHandler
from pydantic import StringConstraints, ValidationError

from memory.record import Record
from prompts.findings import Finding, fault

RULE = "front-matter"


class FrontMatter(Record):
    """The head of a prompt file."""

    agent: Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z_]*$")]
    purpose: Annotated[str, StringConstraints(strict=True, min_length=1)]
    inputs: tuple[Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_]*$")], ...]
    notes: tuple[Annotated[str, StringConstraints(strict=True)], ...] = ()


class Head(NamedTuple):
    """What was read of a head: None where it is wrong, and then why; and the text after it."""

    front_matter: FrontMatter | None
    body: str
    findings: tuple[Finding, ...] = ()


class HeadUnreadable(ValueError):
    """A head is no plain YAML; `line` counts from 1 at the line of --- that begins it."""

    def __init__(self, line: int | None, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def read_head(file: str, text: str) -> Head:
    """Return the head of a prompt file and the text after it, or every fault of the head."""
    try:
        data, body = plain_head(text)
    except HeadUnreadable as error:
        return Head(None, _after_head(text), (fault(file, error.line, RULE, error.reason),))
    try:
        return Head(FrontMatter.model_validate(data), body)
    except ValidationError as error:
        return Head(None, body, tuple(_faults(file, text, error)))


def plain_head(text: str) -> tuple[dict[Any, Any], str]:
    """Return the mapping in a text's head and the text after it; raises `HeadUnreadable`.

    Refused are tags, aliases (a few lines of them can hold a billion values) and repeated keys.
    """
    if not _Handler().detect(text):
        raise HeadUnreadable(1, "no front matter between two lines of ---")
    try:
        data, body = frontmatter.parse(text, handler=_Handler())
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise HeadUnreadable(line, str(error.problem)) from error
    # Of a date that there is none of, or of a number with thousands of digits, YAML says ValueError.
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise HeadUnreadable(None, "the front matter is not plain YAML") from error
    return data, body


class _StrictLoader(yaml.SafeLoader):
    """Plain YAML values: no tags, no aliases, no repeated keys."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.get_mark()
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is repeated", key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep)


class _Handler(YAMLHandler):
    def load(self, fm: str, **kwargs: object) -> Any:
        return yaml.load(fm, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader made stricter


def _after_head(text: str) -> str:
    """Return what follows a head that cannot be read; nothing where nobody can say where it ends."""
    _, begun, rest = text.partition("---\n")
    _, ended, body = rest.partition("\n---\n")
    return body.strip() if begun and ended else ""


def _faults(file: str, text: str, error: ValidationError) -> list[Finding]:
    found = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        key = ".".join(str(part) for part in problem["loc"])
        reason = "unknown key" if problem["type"] == "extra_forbidden" else problem["msg"]
        found.append(fault(file, _line_of(text, key), RULE, f"{key!r}: {reason}"))
    return found


def _line_of(text: str, key: str) -> int:
    """Return the line on which a front-matter key stands; 1 when it is missing."""
    start = re.compile(rf"[\"']?{re.escape(key.partition('.')[0])}[\"']?\s*:")
    return next((number for number, line in enumerate(text.splitlines(), 1) if start.match(line)), 1)
