"""How a student is kept in a file: one NumPy archive without pickles, its names as JSON inside."""

import zipfile
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from agents.student.parameters import CategoryShape, Layout, Parameters, Shape, layout_of
from agents.student.sparse_rows import Floats
from agents.student.student import CategoryKnowledge, Student
from memory.atomic_file import written_whole
from memory.errors import ReaseqError
from memory.record import Record

_HEADER = "header"
_LARGEST = 1 << 30  # bytes that an archive may unpack to


class StudentFileInvalid(ReaseqError):
    """A file is no student, or a damaged one."""


class _Category(Record):
    """What the header says of a category."""

    name: str
    attributes: tuple[str, ...] = Field(min_length=1)
    values: tuple[str, ...]
    places: tuple[int, ...]  # of the attributes among `names`
    token_features: tuple[int, ...]
    span_features: tuple[int, ...]


class _Header(Record):
    """Everything about a student but its numbers."""

    format: Literal["reaseq-student/2"] = "reaseq-student/2"  # 1 was trained on another layer of MiniLM
    encoder: str
    absent_asked: float = Field(ge=0, le=1)
    context: int = Field(gt=0)
    names: int = Field(gt=0)
    tokens: tuple[str, ...]
    spans: tuple[str, ...]
    categories: tuple[_Category, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _places_exist(self) -> Self:
        for category in self.categories:
            if len(category.places) != len(category.attributes):
                raise ValueError(f"category {category.name!r}: {len(category.places)} places for its attributes")
            for places, end in (
                (category.places, self.names),
                (category.token_features, len(self.tokens)),
                (category.span_features, len(self.spans)),
            ):
                if any(not 0 <= place < end for place in places):
                    raise ValueError(f"category {category.name!r} names a place beyond {end}")
        return self


def save_student(student: Student, path: Path) -> None:
    """Write the student, its numbers in half precision; an existing file is replaced only by a whole new one."""
    header = _header_of(student).model_dump_json().encode()
    arrays: dict[str, NDArray[np.generic]] = {_HEADER: np.frombuffer(header, dtype=np.uint8)}
    arrays |= {
        f"{reader}/{name}": array.astype(np.float16)
        for reader, parameters in (("chooser", student.chooser), ("segmenter", student.segmenter))
        for name, array in parameters.items()
    }
    with written_whole(path) as unfinished, unfinished.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load_student(path: Path) -> Student:
    """Return the student of a file; `StudentFileInvalid` says what is wrong with it. Nothing in it is executed."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > _LARGEST:
            raise StudentFileInvalid(f"{path} unpacks to {size:,} bytes, more than {_LARGEST:,}")
        with np.load(path, allow_pickle=False) as arrays:
            header = _Header.model_validate_json(arrays[_HEADER].tobytes())
            return _student_of(header, dict(arrays))
    except ValidationError as error:
        raise StudentFileInvalid(f"{path} is no student of this version: {error.errors()[0]['msg']}") from error
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise StudentFileInvalid(f"{path} is no student that can be read: {error}") from error


def _header_of(student: Student) -> _Header:
    shared = student.chooser["shared/context"]
    categories = tuple(
        _Category(
            name=name,
            attributes=known.attributes,
            values=known.values,
            places=tuple(known.shape.attributes.tolist()),
            token_features=tuple(known.shape.token_features.tolist()),
            span_features=tuple(known.shape.span_features.tolist()),
        )
        for name, known in student.categories.items()
    )
    return _Header(
        encoder=student.encoder,
        absent_asked=student.absent_asked,
        context=shared.shape[0],
        names=shared.shape[2],
        tokens=tuple(student.token_ids),
        spans=tuple(student.span_ids),
        categories=categories,
    )


def _student_of(header: _Header, arrays: dict[str, Floats]) -> Student:
    known = {category.name: _knowledge_of(category) for category in header.categories}
    shapes = [knowledge.shape for knowledge in known.values()]
    layout = layout_of(Shape(header.names, len(header.tokens), len(header.spans), header.context, shapes))
    token_ids = {name: place for place, name in enumerate(header.tokens)}
    span_ids = {name: place for place, name in enumerate(header.spans)}
    chooser, segmenter = (_parameters_of(reader, layout, arrays) for reader in ("chooser", "segmenter"))
    return Student(header.encoder, header.absent_asked, token_ids, span_ids, known, chooser, segmenter)


def _knowledge_of(category: _Category) -> CategoryKnowledge:
    places, tokens, spans = (
        np.array(numbers, dtype=np.int64)
        for numbers in (category.places, category.token_features, category.span_features)
    )
    return CategoryKnowledge(category.attributes, category.values, CategoryShape(places, tokens, spans))


def _parameters_of(reader: str, layout: Layout, arrays: dict[str, Floats]) -> Parameters:
    parameters = {}
    for name, entry in layout.entries.items():
        array = arrays[f"{reader}/{name}"]
        if array.shape != entry.shape or array.dtype != np.float16 or not np.isfinite(array).all():
            raise ValueError(f"{reader}/{name} has not the numbers that its header promises")
        parameters[name] = array.astype(np.float32)
    return parameters
