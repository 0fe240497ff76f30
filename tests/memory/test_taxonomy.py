"""Taxonomies load whole, or say which entry of which file is wrong."""

import gzip
import json
from pathlib import Path

import pint
import pytest

from memory.category import AttributeType
from memory.taxonomy import Taxonomy, TaxonomyError, UnknownCategory, YamlError, load_taxonomy, starter_taxonomy

ATTRIBUTES = """
attributes:
  brand: {name: Brand, type: text}
  color:
    name: Color
    type: enum
    many: true
    aliases: [Farbe]
    values:
      black: [schwarz]
      white: []
  weight: {name: Weight, type: quantity, unit: gram}
"""
DEPARTMENT = """
department: Kitchen
categories:
  - id: kitchen.mugs
    path: [Kitchen, Drinkware, Mugs]
    also: [Tasse]
    attributes: [weight, brand, color]
  - id: kitchen.pans
    path: [Kitchen, Pans]
    attributes: [brand]
"""


@pytest.fixture(scope="module")
def starter() -> Taxonomy:
    return starter_taxonomy()


def folder(path: Path, attributes: str = ATTRIBUTES, department: str = DEPARTMENT) -> Path:
    (path / "attributes.yaml").write_text(attributes, encoding="utf-8")
    (path / "kitchen.yaml").write_text(department, encoding="utf-8")
    return path


def json_lines(path: Path, rows: list[dict[str, object]]) -> None:
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def test_the_starter_covers_the_departments(starter: Taxonomy) -> None:
    leaves = list(starter.leaves())

    assert len(leaves) >= 150
    assert sum(len(leaf.attributes) for leaf in leaves) >= 400
    assert len({leaf.path[0] for leaf in leaves}) >= 12


def test_every_starter_category_has_a_template_of_usable_attributes(starter: Taxonomy) -> None:
    units: pint.UnitRegistry[float] = pint.UnitRegistry()

    for leaf in starter.leaves():
        template = starter.template(leaf.id)
        assert template.attributes, leaf.id
        assert tuple(spec.key for spec in template.attributes) == leaf.attributes
        for spec in template.attributes:
            assert spec.unit is None or spec.unit in units, spec.key
            assert (spec.type is not AttributeType.ENUM) or spec.values, spec.key
            assert spec.type is not AttributeType.BOOLEAN or {v.value for v in spec.values} <= {"yes", "no"}, spec.key


def test_every_starter_category_lies_below_nodes_that_exist(starter: Taxonomy) -> None:
    inner = {category.path for category in starter.categories.values() if not category.leaf}

    assert all(leaf.path[:depth] in inner for leaf in starter.leaves() for depth in range(1, len(leaf.path)))


def test_a_folder_of_departments_loads_in_order(tmp_path: Path) -> None:
    taxonomy = load_taxonomy(folder(tmp_path))

    template = taxonomy.template("kitchen.mugs")

    assert [spec.key for spec in template.attributes] == ["weight", "brand", "color"]
    assert template.attributes[2].values[0].aliases == ("schwarz",)
    assert template.taxonomy_version == taxonomy.version
    assert [leaf.id for leaf in taxonomy.leaves()] == ["kitchen.mugs", "kitchen.pans"]
    assert taxonomy.category("Kitchen > Drinkware").leaf is False


def test_the_version_follows_the_content_and_not_the_comments(tmp_path: Path) -> None:
    first = load_taxonomy(folder(tmp_path)).version
    commented = load_taxonomy(folder(tmp_path, department=f"# a comment\n{DEPARTMENT}")).version
    changed = load_taxonomy(folder(tmp_path, department=DEPARTMENT.replace("Tasse", "Becher"))).version

    assert commented == first
    assert changed != first
    assert first.startswith(f"{tmp_path.name}-")


def test_an_unknown_category_is_named(starter: Taxonomy) -> None:
    with pytest.raises(UnknownCategory, match=rf"{starter.version} has no category 'no\.such'"):
        starter.template("no.such")


