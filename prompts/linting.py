"""What makes a prompt file valid: front matter, two sections, and exactly the declared slots."""

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import frontmatter
import yaml
from frontmatter.default_handlers import YAMLHandler
from jinja2 import DictLoader, StrictUndefined, Template, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import StringConstraints, ValidationError

from memory.errors import ReaseqError
from memory.record import Record

LARGEST_FILE = 64 * 1024  # bytes
SECTIONS = ("System", "User")
FRAGMENT_NAME = re.compile(r"_[a-z_]+\.md")

Fragments = tuple[tuple[str, str], ...]  # (file name, text), sorted
_HEADING = re.compile(r"^# +(.+?)$", re.MULTILINE)


class PromptError(ReaseqError):
    """A prompt file, or its use, is wrong; the text names the file, the line where there is one, and the reason."""


class FrontMatter(Record):
    """The head of a prompt file."""

    agent: Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z_]*$")]
    purpose: Annotated[str, StringConstraints(strict=True, min_length=1)]
    inputs: tuple[Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_]*$")], ...]
    notes: tuple[Annotated[str, StringConstraints(strict=True)], ...] = ()


@dataclass(frozen=True)
class PromptSource:
    """A prompt file taken apart: its head, its sections as templates, and the fragments that these include."""

    head: FrontMatter
    system: str
    user: str
    fragments: Fragments


@dataclass(frozen=True)
class _Section:
    text: str
    line: int  # of the file, where the text begins


def read_prompt(path: Path, folder: Path, fragments: Mapping[str, str]) -> PromptSource:
    """Return a prompt file taken apart; `PromptError` when any rule is broken.

    `path` lies in `folder`; `fragments` holds the texts that `{% include %}` may name.
    """
    text = read_text(path, folder)
    head, body = _front_matter(path, text)
    sections = _sections(path, body, text[: len(text) - len(body)].count("\n") + 1)
    used: set[str] = set()
    slots: set[str] = set()
    for section in sections:
        section_slots, section_fragments = _references(path, section, fragments)
        slots |= section_slots
        used |= section_fragments
    for name in used:
        slots |= _fragment_slots(path.parent / name, fragments[name])
    if slots != set(head.inputs):
        raise PromptError(f"{path}: the slots used are {sorted(slots)}, the inputs declared are {sorted(head.inputs)}")
    system, user = sections
    return PromptSource(head, system.text, user.text, tuple(sorted((name, fragments[name]) for name in used)))


def read_text(path: Path, folder: Path) -> str:
    r"""Return a file's text with `\n` line ends and no white space before them."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise PromptError(f"{path}: the link leads out of {folder}")
    if not path.is_file():
        raise PromptError(f"{path}: not a file")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PromptError(f"{path}: not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise PromptError(f"{path}: {error.strerror}") from error
    if len(content) > LARGEST_FILE:
        raise PromptError(f"{path}: a prompt has at most {LARGEST_FILE} bytes")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip()


@lru_cache(maxsize=256)
def environment(fragments: Fragments) -> ImmutableSandboxedEnvironment:
    """Return the jinja2 environment of prompts: plain text, no globals, nothing to load but the fragments."""
    prompts = ImmutableSandboxedEnvironment(
        loader=DictLoader(dict(fragments)),
        undefined=StrictUndefined,
        autoescape=False,  # a prompt is text, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,  # a fragment's own: trim_blocks takes the one after the include
    )
    prompts.globals.clear()
    return prompts


@lru_cache(maxsize=256)
def compiled(template: str, fragments: Fragments) -> Template:
    """Return a section ready to render."""
    return environment(fragments).from_string(template)


class _StrictLoader(yaml.SafeLoader):
    """Plain YAML values: no tags, no aliases (a few lines of them can hold a billion values), no repeated keys."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.get_mark()
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is repeated", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Handler(YAMLHandler):
    def load(self, fm: str, **kwargs: object) -> Any:
        return yaml.load(fm, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader made stricter


def _front_matter(path: Path, text: str) -> tuple[FrontMatter, str]:
    """Return the head and the text after it."""
    if not _Handler().detect(text):
        raise PromptError(f"{path}, line 1: no front matter between two lines of ---")
    try:
        data, body = frontmatter.parse(text, handler=_Handler())
        return FrontMatter.model_validate(data), body
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PromptError(f"{path}, line {line}: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise PromptError(f"{path}: the front matter is not plain YAML") from error
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        key = ".".join(str(part) for part in problem["loc"])
        reason = "unknown key" if problem["type"] == "extra_forbidden" else problem["msg"]
        raise PromptError(f"{path}, line {_line_of(text, key)}: {key!r}: {reason}") from error


def _line_of(text: str, key: str) -> int:
    """Return the line on which a front-matter key stands; 1 when it is missing."""
    start = re.compile(rf"[\"']?{re.escape(key.partition('.')[0])}[\"']?\s*:")
    return next((number for number, line in enumerate(text.splitlines(), 1) if start.match(line)), 1)


def _sections(path: Path, body: str, first_line: int) -> tuple[_Section, _Section]:
    """Return the two sections; a heading of the first level is a section's, and there are no others."""
    headings = list(_HEADING.finditer(body))
    names = [heading[1] for heading in headings]
    if names != list(SECTIONS):
        raise PromptError(f"{path}: the headings are {names}; a prompt has '# System', then '# User' (inside them, ##)")
    if body[: headings[0].start()].strip():
        raise PromptError(f"{path}, line {first_line}: text before '# System'")
    found = []
    for heading, end in zip(headings, [headings[1].start(), len(body)], strict=True):
        text = body[heading.end() : end]
        if not text.strip():
            line = first_line + body[: heading.start()].count("\n")
            raise PromptError(f"{path}, line {line}: the section '# {heading[1]}' is empty")
        blank = len(text) - len(text.lstrip())
        found.append(_Section(text.strip(), first_line + body[: heading.end() + blank].count("\n")))
    return found[0], found[1]


def _references(path: Path, section: _Section, fragments: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """Return the slots and the fragments that a section names; `PromptError` for what a prompt may not do."""
    prompts = environment(())
    try:
        tree = prompts.parse(section.text)
        prompts.from_string(section.text)  # finds unknown filters and tests
    except TemplateSyntaxError as error:
        raise PromptError(f"{path}, line {section.line + error.lineno - 1}: {error.message}") from error
    for node in tree.find_all((nodes.Extends, nodes.Import, nodes.FromImport)):
        raise PromptError(f"{path}, line {section.line + node.lineno - 1}: a prompt only includes fragments")
    names: set[str] = set()
    for name in meta.find_referenced_templates(tree):
        if name is None or name not in fragments:
            raise PromptError(f"{path}: no fragment {name or 'whose name is computed'} (there are {sorted(fragments)})")
        names.add(name)
    return meta.find_undeclared_variables(tree), names


def _fragment_slots(path: Path, text: str) -> set[str]:
    slots, included = _references(path, _Section(text, 1), {})
    assert not included  # noqa: S101 - no fragment was on offer
    return slots
