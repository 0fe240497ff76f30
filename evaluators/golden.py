"""Golden sets: what a careful annotator says of an item, one JSON object a line."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import AliasChoices, Field, JsonValue, ValidationError, field_validator

from evaluators.gold_files import GoldError, first_fault, numbered_lines
from memory.record import Record

__all__ = ["ABSENT", "BadGoldLine", "GoldError", "GoldItem", "gold_lines", "read_gold"]

ABSENT = "n/a"  # the value by which annotators say that an item does not state the attribute


class GoldItem(Record):
    """The right category and values of one item, and its text, unless a catalog has that.

    `attributes` holds each attribute that was looked for: its acceptable values, or none where the item does not state
    it. For an attribute of one value any of them is right; for one of many values all of them are. What is missing was
    not looked for, unless the set is said to be complete.
    """

    item_id: str = Field(min_length=1, max_length=200, validation_alias=AliasChoices("id", "item_id"))
    title: str = ""
    description: str = ""
    fields: dict[str, str] = Field(default_factory=dict)
    split: str = "test"
    category: str = ""  # an id, or a path as "A > B > C"; empty: nobody said
    attributes: dict[str, tuple[str, ...]]
    demands: tuple[str, ...] = ()  # what people want it for, as phrases; not a complete list

    @field_validator("attributes", mode="before")
    @classmethod
    def _listed(cls, given: JsonValue) -> JsonValue:
        if not isinstance(given, dict):
            return given
        lists = {name: values if isinstance(values, list | tuple) else [values] for name, values in given.items()}
        return {name: [_text(value) for value in values if value != ABSENT] for name, values in lists.items()}


class BadGoldLine(Record):
    """A line that is no golden item, and why."""

    file: str
    line: int
    reason: str


def gold_lines(path: Path) -> Iterator[GoldItem | BadGoldLine]:
    """Yield each line as an item, or as a bad line with the reason; `GoldError` where the file cannot be read."""
    seen: dict[str, int] = {}
    for number, line in numbered_lines(path):
        try:
            item = GoldItem.model_validate_json(line)
        except ValidationError as error:
            yield BadGoldLine(file=str(path), line=number, reason=first_fault(error))
            continue
        first = seen.setdefault(item.item_id, number)
        if first == number:
            yield item
        else:
            yield BadGoldLine(file=str(path), line=number, reason=f"repeats the id of line {first}")


def read_gold(path: Path) -> Iterator[GoldItem]:
    """Yield the golden items of a file; `GoldError` names file, line and reason of the first line that is none."""
    for line in gold_lines(path):
        if isinstance(line, BadGoldLine):
            raise GoldError(f"{line.file}, line {line.line}: {line.reason}")
        yield line


def _text(value: JsonValue) -> JsonValue:
    """Return a value as text where it is a plain one; anything else is left to be refused."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int | float) else value
