"""The one place where a question is put to a model: asked, written to the journal, then parsed."""

import inspect
import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol

import orjson

from agents.answer_parsing import AnswerInvalid, AnswerRefused, AnswerTruncated, T, UnusableAnswer, parse_answer
from agents.answer_schemas import answer_json_schema
from agents.providers.base import AnswerSchema, CallKey, Capabilities, ChatModel, Completion, FinishReason, JsonSchema
from memory.model_call import ModelCall, Usage
from prompts.library import RenderedPrompt

__all__ = ["Answer", "AnswerInvalid", "AnswerRefused", "AnswerTruncated", "Interviewer", "Journal", "UnusableAnswer"]


class Journal(Protocol):
    """Keeps each call as it was answered; when it returns, or its awaitable is done, the call is kept."""

    def __call__(self, call: ModelCall, /) -> Awaitable[None] | None:
        """Keep one call."""


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A parsed answer, and all that the provider said beside it."""

    parsed: T
    text: str  # as it came
    finish_reason: FinishReason
    usage: Usage
    seconds: float


class Interviewer:
    """Asks one model, and keeps each raw answer in the journal before anything looks into it."""

    def __init__(self, model: ChatModel, journal: Journal) -> None:
        self._model = model
        self._journal = journal
        self._parameters = canonical_json(model.parameters)

    @property
    def spec(self) -> str:
        """The model's spec, such as `embedded:smollm2`."""
        return self._model.spec

    @property
    def journal(self) -> Journal:
        """Where each call is kept."""
        return self._journal

    def with_journal(self, journal: Journal) -> "Interviewer":
        """Return an interviewer of the same model that keeps its calls elsewhere."""
        return Interviewer(self._model, journal)

    @property
    def capabilities(self) -> Capabilities:
        """What the model can be trusted with."""
        return self._model.capabilities

    @property
    def parameters(self) -> str:
        """What shapes the answers besides the messages, as canonical JSON."""
        return self._parameters

    async def ask(
        self,
        prompt: RenderedPrompt,
        answer_type: type[T],
        *,
        agent: str,
        item_id: str,
        round: int = 0,  # noqa: A002 - the field's own name
        json_schema: JsonSchema | None = None,
    ) -> Answer[T]:
        """Return the model's answer as a value of `answer_type`.

        `json_schema` narrows the schema that the type itself gives, to the values on offer. Raises
        `AnswerTruncated`, `AnswerRefused` or `AnswerInvalid` (all `UnusableAnswer`), and the provider's
        `ProviderError`; only the last leaves no entry in the journal.
        """
        schema = AnswerSchema(_schema_name(answer_type), json_schema or answer_json_schema(answer_type))
        about = CallKey(agent=agent, item_id=item_id, round=round, prompt=prompt.prompt)
        completion = await self._model.complete(prompt.messages, schema, about=about)
        await self._keep(completion, prompt, schema, about)
        try:
            _refuse_unfinished(completion)
            parsed = parse_answer(completion.text, answer_type)
        except UnusableAnswer as error:
            raise type(error)(f"{agent}: {error.reason}", error.raw, completion.usage) from error
        return Answer(parsed, completion.text, completion.finish_reason, completion.usage, completion.seconds)

    async def _keep(self, completion: Completion, prompt: RenderedPrompt, schema: AnswerSchema, about: CallKey) -> None:
        call = ModelCall(
            item_id=about.item_id,
            agent=about.agent,
            prompt=prompt.prompt,
            prompt_fingerprint=prompt.fingerprint,
            round=about.round,
            model=completion.model,
            parameters=self._parameters,
            schema_name=schema.name,
            messages=prompt.messages,
            raw_answer=completion.text,
            finish_reason=completion.finish_reason,
            usage=completion.usage,
            seconds=completion.seconds,
        )
        kept = self._journal(call)
        if inspect.isawaitable(kept):
            await kept


def canonical_json(values: Mapping[str, str | int | float | None]) -> str:
    """Return one text for equal values, whatever their order."""
    return orjson.dumps(dict(values), option=orjson.OPT_SORT_KEYS).decode()


def _schema_name(answer_type: type[T]) -> str:
    """Return the type's name in the letters that providers allow."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", answer_type.__name__)[:64]


def _refuse_unfinished(completion: Completion) -> None:
    """Raise for an answer that the model did not finish or would not give, before anything is parsed."""
    match completion.finish_reason:
        case FinishReason.LENGTH:
            tokens = completion.usage.completion_tokens
            raise AnswerTruncated(f"the answer was cut off after {tokens} tokens", completion.text)
        case FinishReason.REFUSAL:
            raise AnswerRefused("the model refused to answer", completion.text)
        case FinishReason.CONTENT_FILTER:
            raise AnswerRefused("a content filter stopped the answer", completion.text)
