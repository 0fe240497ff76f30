"""The one place where a question is put to a model: looked up, else asked and written to the journal, then parsed."""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Generic, Protocol, runtime_checkable

import orjson

from agents.answer_parsing import AnswerInvalid, AnswerRefused, AnswerTruncated, T, UnusableAnswer, parse_answer
from agents.answer_schemas import answer_json_schema
from agents.equal_questions import EqualQuestions
from agents.onlooker import NOBODY, Onlooker, Question
from agents.providers.base import (
    AnsweredMeanwhile,
    AnswerSchema,
    CallKey,
    Capabilities,
    ChatModel,
    FinishReason,
    JsonSchema,
)
from agents.shared_questions import InTurn
from agents.spending.prices import Price
from memory.model_call import Message, ModelCall, Usage, call_key
from prompts.library import Prompt, RenderedPrompt

__all__ = [
    "Answer",
    "AnswerInvalid",
    "AnswerRefused",
    "AnswerTruncated",
    "Interviewer",
    "Journal",
    "RecallingJournal",
    "UnusableAnswer",
    "Witness",
]


LONGEST_RAW = 4000  # characters of an unusable answer that are shown to the model again


class Journal(Protocol):
    """Keeps each call as it was answered; when it returns, or its awaitable is done, the call is kept."""

    def __call__(self, call: ModelCall, /) -> Awaitable[None] | None:
        """Keep one call."""


@runtime_checkable
class RecallingJournal(Protocol):
    """A journal that gives back what it keeps; what it has is not asked for again."""

    def recall(self, key: str) -> ModelCall | None:
        """Return the newest answer to a call of this key (`memory.model_call.call_key`), or None."""


Witness = Callable[[ModelCall], None]  # told of each answer of a model, made now or recalled, before it is parsed


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A parsed answer, and all that the provider said beside it."""

    parsed: T
    text: str  # as it came
    finish_reason: FinishReason
    usage: Usage  # of the call that was paid, now or before
    seconds: float
    replayed: bool = False  # it was in the journal already: nothing was asked or paid


class Interviewer:
    """Asks one model, and keeps each raw answer in the journal before anything looks into it."""

    def __init__(
        self,
        model: ChatModel,
        journal: Journal,
        *,
        repair: Prompt | None = None,
        price: Price | None = None,
        doubts: bool = False,
        capabilities: Capabilities | None = None,
        onlooker: Onlooker = NOBODY,
        in_turn: InTurn | None = None,
    ) -> None:
        self._model = model
        self._capabilities = capabilities  # fewer than the model's own, where agents go without it
        self._journal = journal
        self._repair = repair  # asks again, once, where an answer could not be parsed
        self._price = price
        self._doubts = doubts  # asks once more where the journal's answer cannot be used
        self._memory = journal if isinstance(journal, RecallingJournal) else None
        self._witness: Witness | None = None  # see `witnessed_by`
        self._under_way = EqualQuestions()
        self._in_turn = in_turn  # where other workers may ask the same; None: nobody does
        self._onlooker = onlooker
        self._shaping = model.parameters
        self._parameters = canonical_json(self._shaping)

    @property
    def spec(self) -> str:
        """The model's spec, such as `embedded:smollm2`."""
        return self._model.spec

    def witnessed_by(self, witness: Witness) -> "Interviewer":
        """Return an interviewer of the same model and journal that also tells `witness` of each answer."""
        other = copy(self)  # made for each item, so not put together anew
        other._witness = witness
        return other

    @property
    def capabilities(self) -> Capabilities:
        """What the model can be trusted with, and is asked for."""
        return self._capabilities or self._model.capabilities

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
        shortened: bool = False,
    ) -> Answer[T]:
        """Return the model's answer as a value of `answer_type`.

        `json_schema` narrows the schema that the type itself gives, to the values on offer; `shortened` is kept with
        the call. An answer that the journal has is not asked for again. Raises `AnswerTruncated`, `AnswerRefused` or
        `AnswerInvalid` (all `UnusableAnswer`), and the provider's `ProviderError`; only the last leaves no entry in
        the journal.
        """
        schema = AnswerSchema(_schema_name(answer_type), json_schema or answer_json_schema(answer_type))
        about = CallKey(agent=agent, item_id=item_id, round=round, prompt=prompt.prompt, shortened=shortened)
        try:
            return await self._answer(prompt, answer_type, schema, about)
        except AnswerInvalid as error:
            if self._repair is None:
                raise
            again = _asking_again(prompt, error, self._repair)
        return await self._answer(again, answer_type, schema, about)

    async def _answer(
        self, prompt: RenderedPrompt, answer_type: type[T], schema: AnswerSchema, about: CallKey
    ) -> Answer[T]:
        question = Question(self.spec, self._shaping, about, prompt)
        with self._onlooker.question(question) as answered:
            call, replayed = await self._given(prompt, answer_type, schema, about)
            answered(call, replayed)
            if self._witness:
                self._witness(call)
            return _read(call, answer_type, replayed=replayed)

    async def _given(
        self, prompt: RenderedPrompt, answer_type: type[T], schema: AnswerSchema, about: CallKey
    ) -> tuple[ModelCall, bool]:
        """Return the answer, and whether it was there already or another item's."""
        key = call_key(prompt.messages, self.spec, self._parameters, schema.name, schema.json_schema, about.round)
        recalled = self._recalled(key, about)
        if recalled and self._doubts and not _usable(recalled, answer_type):
            return await self._asked(prompt, schema, about, key)
        return (recalled, True) if recalled else await self._asked(prompt, schema, replace(about, key=key), key)

    def _recalled(self, key: str, about: CallKey) -> ModelCall | None:
        call = self._memory.recall(key) if self._memory else None
        return _as_given_to(about, call) if call else None

    async def _asked(
        self, prompt: RenderedPrompt, schema: AnswerSchema, about: CallKey, key: str
    ) -> tuple[ModelCall, bool]:
        """Return the answer of a call made now, and whether it was made for another item that asks the same."""
        try:
            call, anothers = await self._under_way.answer(key, lambda: self._in_its_turn(prompt, schema, about, key))
        except AnsweredMeanwhile as found:
            return _as_given_to(about, found.call), True
        if not anothers:
            return call, False
        return self._recalled(key, about) or _as_given_to(about, call), True  # recalled, so that the journal counts it

    async def _in_its_turn(self, prompt: RenderedPrompt, schema: AnswerSchema, about: CallKey, key: str) -> ModelCall:
        """Ask while no other worker asks the same; who gets the turn afterwards finds the answer in the journal."""
        if self._in_turn is None:
            return await self._made(prompt, schema, about, key)
        async with self._in_turn(key):
            return await self._made(prompt, schema, about, key)

    async def _made(self, prompt: RenderedPrompt, schema: AnswerSchema, about: CallKey, key: str) -> ModelCall:
        """Ask the model; return when the journal has kept the answer."""
        completion = await self._model.complete(prompt.messages, schema, about=about)
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
            shortened=about.shortened,
            key=key,
            cost=self._price.of(completion.usage) if self._price else None,
        )
        kept = self._journal(call)
        if inspect.isawaitable(kept):
            await kept
        return call


