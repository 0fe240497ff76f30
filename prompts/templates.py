"""The sections of prompts as jinja2 templates: parsed, refused where they do what no prompt needs, and compiled."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from jinja2 import DictLoader, StrictUndefined, Template, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from prompts.constructs import construct_faults
from prompts.findings import Finding, errors_in, fault
from prompts.sections import Section

RULE = "template"

Fragments = tuple[tuple[str, str], ...]  # (file name, text), sorted


class References(NamedTuple):
    """What a section names, each with the line on which it does so first, and what is wrong with it."""

    slots: Mapping[str, int | None]
    fragments: Mapping[str, int]
    findings: tuple[Finding, ...]


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


def references(file: str, section: Section, fragments: Mapping[str, str]) -> References:
    """Return the slots and the fragments that a section names, or every fault of it.

    Nothing is compiled before it is known to be harmless: jinja2 computes constants, such as 9 ** 9 ** 9, on the way.
    """
    prompts = environment(())
    try:
        tree = prompts.parse(section.text)
        findings = list(construct_faults(file, section, tree))
        names = {} if findings else _names(section, tree)
        if not findings:
            prompts.from_string(section.text)  # finds unknown filters and tests
    except TemplateSyntaxError as error:
        place = section.line + error.lineno - 1
        return References({}, {}, (fault(file, place, RULE, error.message or "is no template"),))
    except (RecursionError, MemoryError, ValueError) as error:
        return References({}, {}, (fault(file, section.line, RULE, f"is no template: {error}"),))
    included = {} if errors_in(findings) else _included(section, tree)
    findings += [
        fault(file, line, "fragment", f"no fragment {name or 'whose name is computed'} (there are {sorted(fragments)})")
        for name, line in included.items()
        if name not in fragments
    ]
    known = {name: line for name, line in included.items() if name in fragments}
    return References(names, known, tuple(findings))


def _names(section: Section, tree: nodes.Template) -> dict[str, int]:
    """Return the slots that a section names; those that it sets itself are none."""
    undeclared = meta.find_undeclared_variables(tree)
    lines: dict[str, int] = {}
    for node in tree.find_all(nodes.Name):
        if node.name in undeclared:
            lines.setdefault(node.name, section.line + node.lineno - 1)
    return lines


def _included(section: Section, tree: nodes.Template) -> dict[str, int]:
    lines: dict[str, int] = {}
    for node in tree.find_all(nodes.Include):
        for name in _named(node.template):
            lines.setdefault(name, section.line + node.lineno - 1)
    return lines


def _named(expression: nodes.Node) -> Iterator[str]:
    """Yield the names in an include; "" for one that is computed."""
    if isinstance(expression, nodes.Const) and isinstance(expression.value, str):
        yield expression.value
    else:
        yield ""
