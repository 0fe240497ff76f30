"""Where taxonomies are loaded from: the starter's departments, files in the same form, public taxonomies."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import orjson
from pydantic import Field, ValidationError

from memory.category import AllowedValue, AttributeSpec, AttributeType, Category, CategoryDemand, TitlePosition
from memory.category_tree import Taxonomy, TaxonomyError, UnknownCategory, build_taxonomy
from memory.public_taxonomies import load_category_lines, load_shopify, shopify_files
from memory.record import Record
from memory.relation import Relation
from memory.strict_yaml import YamlError, YamlValue, load_strict_yaml

__all__ = ["Taxonomy", "TaxonomyError", "UnknownCategory", "YamlError", "load_taxonomy", "starter_taxonomy"]

_DEPARTMENTS = Path(__file__).parent / "departments"
_FLAGS = frozenset({"many"})
_Demands = dict[Relation, tuple[str, ...]]
# For the categories of public taxonomies that state no attributes.
_DEFAULT_KEYS = ("brand", "model", "color", "material", "size")


def starter_taxonomy() -> Taxonomy:
    """Return the taxonomy that ships with reaseq, one file a department in `memory/departments`."""
    return _load_departments(sorted(_DEPARTMENTS.glob("*.yaml")), "starter")


def load_taxonomy(path: Path) -> Taxonomy:
    """Return the taxonomy at `path`.

    A folder or a file in the form of `memory/departments` (.yaml); Shopify's categories.jsonl with attributes.jsonl
    beside it, or their folder (also .gz); lines "id - A > B > C" as Google publishes them, or Shopify's
    "id : A > B > C" (.txt, .txt.gz). `TaxonomyError` or `YamlError` says what is wrong with anything else.
    """
    if not path.exists():
        raise TaxonomyError(f"there is no taxonomy at {path}")
    if shopify := shopify_files(path):
        return _with_shared_demands(load_shopify(*shopify, _default_attributes()))
    if path.name.endswith((".txt", ".txt.gz")):
        return _with_shared_demands(load_category_lines(path, _default_attributes()))
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files or any(file.suffix not in (".yaml", ".yml") for file in files):
        raise TaxonomyError(f"{path} is no taxonomy: it holds neither .yaml nor categories.jsonl, and is no .txt")
    return _load_departments(files, path.stem)


class _AttributeEntry(Record):
    """One attribute as a department file has it."""

    name: str
    type: AttributeType
    unit: str | None = None
    many: bool = False
    aliases: tuple[str, ...] = ()
    description: str = ""
    title_position: TitlePosition | None = None
    values: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class _CategoryEntry(Record):
    """One leaf as a department file has it."""

    id: str
    path: tuple[str, ...]
    also: tuple[str, ...] = ()
    attributes: tuple[str, ...]
    demands: _Demands = Field(default_factory=dict)


class _DepartmentFile(Record):
    """One file: a department, or the attributes that all share."""

    department: str | None = None
    attributes: dict[str, _AttributeEntry] = Field(default_factory=dict)
    demands: _Demands = Field(default_factory=dict)  # of everything in it; without a department, of anything at all
    categories: tuple[_CategoryEntry, ...] = ()


def _load_departments(files: Iterable[Path], name: str) -> Taxonomy:
    contents = {file: load_strict_yaml(file, _FLAGS) for file in files}
    departments = {file: _department(file, content) for file, content in contents.items()}
    specs = [spec for file, department in departments.items() for spec in _specs(file, department)]
    leaves = [category for file, department in departments.items() for category in _leaves(file, department)]
    content = orjson.dumps([contents[file] for file in sorted(contents)])
    anything = [d for file, part in departments.items() if not part.department for d in _demands(file, part.demands)]
    return build_taxonomy(name, content, [*_inner_nodes(leaves), *leaves], specs, anything)


def _default_attributes() -> list[AttributeSpec]:
    shared = {spec.key: spec for spec in _specs(*_shared())}
    return [shared[key] for key in _DEFAULT_KEYS]


def _with_shared_demands(taxonomy: Taxonomy) -> Taxonomy:
    """Return a public taxonomy, which states no demands, with those that the starter knows to tell nothing apart."""
    file, shared = _shared()
    return replace(taxonomy, wanted_of_anything=tuple(_demands(file, shared.demands)))


def _shared() -> "tuple[Path, _DepartmentFile]":
    file = _DEPARTMENTS / "attributes.yaml"
    return file, _department(file, load_strict_yaml(file, _FLAGS))


def _department(file: Path, content: Mapping[str, YamlValue]) -> _DepartmentFile:
    try:
        return _DepartmentFile.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        entry = _entry(content, first["loc"])
        raise TaxonomyError(f"{file}: {entry}: {first['msg']}") from error


def _entry(content: Mapping[str, YamlValue], location: tuple[int | str, ...]) -> str:
    """Return where in the file something is wrong; a category by its id, not by its position."""
    categories = content.get("categories")
    if len(location) > 1 and location[0] == "categories" and isinstance(categories, list):
        category = categories[int(location[1])]
        if isinstance(category, dict) and isinstance(category.get("id"), str):
            location = ("categories", str(category["id"]), *location[2:])
    return " / ".join(map(str, location))


def _specs(file: Path, department: _DepartmentFile) -> Iterator[AttributeSpec]:
    for key, entry in department.attributes.items():
        _refuse_ambiguous_words(file, key, entry.values)
        values = tuple(AllowedValue(value=value, aliases=words) for value, words in entry.values.items())
        try:
            yield AttributeSpec(key=key, values=values, **entry.model_dump(exclude={"values"}))
        except ValidationError as error:
            raise TaxonomyError(f"{file}: attributes / {key}: {error.errors()[0]['msg']}") from error


def _refuse_ambiguous_words(file: Path, key: str, values: Mapping[str, tuple[str, ...]]) -> None:
    meanings: dict[str, str] = {}
    for value, words in values.items():
        for word in (value, *words):
            other = meanings.setdefault(word.casefold(), value)
            if other != value:
                raise TaxonomyError(f"{file}: attributes / {key}: {word!r} means both {other!r} and {value!r}")


def _leaves(file: Path, department: _DepartmentFile) -> Iterator[Category]:
    shared = list(_demands(file, department.demands))
    for entry in department.categories:
        if not entry.path or entry.path[0] != department.department:
            raise TaxonomyError(f"{file}: category {entry.id!r}: its path has to start with {department.department!r}")
        own = _demands(file, entry.demands)
        yield Category(
            id=entry.id,
            path=entry.path,
            also=entry.also,
            attributes=entry.attributes,
            demands=tuple(dict.fromkeys((*own, *shared))),
        )


def _demands(file: Path, given: _Demands) -> Iterator[CategoryDemand]:
    for relation, texts in given.items():
        for text in texts:
            try:
                yield CategoryDemand(relation=relation, text=text)
            except ValidationError as error:
                raise TaxonomyError(f"{file}: demands / {relation}: {error.errors()[0]['msg']}") from error


def _inner_nodes(leaves: Iterable[Category]) -> Iterator[Category]:
    """Yield each node above the leaves once; its id is its path written out."""
    paths = {leaf.path: leaf.id for leaf in leaves}
    inner = dict.fromkeys(path[:depth] for path in paths for depth in range(1, len(path)))
    for path in inner:
        if path in paths:
            raise TaxonomyError(f"category {paths[path]!r} cannot be a leaf: others lie below {' > '.join(path)!r}")
        yield Category(id=" > ".join(path), path=path, leaf=False)
