"""The shortest answer that fits the schema of a chat completion request, grounded in the product that it shows."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

_TITLE = re.compile(r"title: (\S+)")
_NUMBERS: Mapping[str, object] = {"number": 0.9, "integer": 1, "boolean": True}


def minimal_answer(body: Mapping[str, Any]) -> tuple[dict[str, object], int]:
    """Return the assistant's message and the length of what it says.

    A request with tools is answered by a call of the first one, one without a schema by one word.
    """
    title = _TITLE.search(str(body["messages"][-1]["content"]) if body["messages"] else "")  # some ask nothing at first
    word = title[1] if title else "product"
    if body.get("tools"):
        function = body["tools"][0]["function"]
        text = orjson.dumps(_instance("", function["parameters"], word, 0)).decode()
        call = {"id": "call_1", "type": "function", "function": {"name": function["name"], "arguments": text}}
        return {"role": "assistant", "content": None, "tool_calls": [call]}, len(text)
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    text = word if schema is None else orjson.dumps(_instance("", _resolved(schema, schema), word, 0)).decode()
    return {"role": "assistant", "content": text, "refusal": None}, len(text)


def _resolved(schema: Any, whole: Mapping[str, Any]) -> Any:
    """Return the schema with its references to `$defs` filled in."""
    if isinstance(schema, list):
        return [_resolved(part, whole) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolved(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole)
    return {name: _resolved(part, whole) for name, part in schema.items() if name != "$defs"}


def _instance(name: str, schema: Mapping[str, Any], word: str, position: int) -> object:
    """Return a value: the first one allowed, except that the parts of a list each name an id of their own."""
    if "enum" in schema:
        return schema["enum"][position if name.endswith("_id") else 0]
    match schema.get("type"):
        case "object":
            return {key: _instance(key, part, word, position) for key, part in schema.get("properties", {}).items()}
        case "array":
            length = max(schema.get("minItems", 0), 1 if name == "claims" else 0)
            return [_instance(name, schema["items"], word, number) for number in range(length)]
    return _NUMBERS.get(schema.get("type", ""), word)
