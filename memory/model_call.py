"""One call of a model: what was sent, what came back, what it cost, and the key that equal calls share."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import orjson
from pydantic import Field

from memory.record import Record


class Message(Record):
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    content: str


class Usage(Record):
    """Tokens of one call, or of many added up."""

    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)
    estimated: bool = False

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            estimated=self.estimated or other.estimated,
        )


class ModelCall(Record):
    """One call as it was made and answered, before anything is parsed."""

    item_id: str  # or the category's id, for a template
    agent: str
    prompt: str  # the prompt file's name
    prompt_fingerprint: str
    round: int = Field(default=0, ge=0)
    model: str
    parameters: str  # canonical JSON
    schema_name: str
    messages: tuple[Message, ...]
    raw_answer: str
    finish_reason: str
    usage: Usage
    seconds: float = Field(ge=0)
    key: str = ""  # of `call_key`; "" for calls made before there were keys
    outcome: Literal["answered", "paid_lost"] = "answered"  # paid_lost: sent, but the answer never came whole
    run_id: int | None = None
    cost: Decimal | None = None  # money; None where the price is not known
    shortened: bool = False  # it showed less of the item's text than usual


def call_key(  # noqa: PLR0917 - in the order in which a call is put together
    messages: Sequence[Message],
    spec: str,
    parameters: str,
    schema_name: str,
    json_schema: Mapping[str, Any],
    round: int,  # noqa: A002 - the field's own name
) -> str:
    """Return the SHA-256 (hex) of all that can change an answer; two calls with one key may share one answer.

    `parameters` is canonical JSON. The item's id is no part of it: what the model is not told cannot change what it
    says, so two items of one text are paid for once.
    """
    asked = [[message.role, message.content] for message in messages]
    parts = [asked, spec, parameters, schema_name, json_schema, round]
    try:
        canonical = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # lone surrogates, and integers beyond 64 bits
        canonical = json.dumps(parts, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return hashlib.sha256(canonical).hexdigest()
