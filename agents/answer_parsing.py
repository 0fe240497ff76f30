"""A model's raw text as a checked value: strict JSON, one lossless repair, then the answer type's own rules."""

import json
import math
import re
from collections import Counter
from typing import Never, TypeVar

from pydantic import BaseModel, ValidationError

from memory.errors import ReaseqError
from memory.model_call import Usage

DEEPEST = 64  # levels of nesting; an answer schema has fewer than ten
LONGEST_REASON = 300  # characters
MOST_PROBLEMS = 3  # named in a reason; the rest say the same again

T = TypeVar("T", bound=BaseModel)

# The one repair: a Markdown code fence around the whole answer, which chat models add out of habit.
_FENCE = re.compile(r"\A```(?:json)?[ \t]*\n(.*)\n[ \t]*```\Z", re.DOTALL | re.IGNORECASE)


class UnusableAnswer(ReaseqError):
    """The model answered, and the answer cannot be used: `reason` says why, `raw` is the text as it came."""

    def __init__(self, reason: str, raw: str, usage: Usage | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.raw = raw
        self.usage = usage or Usage()  # it was paid all the same


class AnswerInvalid(UnusableAnswer):
    """The text is not JSON, or does not fit the answer type."""


class AnswerTruncated(UnusableAnswer):
    """The model ran into its limit of tokens before it was done."""


class AnswerRefused(UnusableAnswer):
    """The model, or a filter behind it, would not answer."""


def parse_answer(text: str, answer_type: type[T]) -> T:
    """Return the text as a value of `answer_type`; any text whatever either fits or raises `AnswerInvalid`.

    Refused are, besides what is no JSON: repeated keys, NaN and infinity, NUL and lone surrogates, more than
    `DEEPEST` levels, keys that the type does not know, and values of another JSON type than the one asked for.
    """
    stripped = text.strip()
    fence = _FENCE.match(stripped)
    body = fence[1] if fence else stripped
    try:
        parsed = _loads(body)
        if not _is_plain(body):
            _refuse_odd_values(parsed)
        return answer_type.model_validate_json(body, strict=True, extra="forbid")
    except ValidationError as error:
        raise AnswerInvalid(_printable(_problems(error)), text) from error
    except RecursionError as error:
        raise AnswerInvalid("nested too deeply", text) from error
    except ValueError as error:  # json's own, those of the hooks below, and integers of thousands of digits
        raise AnswerInvalid(_printable(f"no strict JSON: {error}"), text) from error


def _is_plain(text: str) -> bool:
    """Say whether no value of strict JSON can be odd: nothing is escaped, and there are too few brackets to nest."""
    return text.isascii() and "\\u" not in text and text.count("{") + text.count("[") < DEEPEST


def _loads(text: str) -> object:
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        [(repeated, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {repeated!r} is repeated")
    return members


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _refuse_odd_values(value: object) -> None:
    """Raise ValueError for text that cannot be stored and for deep nesting; a loop, so that depth is no danger."""
    waiting: list[tuple[object, int]] = [(value, 1)]
    while waiting:
        current, depth = waiting.pop()
        if depth > DEEPEST:
            raise ValueError(f"nested more than {DEEPEST} levels deep")
        if isinstance(current, str) and ("\0" in current or not _encodable(current)):
            raise ValueError("a text holds NUL or half a surrogate pair")
        if isinstance(current, dict):
            waiting += [(part, depth + 1) for member in current.items() for part in member]
        elif isinstance(current, list):
            waiting += [(part, depth + 1) for part in current]


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _problems(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    named = [f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in found]
    more = f" (and {len(named) - MOST_PROBLEMS} more)" if len(named) > MOST_PROBLEMS else ""
    return f"does not fit: {'; '.join(named[:MOST_PROBLEMS])}{more}"


def _printable(reason: str) -> str:
    """Return the reason fit for a log line; keys in it are the model's own words."""
    return "".join(c if c.isprintable() else "?" for c in reason)[:LONGEST_REASON]
