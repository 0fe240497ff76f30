"""Annotated titles: one JSON object a line, as attribute-extraction sets are published."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field, ValidationError

from evaluators.gold_files import first_fault, numbered_lines
from evaluators.golden import ABSENT, GoldError
from memory.record import Record


class AnnotatedTitle(Record):
    """A title with the values that annotators found in it.

    `attributes` holds each attribute that was looked for: its acceptable values, or none where the title does not state
    it. An attribute that is missing was not looked for, so nothing is known of it.
    """

    title: str = Field(min_length=1)
    category: str = Field(min_length=1)
    attributes: dict[str, tuple[str, ...]]


def read_annotated(path: Path) -> Iterator[AnnotatedTitle]:
    """Yield the titles of a JSON Lines file, gzipped where its name ends in ".gz".

    Each line has `title`, `category` and `attributes` (name -> list of values, "n/a" for an absent one). `GoldError`
    names file, line and reason.
    """
    for number, line in numbered_lines(path):
        try:
            yield _without_absent(AnnotatedTitle.model_validate_json(line))
        except ValidationError as error:
            raise GoldError(f"{path}, line {number}: {first_fault(error)}") from error


def _without_absent(annotated: AnnotatedTitle) -> AnnotatedTitle:
    stated = {name: tuple(v for v in values if v != ABSENT) for name, values in annotated.attributes.items()}
    return annotated.model_copy(update={"attributes": stated})