@pytest.mark.parametrize(
    ("attributes", "department", "message"),
    [
        (ATTRIBUTES, DEPARTMENT.replace("kitchen.pans", "kitchen.mugs"), "two categories have the id 'kitchen.mugs'"),
        (ATTRIBUTES, DEPARTMENT.replace("[brand]", "[heat]"), "'kitchen.pans' asks for an unknown attribute 'heat'"),
        (ATTRIBUTES, DEPARTMENT.replace("[Kitchen, Pans]", "[Garden, Pans]"), "path has to start with 'Kitchen'"),
        (ATTRIBUTES, DEPARTMENT.replace(", Pans]", ", Drinkware]"), "'kitchen.pans' cannot be a leaf"),
        (ATTRIBUTES, DEPARTMENT.replace("also:", "aka:"), "categories / kitchen.mugs / aka: Extra inputs"),
        (ATTRIBUTES.replace("white: []", "white: [Schwarz]"), DEPARTMENT, "'Schwarz' means both 'black' and 'white'"),
        (ATTRIBUTES.replace(", unit: gram", ""), DEPARTMENT, "attributes / weight: Value error"),
        (ATTRIBUTES.replace("type: enum", "type: colour"), DEPARTMENT, "attributes / color / type: Input should be"),
        (ATTRIBUTES, DEPARTMENT + "attributes: {brand: {name: B, type: text}}", "two attributes have the key 'brand'"),
    ],
)
def test_an_entry_that_does_not_fit_is_named(tmp_path: Path, attributes: str, department: str, message: str) -> None:
    with pytest.raises(TaxonomyError) as raised:
        load_taxonomy(folder(tmp_path, attributes, department))

    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("a: 1\na: 2", "is no text for YAML"),
        ("a: x\na: y", "line 2: the key 'a' occurs twice"),
        ("a: {b: no}", "line 1: 'no' is no text for YAML: quote it, as in \"no\""),
        ("a: [1.5]", "quote it"),
        ("a: 2024-01-01", "quote it"),
        ("1: x", "quote it"),
        ("a:", "is empty"),
        ("a: &x [b]\nc: *x", "aliases"),
        ("a: !!python/object/apply:os.system ['true']", "has to be text"),
        ("a: !!python/name:os.system x", "quote it"),
        ("? [a]\n: b", "has to be text"),
        ("<<: {a: b}", "quote it"),
        ("many: yes", "write true or false"),
        ("- a", "has to be a mapping"),
        ("a: [", "cannot be read as YAML"),
        ("", "has to be a mapping"),
    ],
)
def test_yaml_that_surprises_is_refused_with_its_line(tmp_path: Path, yaml: str, message: str) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(yaml, encoding="utf-8")

    with pytest.raises(YamlError) as raised:
        load_taxonomy(path)

    assert message in str(raised.value)
    assert str(path) in str(raised.value)


def test_expanding_yaml_is_refused_at_once(tmp_path: Path) -> None:
    laughs = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9) if n else 'lol'}]" for n in range(30))
    path = tmp_path / "t.yaml"
    path.write_text(laughs, encoding="utf-8")

    with pytest.raises(YamlError, match="aliases"):
        load_taxonomy(path)


