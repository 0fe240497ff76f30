"""What a server's answer to a chat completion holds: the text, the reason it ended, the tokens, the model."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from agents.providers.base import Completion
from agents.providers.completions import completion_of
from memory.model_call import Message, Usage

LONGEST_QUOTE = 200  # characters of a body that is no answer


class NoCompletion(Exception):
    """A body that is no chat completion; `maybe_paid` says whether a model may have run for it."""

    def __init__(self, said: str, *, maybe_paid: bool = True, usage: Usage | None = None) -> None:
        super().__init__(said)
        self.maybe_paid = maybe_paid
        self.usage = usage


@dataclass(frozen=True)
class Said:
    """What an error body says: the code for programs, and the text for people."""

    code: str
    text: str


def completion_in(body: bytes, *, messages: Sequence[Message], model: str, started: float) -> Completion:
    """Return the completion that a body of status 200 holds; raises `NoCompletion` for any other body."""
    envelope = _json_object(body)
    if envelope.get("error"):
        raise NoCompletion(f"an error with status 200: {_said(envelope['error']).text}", maybe_paid=False)
    prompt_tokens, completion_tokens = _tokens(envelope.get("usage"))
    choice = _first(envelope.get("choices"), prompt_tokens, completion_tokens)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise NoCompletion("a choice without a message", usage=_usage(prompt_tokens, completion_tokens))
    refusal = _text(message.get("refusal"))
    named = envelope.get("model")
    return completion_of(
        _text(message.get("content")) or refusal,
        messages=messages,
        finish_reason="refusal" if refusal else _text(choice.get("finish_reason")),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        model=named if isinstance(named, str) and named else model,
        started=started,
    )


def error_in(body: bytes) -> Said:
    """Return what an error body says, in whatever form."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Said("", body[:LONGEST_QUOTE].decode("utf-8", "replace"))
    return _said(parsed.get("error", parsed) if isinstance(parsed, dict) else parsed)


def _said(error: object) -> Said:
    if isinstance(error, dict):
        code, text = error.get("code") or error.get("type"), error.get("message")
        return Said(str(code or ""), str(text or error))
    return Said("", str(error))


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = _lenient(body)
    if not isinstance(parsed, dict):
        raise NoCompletion(f"JSON that is no object: {body[:LONGEST_QUOTE].decode('utf-8', 'replace')}")
    return parsed


def _lenient(body: bytes) -> object:
    """Read what orjson refuses and a server may still mean: half surrogate pairs in an answer's text."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        quoted = body[:LONGEST_QUOTE].decode("utf-8", "replace")
        # A page for people comes from a gateway, not from a model; an empty or cut body may be a paid answer's rest.
        raise NoCompletion(quoted or "nothing", maybe_paid=not quoted.lstrip().startswith("<")) from None


def _first(choices: object, prompt_tokens: int | None, completion_tokens: int | None) -> dict[str, Any]:
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    raise NoCompletion("no choices", usage=_usage(prompt_tokens, completion_tokens))


def _text(content: object) -> str:
    """Return a text, or the texts of a list of parts; "" for whatever else stands there."""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _tokens(usage: object) -> tuple[int | None, int | None]:
    if not isinstance(usage, dict):
        return None, None
    return _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _usage(prompt_tokens: int | None, completion_tokens: int | None) -> Usage | None:
    if not prompt_tokens or completion_tokens is None:
        return None
    return Usage(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
