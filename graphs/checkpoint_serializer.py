"""How the state of one item's thread is written into checkpoints, and read from a file that nobody may trust.

LangGraph's own serializer makes whatever a file names, and gives claims back without their evidence's proof. This one
knows a fixed list of kinds, imports nothing, and checks each piece of evidence against the item.
"""

import json
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from memory.category import CategoryChoice, CategoryTemplate
from memory.corrections import Corrections
from memory.errors import ReaseqError
from memory.record import Record
from memory.schema import CatalogItem, Claim, Demand, UngroundedProposal, Verdict

KIND = "reaseq"  # what LangGraph keeps beside each value
RECORDS: dict[str, type[Record]] = {
    kind.__name__: kind
    for kind in (CatalogItem, CategoryChoice, CategoryTemplate, Claim, Corrections, Demand, UngroundedProposal, Verdict)
}
_SEQUENCES: dict[str, Callable[[list[object]], object]] = {
    "list": list,
    "tuple": tuple,
    "frozenset": frozenset,
    "set": set,
}


class CheckpointUnreadable(ReaseqError):
    """What is stored of a thread is no state of this item."""


class ItemSerializer:
    """Writes and reads values of the state of one item (LangGraph's `SerializerProtocol`)."""

    def __init__(self, item: CatalogItem) -> None:
        self._item = item

    def dumps_typed(self, obj: object) -> tuple[str, bytes]:
        """Return the value as JSON in ASCII; `TypeError` where its kind is not on the list."""
        return KIND, json.dumps(_written(obj)).encode()

    def loads_typed(self, data: tuple[str, bytes]) -> object:
        """Return the value; `CheckpointUnreadable` where its kind is not on the list, or it breaks its own rules."""
        kind, content = data
        if kind != KIND:
            raise CheckpointUnreadable(f"a checkpoint holds {kind!r}, and only {KIND!r} is read")
        try:
            return self._read(json.loads(content))
        except (ValueError, TypeError, RecursionError) as error:
            raise CheckpointUnreadable(f"a checkpoint is damaged: {_first_line(error)}") from error

    def _read(self, stored: Any) -> object:
        if not isinstance(stored, list):
            return stored
        kind, content = stored
        if kind in RECORDS:
            return RECORDS[kind].model_validate(content, context={"item": self._item})
        if kind == "dict":
            return {self._read(name): self._read(value) for name, value in content}
        if kind in _SEQUENCES:
            return _SEQUENCES[kind]([self._read(part) for part in content])
        raise CheckpointUnreadable(f"a checkpoint holds {kind!r}, which is no part of an item's state")


def _written(value: object) -> object:
    """Return the value as JSON: plain ones as they are, all others as [kind, content]."""
    kind = type(value).__name__
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Record) and RECORDS.get(kind) is type(value):
        return [kind, value.model_dump(mode="json")]
    if isinstance(value, dict):
        return ["dict", [[_written(name), _written(part)] for name, part in value.items()]]
    if isinstance(value, list | tuple | set | frozenset) and kind in _SEQUENCES:
        return [kind, [_written(part) for part in value]]
    if isinstance(value, BaseException):
        return repr(value)  # what ended a node: to be read by people
    raise TypeError(f"a {kind} is no part of an item's state")


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return error.errors(include_url=False)[0]["msg"]
    return str(error).partition("\n")[0]
