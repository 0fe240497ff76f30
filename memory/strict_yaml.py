"""YAML of plain text only: mappings, lists and strings, nothing that surprises."""

from pathlib import Path

import yaml

from memory.errors import ReaseqError

YamlValue = str | bool | list["YamlValue"] | dict[str, "YamlValue"]

DEEPEST = 32  # levels of nesting; a taxonomy has six
_STRING = "tag:yaml.org,2002:str"
_BOOLEAN = "tag:yaml.org,2002:bool"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where it is built in: ten times as fast


class YamlError(ReaseqError):
    """A YAML file that says something else than plain text; the text names the file and the line."""


def load_strict_yaml(path: Path, flags: frozenset[str] = frozenset()) -> dict[str, YamlValue]:
    """Return the mapping that a YAML file holds.

    Refused are repeated keys, aliases (so nothing expands), tags, and values that YAML takes for numbers, dates or
    truth values (`no`, 1.5): they have to be quoted. Keys in `flags` hold true or false.
    """
    try:
        content = path.read_bytes()
        _refuse_deep_nesting(path, content)
        root = yaml.compose(content, Loader=_LOADER)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise YamlError(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(root, yaml.MappingNode):
        raise YamlError(f'{path} has to be a mapping, such as "attributes: ..."')
    return _Reading(path, flags).mapping(root)


def _refuse_deep_nesting(path: Path, content: bytes) -> None:
    """Look at the events alone: libyaml composes by recursion, and ends the process where its stack does."""
    depth = 0
    for event in yaml.parse(content, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise YamlError(f"{path} cannot be read as YAML: line {line} is nested more than {DEEPEST} levels deep")


class _Reading:
    """One file on its way from YAML nodes to plain values."""

    def __init__(self, path: Path, flags: frozenset[str]) -> None:
        self._path = path
        self._flags = flags
        self._seen: set[int] = set()

    def mapping(self, node: yaml.MappingNode) -> dict[str, YamlValue]:
        entries: dict[str, YamlValue] = {}
        for key_node, value_node in node.value:
            key = self._text(key_node)
            if key in entries:
                raise self._error(key_node, f"the key {key!r} occurs twice")
            entries[key] = self._flag(value_node) if key in self._flags else self._value(value_node)
        return entries

    def _value(self, node: yaml.Node) -> YamlValue:
        if id(node) in self._seen:
            raise self._error(node, "aliases (*name) are not read: write the value out")
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return self.mapping(node)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self._value(entry) for entry in node.value]
        return self._text(node)

    def _flag(self, node: yaml.Node) -> bool:
        if node.tag != _BOOLEAN or node.value.lower() not in ("true", "false"):
            raise self._error(node, "write true or false")
        return bool(node.value.lower() == "true")

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, "has to be text")
        if node.tag != _STRING:
            shown = node.value[:60]
            raise self._error(
                node, f'{shown!r} is no text for YAML: quote it, as in "{shown}"' if shown else "is empty"
            )
        return str(node.value)

    def _error(self, node: yaml.Node, problem: str) -> YamlError:
        return YamlError(f"{self._path}, line {node.start_mark.line + 1}: {problem}")
