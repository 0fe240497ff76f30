"""Answers that fit a JSON schema, with every text taken from the product that the question shows."""

import re
from collections.abc import Mapping
from typing import Any

_PRODUCT = re.compile(r"<(product-\w+)>\n?(.*?)\n?</\1>", re.DOTALL)
_WORD = re.compile(r"\w+")
DEEPEST = 12  # levels of a schema that refers to itself


def product_in(text: str) -> str:
    """Return the text between the product's tags, else the whole text."""
    found = _PRODUCT.search(text)
    return found[2] if found else text


def fitting(schema: Mapping[str, Any], product: str) -> object:
    """Return the same value for the same schema and product."""
    return _fitting(schema, _WORD.findall(product) or ["nothing"], schema.get("$defs", {}), 0)


def _fitting(schema: Mapping[str, Any], words: list[str], named: Mapping[str, Any], depth: int) -> object:
    if depth > DEEPEST:
        return None
    if "$ref" in schema:
        return _fitting(named[schema["$ref"].rpartition("/")[2]], words, named, depth + 1)
    if "anyOf" in schema:
        return _fitting(schema["anyOf"][0], words, named, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][len(words) % len(schema["enum"])]
    return _typed(schema, words, named, depth)


def _typed(schema: Mapping[str, Any], words: list[str], named: Mapping[str, Any], depth: int) -> object:
    kind = schema.get("type", "object")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            return {
                name: _fitting(part, words, named, depth + 1) for name, part in schema.get("properties", {}).items()
            }
        case "array":
            wanted = min(max(1, schema.get("minItems", 0)), schema.get("maxItems", 1))
            return [_fitting(schema.get("items", {}), words, named, depth + 1) for _ in range(wanted)]
        case "string":
            return words[0].ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]
        case "integer" | "number" as number:
            least, most = schema.get("minimum", 0), schema.get("maximum", 1)
            return int(least) if number == "integer" else (least + most) / 2
        case "boolean":
            return True
    return None
