"""What a prompt's template may do: fill slots, choose between texts, include fragments; nothing that explodes."""

from collections.abc import Iterator
from typing import NamedTuple

from jinja2 import nodes
from jinja2.filters import FILTERS

from prompts.findings import Finding, fault
from prompts.sections import Section

RULE = "construct"
DEEPEST = 60  # levels of nesting
LONGEST_LOOP = 50  # turns
LONGEST_ARGUMENT = 200  # of a filter: a number, or characters
GROWTH = 1000  # how many times as long as its slots a rendering may be
LARGEST_TEXT = 256 * 1024  # characters of its own that a rendering may have

# Filters that give at most a few times what they are given.
WITH_ARGUMENTS = frozenset({"d", "default", "float", "int", "round", "truncate"})
BARE = frozenset({"abs", "capitalize", "count", "e", "escape", "first", "last", "length", "list", "lower", "reverse"})
PLAIN = WITH_ARGUMENTS | BARE | {"safe", "sort", "string", "striptags", "title", "tojson", "trim", "unique", "upper"}
GROWING = frozenset({"center", "indent", "join", "replace", "wordwrap"})
_ESCAPED = 6  # "<" becomes "&lt;" or "\u003c"
_LOOP_PARTS = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})
_HARMLESS = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Const,
    nodes.Name,
    nodes.If,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
    nodes.Compare,
    nodes.Operand,
    nodes.Concat,
    nodes.Add,
    nodes.Sub,
    nodes.Test,
    nodes.List,
    nodes.Tuple,
    nodes.Slice,
    nodes.Keyword,
)
_REASONS: dict[type[nodes.Node], str] = {
    nodes.Extends: "a prompt only includes fragments",
    nodes.Import: "a prompt only includes fragments",
    nodes.FromImport: "a prompt only includes fragments",
    nodes.Call: "calls nothing: a slot is a text, and a filter such as `trim` changes it",
    nodes.Macro: "has no macros: they may call themselves without end",
    nodes.Mul: "repeats nothing: write the text out",
    nodes.Pow: "computes nothing: write the number out",
    nodes.Mod: "formats nothing with %: a product's text may hold a width of a thousand million",
    nodes.Assign: "sets no names of its own: each may double the last",
    nodes.AssignBlock: "sets no names of its own: each may double the last",
}


class _Place(NamedTuple):
    """A node with what stands around it."""

    node: nodes.Node
    depth: int = 0
    turns: int = 1  # of the loop around it
    growth: int = 1  # by the filters and the loop around it
    line: int = 1  # of the section; a part of an expression may have none of its own


def construct_faults(file: str, section: Section, tree: nodes.Template) -> Iterator[Finding]:
    """Yield what a section does that no prompt needs and that can escape, explode, or never end.

    What passes renders to at most `GROWTH` times its slots and `LARGEST_TEXT` characters of its own.
    """
    waiting, weight, text = [_Place(tree)], 0, 0
    while waiting:
        place = waiting.pop()
        line = section.line + place.line - 1
        if reason := _reason(place):
            yield fault(file, line, RULE, reason)
            continue
        match place.node:
            case nodes.Name(ctx="load"):
                weight += place.growth
            case nodes.TemplateData(data=data):
                text += len(data) * place.turns
        waiting += _children(place)
    if weight > GROWTH:
        yield fault(file, section.line, RULE, f"a rendering may be {weight:,} times as long as its slots")
    if text > LARGEST_TEXT:
        yield fault(file, section.line, RULE, f"a rendering would have {text:,} characters of its own")


def _children(place: _Place) -> Iterator[_Place]:
    turns, growth = place.turns, place.growth
    match place.node:
        case nodes.For(iter=nodes.List(items=items) | nodes.Tuple(items=items)):
            turns, growth = turns * len(items), growth * max(1, len(items))
        case nodes.Filter() as used:
            growth *= _growth(used)
    for child in place.node.iter_child_nodes():
        line: int | None = child.lineno
        yield _Place(child, place.depth + 1, turns, growth, line or place.line)


def _reason(place: _Place) -> str:
    """Return why a node may not stand in a prompt; empty where it may."""
    node = place.node
    if place.depth > DEEPEST:
        return f"nested more than {DEEPEST} levels deep"
    if isinstance(node, _HARMLESS):
        return ""
    reason = _REASONS.get(type(node), f"a prompt has no use for {type(node).__name__.lower()}")
    match node:
        case nodes.Filter():
            reason = _filter_reason(node)
        case nodes.For():
            reason = _loop_reason(node, place)
        case nodes.Getattr() | nodes.Getitem():
            reason = _part_reason(node)
        case nodes.Include():
            reason = "includes nothing inside a loop" if place.turns > 1 else ""
    return reason


def _filter_reason(node: nodes.Filter) -> str:
    if node.node is None:
        return "a prompt has no use for filter blocks"
    if node.name not in PLAIN | GROWING:
        risky = node.name in FILTERS
        return f"the filter {node.name!r} may explode or draw" if risky else f"No filter named {node.name!r}."
    if node.dyn_args or node.dyn_kwargs:
        return f"the filter {node.name!r} takes no arguments that are unpacked"
    arguments = _arguments(node)
    if node.name in PLAIN - WITH_ARGUMENTS and arguments:
        return f"the filter {node.name!r} takes no arguments here"
    if node.name in GROWING and not all(_is_small(argument) for argument in arguments):
        return f"the filter {node.name!r} takes constants of at most {LONGEST_ARGUMENT} (characters)"
    return ""


def _arguments(node: nodes.Filter) -> list[nodes.Expr]:
    return [*node.args, *(keyword.value for keyword in node.kwargs)]


def _is_small(argument: nodes.Expr) -> bool:
    match argument:
        case nodes.Const(value=str(text)):
            return len(text) <= LONGEST_ARGUMENT
        case nodes.Const(value=int(number)):  # a truth value, too
            return 0 <= number <= LONGEST_ARGUMENT
    return False


def _growth(node: nodes.Filter) -> int:
    """Return how many times as long a filter may make a text, at most."""
    if node.name in PLAIN:
        return _ESCAPED if node.name in ("e", "escape", "tojson") else 1
    values = [argument.value for argument in _arguments(node) if isinstance(argument, nodes.Const)]
    return 1 + sum(len(value) if isinstance(value, str) else int(value) for value in values)


def _loop_reason(node: nodes.For, place: _Place) -> str:
    if node.recursive:
        return "a loop that calls itself may never end"
    if place.turns > 1:
        return "a loop inside a loop multiplies"
    if not isinstance(node.iter, nodes.List | nodes.Tuple):
        return "loops over nothing but a list that is written out: a slot is one text"
    if len(node.iter.items) > LONGEST_LOOP:
        return f"a loop has at most {LONGEST_LOOP} turns"
    return ""


def _part_reason(node: nodes.Getattr | nodes.Getitem) -> str:
    if isinstance(node, nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name == "loop" and node.attr in _LOOP_PARTS:
            return ""
        return f"asks a text for {node.attr!r}: it has nothing that a prompt may ask for"
    if isinstance(node.arg, nodes.Slice):
        return ""
    if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, int):
        return ""
    return "takes parts of a text by number only, such as item[:200]"
