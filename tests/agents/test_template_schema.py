"""Templates as JSON Schema: every category's, with examples that fit."""

import pytest

from agents.template_schema import DIALECT, Json, template_schema
from memory.category import AllowedValue, AttributeSpec, CategoryTemplate
from memory.taxonomy import starter_taxonomy

TAXONOMY = starter_taxonomy()


def spec(key: str, kind: str, **more: object) -> AttributeSpec:
    return AttributeSpec.model_validate({"key": key, "name": key.title(), "type": kind, **more})


TEMPLATE = CategoryTemplate(
    category_id="x y",
    path=("A", "B"),
    taxonomy_version="t-1",
    attributes=(
        spec("brand", "text", description="Who made it."),
        spec(
            "color", "enum", many=True, values=(AllowedValue(value="red", aliases=("rot",)), AllowedValue(value="blue"))
        ),
        spec("weight", "quantity", unit="gram"),
        spec("count", "count"),
        spec("wireless", "boolean"),
    ),
)


def properties(approved: dict[str, dict[str, int]] | None = None) -> dict[str, dict[str, Json]]:
    schema = template_schema(TEMPLATE, approved)["properties"]
    assert isinstance(schema, dict)
    return {key: value for key, value in schema.items() if isinstance(value, dict)}


def test_each_attribute_is_a_property_with_its_description_unit_and_values() -> None:
    schema = properties()

    assert schema["brand"] == {"title": "Brand", "description": "Who made it.", "type": "string", "minLength": 1}
    assert schema["color"]["items"] == {"type": "string", "enum": ["red", "blue"]}
    assert schema["weight"] == {"title": "Weight", "type": "number", "unit": "gram"}
    assert schema["wireless"]["enum"] == ["yes", "no"]


def test_examples_are_normal_forms_of_approved_values_the_most_frequent_first() -> None:
    schema = properties(
        {
            "brand": {"ACME": 1, "Acme": 3, "Bolt": 2},
            "color": {"rot": 1, "Red": 4, "blue": 2, "mauve": 9},
            "weight": {"1,5 kg": 2, "250.5 g": 1, "heavy": 5},
            "count": {"12 Stück": 1},
        }
    )

    assert schema["brand"]["examples"] == ["Acme", "Bolt"]
    assert schema["color"]["examples"] == [["red"], ["blue"]]
    assert schema["weight"]["examples"] == [1500, 250.5]
    assert schema["count"]["examples"] == [12]
    assert "examples" not in schema["wireless"]


@pytest.mark.parametrize("category", [leaf.id for leaf in TAXONOMY.leaves()][::10])
def test_every_category_of_the_starter_taxonomy_has_a_schema(category: str) -> None:
    template = TAXONOMY.template(category)

    schema = template_schema(template)

    assert (schema["$schema"], schema["type"], schema["additionalProperties"]) == (DIALECT, "object", False)
    assert " " not in str(schema["$id"])
    assert isinstance(schema["properties"], dict)
    assert list(schema["properties"]) == [spec.key for spec in template.attributes]
