"""Annotated titles: one JSON object a line, as attribute-extraction sets are published."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from pydantic import Field, ValidationError

from evaluators.golden import GoldError
from memory.record import Record

ABSENT = "n/a"  # the value by which annotators say that a title does not state the attribute


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
    with _opened(path) as lines:
        try:
            yield from _parsed(path, lines)
        except (EOFError, gzip.BadGzipFile, UnicodeDecodeError) as error:
            raise GoldError(f"{path}: {error}") from error


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _parsed(path: Path, lines: TextIO) -> Iterator[AnnotatedTitle]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield _without_absent(AnnotatedTitle.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the line"
            raise GoldError(f"{path}, line {number}: {place}: {first['msg']}") from error


def _without_absent(annotated: AnnotatedTitle) -> AnnotatedTitle:
    stated = {name: tuple(v for v in values if v != ABSENT) for name, values in annotated.attributes.items()}
    return annotated.model_copy(update={"attributes": stated})
