"""What a taxonomy says is wanted, and which phrases are wanted nearly everywhere."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from memory.category_tree import Taxonomy
from memory.demand_space import FEWEST_DEPARTMENTS, DemandSpace
from memory.encoder import Vectors
from memory.relation import Relation
from memory.taxonomy import TaxonomyError, YamlError, load_taxonomy, starter_taxonomy

DEPARTMENT = """
department: {name}
attributes:
  brand_{number}: {{name: Brand, type: text}}
demands:
  used_by: [owners of {name}]
categories:
  - id: things.{number}
    path: [{name}, Things]
    attributes: [brand_{number}]
    demands:
      used_for: [use {number}, {shared}]
      used_with: [other things]
"""


class FirstLetters:
    """An encoder to which phrases are alike that begin with the same letter."""

    name = "first letters"
    dimensions = 26

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row, ord(text[0].lower()) - ord("a")] = 1
        return vectors


def shop(folder: Path, departments: int, wanted_in: int) -> Taxonomy:
    """Return a taxonomy of so many departments, of which the first ones know "gardening"."""
    for number in range(departments):
        shared = "gardening" if number < wanted_in else "fishing"
        content = DEPARTMENT.format(name=f"D{number}", number=number, shared=shared)
        (folder / f"d{number}.yaml").write_text(content, encoding="utf-8")
    return load_taxonomy(folder)


def told(taxonomy: Taxonomy, text: str, department: str = "elsewhere") -> str | None:
    return DemandSpace.build(taxonomy, FirstLetters(), None).surroundings([text], department).generic(0)


def test_a_leaf_has_its_own_demands_before_those_of_its_department(tmp_path: Path) -> None:
    template = shop(tmp_path, 1, 1).template("things.0")

    assert [(demand.relation, demand.text) for demand in template.demands] == [
        (Relation.USED_FOR, "use 0"),
        (Relation.USED_FOR, "gardening"),
        (Relation.USED_WITH, "other things"),
        (Relation.USED_BY, "owners of D0"),
    ]


def test_another_demand_makes_another_version_of_the_taxonomy(tmp_path: Path) -> None:
    before = shop(tmp_path, 2, 1).version

    assert shop(tmp_path, 2, 2).version != before


@pytest.mark.parametrize(
    ("wrong", "error"),
    [("loved_by: [all]", TaxonomyError), ("used_for: [1]", YamlError), ('used_for: [""]', TaxonomyError)],
)
def test_a_demand_that_is_none_is_refused_with_its_place(tmp_path: Path, wrong: str, error: type[Exception]) -> None:
    path = tmp_path / "tools.yaml"
    content = f"department: T\ncategories:\n  - {{id: t.a, path: [T, A], attributes: [], demands: {{{wrong}}}}}\n"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(error, match=r"tools\.yaml"):
        load_taxonomy(path)


def test_every_category_of_the_starter_has_demands_of_its_own() -> None:
    starter = starter_taxonomy()
    shared: dict[str, set[str]] = {}
    for leaf in starter.leaves():
        texts = {demand.text for demand in leaf.demands}
        shared[leaf.path[0]] = shared.get(leaf.path[0], texts) & texts

    assert all(len({d.text for d in leaf.demands} - shared[leaf.path[0]]) >= 2 for leaf in starter.leaves())
    assert all(len(leaf.demands) <= 12 for leaf in starter.leaves())
    assert starter.wanted_of_anything


def test_a_phrase_is_generic_where_more_than_a_third_of_the_other_departments_know_it(tmp_path: Path) -> None:
    taxonomy = shop(tmp_path, 12, 5)

    outside, inside = told(taxonomy, "grow"), told(taxonomy, "grow", "D0")

    assert outside == "wanted in 5 of 12 other departments, as 'gardening'"
    assert inside == "wanted in 4 of 11 other departments, as 'gardening'"


def test_a_phrase_that_a_third_of_the_other_departments_know_is_not_generic(tmp_path: Path) -> None:
    assert told(shop(tmp_path, 12, 4), "grow") is None


def test_few_departments_say_nothing_of_the_others(tmp_path: Path) -> None:
    taxonomy = shop(tmp_path, FEWEST_DEPARTMENTS, FEWEST_DEPARTMENTS)

    assert told(taxonomy, "grow") is not None
    assert told(taxonomy, "grow", "D0") is None


def test_what_may_be_wanted_of_anything_is_generic_in_any_department(tmp_path: Path) -> None:
    taxonomy = shop(tmp_path, 1, 1)
    anything = taxonomy.template("things.0").demands[:1]

    assert told(taxonomy, "use", "D0") is None
    assert told(replace(taxonomy, wanted_of_anything=anything), "use", "D0") == (
        "as good as 'use 0', which may be wanted of anything"
    )


def test_a_public_taxonomy_has_no_demands_but_knows_those_that_tell_nothing_apart(tmp_path: Path) -> None:
    path = tmp_path / "google.txt"
    path.write_text("1 - Hardware > Tools\n", encoding="utf-8")

    taxonomy = load_taxonomy(path)

    assert taxonomy.template("1").demands == ()
    assert taxonomy.wanted_of_anything == starter_taxonomy().wanted_of_anything


def test_what_the_taxonomy_says_is_not_encoded_again(tmp_path: Path) -> None:
    encoded: list[str] = []

    class Listening(FirstLetters):
        def encode(self, texts: Sequence[str]) -> Vectors:
            encoded.extend(texts)
            return super().encode(texts)

    space = DemandSpace.build(shop(tmp_path, 2, 1), Listening(), None)
    encoded.clear()

    around = space.surroundings(["use 0", "gold", "gardening", "upwards"], "D0")

    assert encoded == ["gold", "upwards"]
    assert around.alike.round(3).tolist() == [[1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1]]
