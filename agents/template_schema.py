"""A category's template as a JSON Schema (draft 2020-12): what an item of the category may state, with examples."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from agents.values.normalization import Normalized, ValueProblem, bare_text, normalize
from memory.category import AttributeSpec, AttributeType, CategoryTemplate

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EXAMPLES = 5  # of an attribute

Json = str | int | float | bool | list["Json"] | dict[str, "Json"]
_BARE_TYPES: dict[AttributeType, dict[str, Json]] = {
    AttributeType.TEXT: {"type": "string", "minLength": 1},
    AttributeType.BOOLEAN: {"type": "string", "enum": ["yes", "no"]},
    AttributeType.COUNT: {"type": "integer", "minimum": 1},
    AttributeType.NUMBER: {"type": "number", "exclusiveMinimum": 0},
    AttributeType.QUANTITY: {"type": "number"},
}


def template_schema(
    template: CategoryTemplate, approved: Mapping[str, Mapping[str, int]] | None = None
) -> dict[str, Json]:
    """Return the schema of an object with one property an attribute, each in its normal form.

    `approved` holds, by attribute key, the written values that were approved, with their number of items: the most
    frequent become the examples. A quantity is a number in the unit that "unit" names (pint's name).
    """
    known = approved or {}
    return {
        "$schema": DIALECT,
        "$id": f"urn:reaseq:{template.taxonomy_version}:{template.category_id.replace(' ', '%20')}",
        "title": " > ".join(template.path),
        "type": "object",
        "properties": {spec.key: _property(spec, known.get(spec.key, {})) for spec in template.attributes},
        "additionalProperties": False,
    }


def examples(spec: AttributeSpec, approved: Mapping[str, int]) -> list[str]:
    """Return the normal forms of the approved values, the most frequent first; what has none is left out.

    Of open values that differ in case or marks alone the most frequent spelling stands for all.
    """
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for written, items in approved.items():
        if normal := _normal(written, spec):
            counted[bare_text(normal.text) if spec.type is AttributeType.TEXT else normal.text][normal.text] += items
    groups = sorted(counted.values(), key=lambda group: (-group.total(), min(group)))
    return [min(group, key=lambda text: (-group[text], text)) for group in groups][:EXAMPLES]


def _property(spec: AttributeSpec, approved: Mapping[str, int]) -> dict[str, Json]:
    about: dict[str, Json] = {"title": spec.name}
    if spec.description:
        about["description"] = spec.description
    value = _value(spec)
    shown = [_typed(text, spec) for text in examples(spec, approved)]
    if spec.many:
        return {**about, "type": "array", "items": value, "uniqueItems": True, **_examples([[one] for one in shown])}
    return {**about, **value, **_examples(shown)}


def _value(spec: AttributeSpec) -> dict[str, Json]:
    if spec.type is AttributeType.ENUM:
        return (
            {"type": "string", "enum": [allowed.value for allowed in spec.values]}
            if spec.values
            else {"type": "string"}
        )
    return {**_BARE_TYPES[spec.type], **({"unit": spec.unit} if spec.unit else {})}


def _examples(shown: list[Json]) -> dict[str, Json]:
    return {"examples": shown} if shown else {}


def _typed(text: str, spec: AttributeSpec) -> Json:
    match spec.type:
        case AttributeType.COUNT:
            return int(text)
        case AttributeType.NUMBER | AttributeType.QUANTITY:
            return int(text) if text.lstrip("-").isdecimal() else float(text)
        case _:
            return text


def _normal(written: str, spec: AttributeSpec) -> Normalized | None:
    try:
        return normalize(written, spec)
    except ValueProblem:
        return None