SHOPIFY_ATTRIBUTES: list[dict[str, object]] = [
    {"id": 1, "handle": "color", "key": "color", "name": "Color", "description": "d", "values": ["Black", "Other"]},
    {"id": None, "handle": "lid-color", "key": "lid_color", "name": "Lid color", "extends": "color"},
    {
        "id": 2,
        "handle": "m",
        "key": "m",
        "name": "M",
        "values": ["Polyvinyl chloride (PVC)", "Polyethylene (PE)", "PVC"],
    },
]
SHOPIFY_CATEGORIES: list[dict[str, object]] = [
    {"id": "hg", "path": ["Home"], "leaf": False, "attributes": [], "google_id": "1"},
    {
        "id": "hg-1",
        "path": ["Home", "Mugs"],
        "leaf": True,
        "attributes": ["lid_color", "color", "m"],
        "google_id": None,
    },
]


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_shopifys_categories_and_attributes_load(tmp_path: Path, suffix: str) -> None:
    json_lines(tmp_path / f"categories.jsonl{suffix}", SHOPIFY_CATEGORIES)
    json_lines(tmp_path / f"attributes.jsonl{suffix}", SHOPIFY_ATTRIBUTES)

    taxonomy = load_taxonomy(tmp_path)

    lid, color, material = taxonomy.template("hg-1").attributes
    assert (lid.type, lid.many, [value.value for value in lid.values]) == (AttributeType.ENUM, True, ["Black"])
    assert color.values == lid.values
    assert [value.aliases for value in material.values] == [("Polyvinyl chloride",), (), ()]
    assert [spec.key for spec in taxonomy.template("hg").attributes] == ["brand", "model", "color", "material", "size"]
    assert taxonomy.template("hg").attributes[2] == color
    assert load_taxonomy(tmp_path / f"categories.jsonl{suffix}").version == taxonomy.version


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ([*SHOPIFY_ATTRIBUTES, {"id": 9, "handle": "x", "key": "x"}], "attributes.jsonl, line 4: name: Field required"),
        ([{**SHOPIFY_ATTRIBUTES[1], "extends": "gone"}], "'lid_color' extends 'gone', which is no attribute"),
        (SHOPIFY_ATTRIBUTES[:1], "category 'hg-1' asks for an unknown attribute 'lid_color'"),
    ],
)
def test_a_bad_line_of_shopifys_files_is_named(
    tmp_path: Path, attributes: list[dict[str, object]], message: str
) -> None:
    json_lines(tmp_path / "categories.jsonl", SHOPIFY_CATEGORIES)
    json_lines(tmp_path / "attributes.jsonl", attributes)

    with pytest.raises(TaxonomyError) as raised:
        load_taxonomy(tmp_path)

    assert message in str(raised.value)


def test_shopifys_categories_need_their_attributes(tmp_path: Path) -> None:
    json_lines(tmp_path / "categories.jsonl", SHOPIFY_CATEGORIES)

    with pytest.raises(TaxonomyError, match=r"there has to be attributes\.jsonl"):
        load_taxonomy(tmp_path)


@pytest.mark.parametrize(
    "lines",
    [
        "# Google_Product_Taxonomy_Version: 2021-09-21\n1 - Animals\n3237 - Animals > Live Animals\n",
        "# Categories\n\ngid://shopify/TaxonomyCategory/1      : Animals\n"
        "gid://shopify/TaxonomyCategory/3237   : Animals > Live Animals\n",
    ],
)
def test_lines_of_paths_load_with_the_default_attributes(tmp_path: Path, lines: str) -> None:
    path = tmp_path / "google.txt.gz"
    path.write_bytes(gzip.compress(lines.encode()))

    taxonomy = load_taxonomy(path)

    assert [leaf.id for leaf in taxonomy.leaves()] == ["3237"]
    assert taxonomy.category("3237").path == ("Animals", "Live Animals")
    assert [spec.key for spec in taxonomy.template("3237").attributes] == [
        "brand",
        "model",
        "color",
        "material",
        "size",
    ]
    assert taxonomy.version.startswith("google-")


@pytest.mark.parametrize("line", ["Animals > Cats", "1 - ", "1 - A >  > B", "1 - A\n1 - B"])
def test_a_line_that_is_no_path_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "lines.txt"
    path.write_text(line, encoding="utf-8")

    with pytest.raises(TaxonomyError, match=r"lines.*(line 1|id '1')"):
        load_taxonomy(path)


@pytest.mark.parametrize("name", ["none.yaml", "empty", "file.json", "broken.txt.gz", "nothing.txt"])
def test_what_is_no_taxonomy_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    for file in ("file.json", "broken.txt.gz", "nothing.txt"):
        (tmp_path / file).write_text("# nothing\n" if file == "nothing.txt" else "{}", encoding="utf-8")

    with pytest.raises(TaxonomyError, match=name.partition(".")[0]):
        load_taxonomy(tmp_path / name)