def _as_given_to(about: CallKey, call: ModelCall) -> ModelCall:
    """Return an answer as if it had been given to this caller: another item may have asked first."""
    return call.model_copy(update={"agent": about.agent, "item_id": about.item_id, "prompt": about.prompt})


def _asking_again(prompt: RenderedPrompt, error: AnswerInvalid, repair: Prompt) -> RenderedPrompt:
    """Return the question with the answer that was given and what was wrong with it."""
    objection = repair.render(problem=error.reason)
    return RenderedPrompt(
        prompt=prompt.prompt,
        fingerprint=prompt.fingerprint,
        messages=(
            *prompt.messages,
            Message(role="assistant", content=error.raw[:LONGEST_RAW]),
            Message(role="user", content="\n\n".join(message.content for message in objection.messages)),
        ),
    )


def canonical_json(values: Mapping[str, str | int | float | None]) -> str:
    """Return one text for equal values, whatever their order."""
    return orjson.dumps(dict(values), option=orjson.OPT_SORT_KEYS).decode()


@lru_cache(maxsize=256)
def _schema_name(answer_type: type[T]) -> str:
    """Return the type's name in the letters that providers allow."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", answer_type.__name__)[:64]


def _read(call: ModelCall, answer_type: type[T], *, replayed: bool) -> Answer[T]:
    finish_reason = FinishReason(call.finish_reason)
    try:
        _refuse_unfinished(call, finish_reason)
        parsed = parse_answer(call.raw_answer, answer_type)
    except UnusableAnswer as error:
        raise type(error)(f"{call.agent}: {error.reason}", error.raw, call.usage) from error
    return Answer(parsed, call.raw_answer, finish_reason, call.usage, call.seconds, replayed)


def _usable(call: ModelCall, answer_type: type[T]) -> bool:
    try:
        _read(call, answer_type, replayed=True)
    except UnusableAnswer:
        return False
    return True


def _refuse_unfinished(call: ModelCall, finish_reason: FinishReason) -> None:
    """Raise for an answer that the model did not finish or would not give, before anything is parsed."""
    match finish_reason:
        case FinishReason.LENGTH:
            tokens = call.usage.completion_tokens
            raise AnswerTruncated(f"the answer was cut off after {tokens} tokens", call.raw_answer)
        case FinishReason.REFUSAL:
            raise AnswerRefused("the model refused to answer", call.raw_answer)
        case FinishReason.CONTENT_FILTER:
            raise AnswerRefused("a content filter stopped the answer", call.raw_answer)
