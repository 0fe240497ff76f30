"""How public taxonomies read: Shopify's categories with attributes, and plain lines such as Google's."""

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from memory.category import AllowedValue, AttributeSpec, AttributeType, Category
from memory.category_tree import Taxonomy, TaxonomyError, build_taxonomy
from memory.record import Record

_CATEGORIES = ("categories.jsonl", "categories.jsonl.gz")
_Row = TypeVar("_Row")
_LARGEST = 256 << 20  # bytes of a file, unpacked
_LINE = re.compile(r"(?P<id>\S+)\s+[-:]\s(?P<path>.+)")
_ID_PREFIX = "gid://shopify/TaxonomyCategory/"
_NO_VALUE = "Other"  # says that the value is not listed; found in a text, the word says nothing
_WITH_ABBREVIATION = re.compile(r"(?P<name>[^()]+) \((?P<short>[^()]{3,})\)")  # Polyvinyl chloride (PVC)


class _ShopifyAttribute(Record):
    """One line of attributes.jsonl: an attribute with values, or with those of the one it extends."""

    id: int | None
    handle: str
    key: str
    name: str
    description: str = ""
    values: tuple[str, ...] = ()
    extends: str | None = None


class _ShopifyCategory(Record):
    """One line of categories.jsonl."""

    id: str
    path: tuple[str, ...] = Field(min_length=1)
    leaf: bool
    attributes: tuple[str, ...] = ()
    google_id: str | None = None


def shopify_files(path: Path) -> tuple[Path, Path] | None:
    """Return Shopify's categories and attributes files at `path`, a folder or the former file; None for others."""
    if path.is_dir():
        path = next((path / name for name in _CATEGORIES if (path / name).is_file()), path)
    if path.name not in _CATEGORIES:
        return None
    names = ("attributes.jsonl", "attributes.jsonl.gz")
    attributes = next((path.with_name(name) for name in names if path.with_name(name).is_file()), None)
    if attributes is None:
        raise TaxonomyError(f"beside {path} there has to be {' or '.join(names)}")
    return path, attributes


def load_shopify(categories: Path, attributes: Path, defaults: Sequence[AttributeSpec]) -> Taxonomy:
    """Return Shopify's taxonomy; each attribute is an enum of which an item may have several values.

    A category without attributes of its own gets those of the keys of `defaults`.
    """
    contents = [_content(categories), _content(attributes)]
    specs = {spec.key: spec for spec in defaults} | {spec.key: spec for spec in _shopify_specs(attributes, contents[1])}
    keys = tuple(spec.key for spec in defaults)
    rows = _lines(categories, contents[0], _CATEGORY_LINES)
    nodes = (Category(id=row.id, path=row.path, leaf=row.leaf, attributes=row.attributes or keys) for row in rows)
    return build_taxonomy("shopify", b"\n".join(contents), nodes, specs.values())


def load_category_lines(path: Path, defaults: Sequence[AttributeSpec]) -> Taxonomy:
    """Return a taxonomy of lines "id - A > B > C"; # starts a comment; every category has the `defaults`."""
    content = _content(path)
    lines = list(_category_lines(path, content.decode("utf-8-sig", "replace")))
    parents = {steps[:-1] for _, steps in lines}
    keys = tuple(spec.key for spec in defaults)
    nodes = (Category(id=i, path=steps, leaf=steps not in parents, attributes=keys) for i, steps in lines)
    return build_taxonomy(path.name.split(".")[0], content, nodes, defaults)


_ATTRIBUTE_LINES = TypeAdapter(list[_ShopifyAttribute])
_CATEGORY_LINES = TypeAdapter(list[_ShopifyCategory])


def _content(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise TaxonomyError(f"{path} cannot be read: {error}") from error
    if len(content) > _LARGEST:
        raise TaxonomyError(f"{path} is larger than {_LARGEST:,} bytes unpacked: that is no taxonomy")
    return content


def _lines(path: Path, content: bytes, adapter: TypeAdapter[list[_Row]]) -> list[_Row]:
    """Return the lines of a JSON lines file as rows, all validated at once, which is ten times as fast."""
    lines = content.split(b"\n")
    numbers = [number for number, line in enumerate(lines, start=1) if line.strip()]
    try:
        return adapter.validate_json(b"[" + b",".join(lines[number - 1] for number in numbers) + b"]")
    except ValidationError as error:
        first = error.errors()[0]
        position, *fields = first["loc"] or (None,)
        where = f", line {numbers[position]}" if isinstance(position, int) else ""
        raise TaxonomyError(f"{path}{where}: {' / '.join(map(str, fields))}: {first['msg']}") from error


def _shopify_specs(path: Path, content: bytes) -> Iterator[AttributeSpec]:
    rows = {row.key: row for row in _lines(path, content, _ATTRIBUTE_LINES)}
    for row in rows.values():
        base = rows.get(row.extends) if row.extends else row
        if base is None or base.extends:
            raise TaxonomyError(f"{path}: {row.key!r} extends {row.extends!r}, which is no attribute with values")
        values = _allowed_values(tuple(value for value in base.values if value != _NO_VALUE))
        type_ = AttributeType.ENUM if values else AttributeType.TEXT
        yield AttributeSpec(
            key=row.key, name=row.name, type=type_, values=values, description=row.description, many=True
        )


def _allowed_values(names: tuple[str, ...]) -> tuple[AllowedValue, ...]:
    """Return the values, those of the form "Polyvinyl chloride (PVC)" with both parts as other words for them."""
    taken = {name.casefold() for name in names}
    values = []
    for name in names:
        parts = _WITH_ABBREVIATION.fullmatch(name)
        words = [part for part in parts.groups() if part.casefold() not in taken] if parts else []
        taken.update(word.casefold() for word in words)
        values.append(AllowedValue(value=name, aliases=tuple(words)))
    return tuple(values)


def _category_lines(path: Path, text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        entry = _LINE.fullmatch(line.strip())
        steps = tuple(step.strip() for step in entry["path"].split(" > ")) if entry else ()
        if entry is None or not all(steps):
            raise TaxonomyError(
                f'{path}, line {number}: a line reads "166 - Apparel > Clothing", this one {line[:80]!r}'
            )
        yield entry["id"].removeprefix(_ID_PREFIX), steps
