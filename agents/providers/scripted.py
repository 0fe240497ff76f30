"""A model that gives prepared answers, for tests and for replays of recorded runs."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

import orjson
from pydantic import Field, JsonValue, ValidationError

from agents.providers.base import (
    AnswerSchema,
    CallFailed,
    CallKey,
    Capabilities,
    Completion,
    FailureKind,
    FinishReason,
    ProviderUnavailable,
)
from agents.providers.completions import estimated_usage
from memory.model_call import Message
from memory.record import Record

ANY = "*"


class ScriptedAnswer(Record):
    """One prepared answer and the calls that it is for; what is left out fits every call of the agent."""

    agent: str = Field(min_length=1)
    item: str = ANY
    round: int | None = Field(default=None, ge=0)
    prompt: str | None = None  # the prompt's name, where an agent has several
    answer: JsonValue  # a text is given as it is, anything else as its JSON
    finish_reason: FinishReason = FinishReason.STOP

    def fits(self, about: CallKey) -> bool:
        """Return whether this answers the call."""
        return (
            self.agent == about.agent
            and self.item in (ANY, about.item_id)
            and self.round in (None, about.round)
            and self.prompt in (None, about.prompt)
        )

    @property
    def precision(self) -> tuple[bool, bool, bool]:
        """How exactly the calls are named; the most exact answer is given."""
        return self.item != ANY, self.round is not None, self.prompt is not None

    @property
    def text(self) -> str:
        """The raw answer."""
        return self.answer if isinstance(self.answer, str) else json.dumps(self.answer, ensure_ascii=False)


class ScriptedModel:
    """Answers each call from a script, and fails where the script has nothing for it.

    Several answers equally exact for one call are given in turn, and the last of them again and again.
    """

    def __init__(
        self,
        answers: Iterable[ScriptedAnswer],
        *,
        spec: str = "scripted:memory",
        capabilities: Capabilities | None = None,
    ) -> None:
        self._answers = tuple(answers)
        self._spec = spec
        self._capabilities = capabilities or Capabilities()
        self._asked: Counter[CallKey] = Counter()

    @classmethod
    def from_file(cls, path: Path, *, capabilities: Capabilities | None = None) -> Self:
        """Return the model of a JSONL file, one `ScriptedAnswer` a line; `ProviderUnavailable` names a bad line."""
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise ProviderUnavailable(f"the script {path} cannot be read: {reason}") from error
        answers = [_answer(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
        return cls(answers, spec=f"scripted:{path}", capabilities=capabilities)

    @property
    def spec(self) -> str:
        """The spec, `scripted:FILE`."""
        return self._spec

    @property
    def capabilities(self) -> Capabilities:
        """All, unless told otherwise."""
        return self._capabilities

    @property
    def parameters(self) -> Mapping[str, str | int | float | None]:
        """A hash of the script: it is what shapes the answers."""
        lines = orjson.dumps([answer.model_dump(mode="json") for answer in self._answers])
        return {"script": hashlib.sha256(lines).hexdigest()[:16]}

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        """Return the prepared answer; `CallFailed` names the call for which there is none."""
        if about is None:
            raise CallFailed(
                f"{self.spec} answers only calls that say who asks about what", kind=FailureKind.BAD_REQUEST
            )
        fitting = [answer for answer in self._answers if answer.fits(about)]
        if not fitting:
            raise CallFailed(
                f"{self.spec} has no answer for agent {about.agent!r}, item {about.item_id!r}, round {about.round}"
                f" (prompt {about.prompt!r}, schema {schema.name!r})",
                kind=FailureKind.BAD_REQUEST,
            )
        best = max(answer.precision for answer in fitting)
        turns = [answer for answer in fitting if answer.precision == best]
        answer = turns[min(self._asked[about], len(turns) - 1)]
        self._asked[about] += 1
        usage = estimated_usage(messages, answer.text)
        return Completion(
            text=answer.text, finish_reason=answer.finish_reason, usage=usage, model=self.spec, seconds=0.0
        )

    async def aclose(self) -> None:
        """Nothing to release."""


def _answer(path: Path, number: int, line: str) -> ScriptedAnswer:
    try:
        return ScriptedAnswer.model_validate_json(line)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise ProviderUnavailable(f"{path}, line {number}: {where or 'the line'}: {problem['msg']}") from error
