"""Equal attributes and templates have equal hashes, however they were made."""

from memory.category import AllowedValue, AttributeSpec, AttributeType, CategoryTemplate

RED, BLUE = AllowedValue(value="red"), AllowedValue(value="blue", aliases=("navy",))


def color(*values: AllowedValue) -> AttributeSpec:
    return AttributeSpec(key="color", name="Color", type=AttributeType.ENUM, values=values)


def template(spec: AttributeSpec) -> CategoryTemplate:
    return CategoryTemplate(category_id="c", path=("Cups",), attributes=(spec,), taxonomy_version="1")


def test_equal_attributes_and_templates_are_one_in_a_set() -> None:
    again = template(AttributeSpec.model_validate_json(color(RED, BLUE).model_dump_json()))

    assert {color(RED, BLUE), again.attributes[0]} == {color(RED, BLUE)}
    assert len({template(color(RED, BLUE)), again}) == 1


def test_attributes_and_templates_that_differ_in_a_value_alone_stay_two() -> None:
    assert len({color(RED), color(BLUE)}) == 2
    assert len({template(color(RED)), template(color(BLUE))}) == 2
