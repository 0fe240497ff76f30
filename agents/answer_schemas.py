"""The JSON schema of an answer type, in the strict form that providers hold a model to."""

from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from agents.providers.base import JsonSchema

# Keywords of which providers' strict modes know nothing, and which hold nothing back from the parser.
_DROPPED = ("default", "title", "discriminator", "$schema")


@lru_cache(maxsize=256)
def answer_json_schema(answer_type: type[BaseModel]) -> JsonSchema:
    """Return the strict schema: every object closed, every key required.

    Raises TypeError for a type with free keys (`dict[str, ...]`): strict modes cannot express it, and closing it
    would leave it empty.
    """
    return _strict(answer_type.model_json_schema(mode="validation"), answer_type.__name__)


def _strict(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the schema with every object in it closed and complete."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}  # strict modes refuse words beside a reference
    strict = {key: _strict_part(key, value, name) for key, value in schema.items() if key not in _DROPPED}
    if "oneOf" in strict:
        strict["anyOf"] = strict.pop("oneOf")  # the branches exclude each other by a constant
    if strict.get("type") == "object":
        if "properties" not in strict:
            raise TypeError(f"{name}: an answer names its keys; give a schema of your own for free ones")
        strict |= {"required": list(strict["properties"]), "additionalProperties": False}
    return strict


def _strict_part(key: str, value: Any, name: str) -> Any:
    """Return one keyword's value; in `properties` and `$defs` the keys are names and no keywords."""
    if key in ("properties", "$defs"):
        return {part: _strict(sub, f"{name}.{part}") for part, sub in value.items()}
    if key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        return [_strict(sub, name) for sub in value]
    return _strict(value, name) if key == "items" and isinstance(value, dict) else value
