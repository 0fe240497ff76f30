"""Golden sets: what a careful annotator says of an item, one JSON object a line."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field, ValidationError

from memory.errors import ReaseqError
from memory.record import Record


class GoldError(ReaseqError):
    """A golden file has a line that is none."""


class GoldItem(Record):
    """The right category and values of one item.

    `attributes` is complete for the attributes of the category: what is absent there is not stated by the item. For an
    attribute of one value the list holds all acceptable answers; for one of many values it holds them all.
    """

    item_id: str = Field(min_length=1)
    split: str = "test"
    category: str = Field(min_length=1)
    attributes: dict[str, tuple[str, ...]]


def read_gold(path: Path) -> Iterator[GoldItem]:
    """Yield the golden items of a JSON Lines file; `GoldError` names file, line and reason."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield GoldItem.model_validate_json(line)
            except ValidationError as error:
                first = error.errors()[0]
                place = ".".join(map(str, first["loc"])) or "the line"
                raise GoldError(f"{path}, line {number}: {place}: {first['msg']}") from error
