"""Questions put to a model: journalled before parsing, parsed strictly."""

import dataclasses
import json
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, RootModel

from agents.answer_parsing import DEEPEST, LONGEST_REASON, parse_answer
from agents.answer_schemas import answer_json_schema
from agents.answering import AnswerInvalid, AnswerRefused, AnswerTruncated, Interviewer, UnusableAnswer
from agents.providers.around import ModelAround
from agents.providers.base import AnswerSchema, CallKey, ChatModel, Completion, FinishReason
from agents.providers.openai import OpenAIModel
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from agents.spending.budget import Budget
from agents.spending.budgeted_model import BudgetedModel
from memory.database import open_database
from memory.ledger import Ledger, calls_of
from memory.model_call import Message, ModelCall
from prompts.library import RenderedPrompt
from tests.databases import fresh_url
from tests.loopback_provider import LoopbackProvider


class Colour(StrEnum):
    BLUE = "blue"
    RED = "red"


class Part(BaseModel):
    name: str = Field(min_length=1, description="as printed")
    colour: Colour | None = None


class Ruling(BaseModel):
    model_config = ConfigDict(title="A ruling")

    title: str
    score: float = 0.5
    parts: list[Part] = []
    default: int = 0


class Picks(RootModel[dict[str, str]]):
    pass


PROMPT = RenderedPrompt(
    prompt="critic", fingerprint="f1", messages=(Message(role="system", content="s"), Message(role="user", content="u"))
)
GOOD = '{"title": "t", "score": 1, "parts": [{"name": "n", "colour": "red"}], "default": 3}'


class Interrupted(ModelAround):
    """Counts what it is asked, while another interviewer may ask the same."""

    def __init__(self, inner: ChatModel, other: Interviewer) -> None:
        super().__init__(inner)
        self._other = other
        self.asked = 0

    async def other_asks(self) -> None:
        """Have the other one ask, and wait until its answer is durable."""
        await self._other.ask(PROMPT, Ruling, agent="critic", item_id="1")

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        self.asked += 1
        return await self._inner.complete(messages, schema, about=about)


class Waiting(ModelAround):
    """Has something happen before each question is put."""

    def __init__(self, inner: ChatModel, before: Callable[[], Awaitable[None]]) -> None:
        super().__init__(inner)
        self._before = before

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        await self._before()
        return await self._inner.complete(messages, schema, about=about)


def scripted(answer: str, finish_reason: FinishReason = FinishReason.STOP) -> ScriptedModel:
    return ScriptedModel([ScriptedAnswer(agent="critic", answer=answer, finish_reason=finish_reason)])


async def test_an_answer_is_parsed_and_comes_with_what_the_provider_said() -> None:
    interviewer = Interviewer(scripted(GOOD), lambda call: None)

    answer = await interviewer.ask(PROMPT, Ruling, agent="critic", item_id="1")

    assert answer.parsed == Ruling(title="t", score=1, parts=[Part(name="n", colour=Colour.RED)], default=3)
    assert (answer.text, answer.finish_reason) == (GOOD, FinishReason.STOP)
    assert answer.usage.completion_tokens > 0


async def test_the_raw_call_is_journalled_before_it_is_parsed() -> None:
    calls: list[ModelCall] = []
    interviewer = Interviewer(scripted("no JSON at all"), calls.append)

    with pytest.raises(AnswerInvalid, match="critic: no strict JSON") as failure:
        await interviewer.ask(PROMPT, Ruling, agent="critic", item_id="1", round=2)

    [call] = calls
    assert (call.item_id, call.agent, call.prompt, call.round) == ("1", "critic", "critic", 2)
    assert (call.prompt_fingerprint, call.schema_name, call.raw_answer) == ("f1", "Ruling", "no JSON at all")
    assert call.messages == PROMPT.messages
    assert failure.value.raw == "no JSON at all"
    assert failure.value.usage == call.usage


async def test_a_journal_may_be_asynchronous() -> None:
    calls: list[ModelCall] = []

    async def journal(call: ModelCall) -> None:
        calls.append(call)

    await Interviewer(scripted(GOOD), journal).ask(PROMPT, Ruling, agent="critic", item_id="1")

    assert len(calls) == 1


async def test_an_answer_that_cannot_be_journalled_is_not_used() -> None:
    def journal(call: ModelCall) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await Interviewer(scripted(GOOD), journal).ask(PROMPT, Ruling, agent="critic", item_id="1")


class Counting(ScriptedModel):
    asked = 0

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        self.asked += 1
        return await super().complete(messages, schema, about=about)


async def test_an_answer_that_is_durable_is_never_asked_for_again() -> None:
    model = Counting([ScriptedAnswer(agent="critic", answer=GOOD)])
    seen: list[ModelCall] = []
    with open_database(fresh_url()) as database:
        async with Ledger(database) as ledger:
            interviewer = Interviewer(model, ledger).witnessed_by(seen.append)
            first = await interviewer.ask(PROMPT, Ruling, agent="critic", item_id="1")
            second = await interviewer.ask(PROMPT, Ruling, agent="critic", item_id="2")
            await interviewer.ask(PROMPT, Ruling, agent="critic", item_id="2", round=1)

    assert model.asked == 2
    assert (first.replayed, second.replayed) == (False, True)
    assert second == dataclasses.replace(first, replayed=True)
    assert [(call.item_id, call.round) for call in seen] == [("1", 0), ("2", 0), ("2", 1)]
    assert (ledger.spend.calls, ledger.spend.replayed) == (2, 1)


async def test_what_another_process_was_told_while_a_question_waited_for_its_turn_is_not_asked_again() -> None:
    with open_database(fresh_url()) as database:
        async with Ledger(database) as others, Ledger(database) as own:
            slow = Interrupted(scripted(GOOD), Interviewer(scripted(GOOD), others))
            budget = Budget()
            late = Waiting(BudgetedModel(slow, budget, recall=own.recall), slow.other_asks)

            answer = await Interviewer(late, own).ask(PROMPT, Ruling, agent="critic", item_id="1")

        with database.session() as session:
            calls = list(calls_of(session, "1"))
    assert (answer.replayed, answer.parsed.title, own.spend.calls, own.spend.replayed) == (True, "t", 0, 1)
    assert (len(calls), slow.asked, budget.spent_tokens) == (1, 0, 0)


async def test_an_unusable_answer_stays_unusable_when_it_is_recalled() -> None:
    model = Counting([ScriptedAnswer(agent="critic", answer="no JSON")])
    with open_database(fresh_url()) as database:
        async with Ledger(database) as ledger:
            for _ in range(2):
                with pytest.raises(AnswerInvalid, match="critic: no strict JSON"):
                    await Interviewer(model, ledger).ask(PROMPT, Ruling, agent="critic", item_id="1")

    assert model.asked == 1


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        (FinishReason.LENGTH, AnswerTruncated),
        (FinishReason.REFUSAL, AnswerRefused),
        (FinishReason.CONTENT_FILTER, AnswerRefused),
    ],
)
async def test_an_unfinished_answer_is_not_used_even_if_it_parses(
    reason: FinishReason, error: type[UnusableAnswer]
) -> None:
    calls: list[ModelCall] = []
    interviewer = Interviewer(scripted(GOOD, reason), calls.append)

    with pytest.raises(error) as failure:
        await interviewer.ask(PROMPT, Ruling, agent="critic", item_id="1")

    assert failure.value.raw == GOOD
    assert [call.finish_reason for call in calls] == [reason]


async def test_a_schema_of_ones_own_is_sent_in_place_of_the_types() -> None:
    offered = {"type": "object", "properties": {"brand": {"enum": ["Acme", "absent"]}}}
    with LoopbackProvider({"brand": "Acme"}) as server:
        model = OpenAIModel("small", api_key=None, base_url=server.base_url, call_seconds=5)
        interviewer = Interviewer(model, lambda call: None)

        answer = await interviewer.ask(PROMPT, Picks, agent="critic", item_id="1", json_schema=offered)
        await model.aclose()

    assert answer.parsed.root == {"brand": "Acme"}
    assert server.asked[0].schema == offered


@pytest.mark.parametrize("text", [GOOD, f"\n  {GOOD}\n", f"```json\n{GOOD}\n```", f" ```\n{GOOD}\n```\n"])
def test_white_space_and_one_code_fence_around_the_answer_are_taken_off(text: str) -> None:
    assert parse_answer(text, Ruling).default == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no strict JSON"),
        (f"Here you are: {GOOD}", "no strict JSON"),
        (f"```json\n{GOOD}\n```\nAnything else?", "no strict JSON"),
        (f"{GOOD}\n{GOOD}", "Extra data"),
        (GOOD.replace('"', "'"), "no strict JSON"),
        ('{"title": "a", "title": "b"}', "'title' is repeated"),
        ('{"title": "a", "parts": [{"name": "x", "name": "y"}]}', "'name' is repeated"),
        ('{"title": "a", "score": NaN}', "NaN"),
        ('{"title": "a", "score": -Infinity}', "-Infinity"),
        ('{"title": "a", "score": 1e400}', "too large"),
        ('{"title": "a", "default": 1' + "0" * 5000 + "}", "no strict JSON"),
        (r'{"title": "a\u0000b"}', "NUL"),
        (r'{"title": "\ud800"}', "surrogate"),
        (r'{"title": "a", "\udfff": 1}', "surrogate"),
        ('{"title": "a", "more": 1}', "more: Extra inputs"),
        ('{"title": "a", "parts": [{"name": "x", "size": 1}]}', "parts.0.size: Extra inputs"),
        ('{"title": 5}', "title: Input should be a valid string"),
        ('{"title": "a", "score": "0.5"}', "score: Input should be a valid number"),
        ('{"title": "a", "default": 1.5}', "default: Input should be a valid integer"),
        ('{"title": "a", "default": true}', "default: Input should be a valid integer"),
        ('{"title": null}', "title: Input should be a valid string"),
        ('{"title": "a", "parts": [{"name": "x", "colour": "Blue"}]}', "parts.0.colour"),
        ("{}", "title: Field required"),
        (f"[{GOOD}]", "should be an object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"title": ' + "[" * DEEPEST + "]" * DEEPEST + "}", "nested more than 64"),
    ],
)
def test_what_is_not_exactly_the_answer_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(AnswerInvalid) as failure:
        parse_answer(text, Ruling)

    assert reason in failure.value.reason
    assert failure.value.raw == text
    assert len(failure.value.reason) <= LONGEST_REASON


def test_a_reason_holds_no_control_characters_of_the_answer() -> None:
    with pytest.raises(AnswerInvalid) as failure:
        parse_answer('{"title": "a", "\\u001b[31m\\nERROR forged": 1}', Ruling)

    assert failure.value.reason.isprintable()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(), values, max_size=4),
    max_leaves=20,
)
ANY_TEXT = st.text(st.characters()) | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape"))
BROKEN_JSON = st.builds(
    lambda value, cut, junk: json.dumps(value)[:cut] + junk, JSON_VALUES, st.integers(0, 200), st.text(max_size=5)
)


@given(ANY_TEXT | JSON_VALUES.map(json.dumps) | BROKEN_JSON)
@example("\ud800")
@example('"\ud800"')
@example("```\n```")
@example("﻿{}")
@example("[" * 1_000_000)
@example('{"a":' * 1_000_000)
@example("1" * 5_000)
def test_any_text_either_fits_or_is_an_invalid_answer(text: str) -> None:
    for answer_type in (Ruling, Picks):
        try:
            parsed = parse_answer(text, answer_type)
        except AnswerInvalid:
            continue
        assert isinstance(parsed, answer_type)


@given(st.builds(Ruling, title=st.text(st.characters(codec="utf-8", exclude_characters="\0"))))
def test_what_a_type_writes_it_reads_again(ruling: Ruling) -> None:
    assert parse_answer(ruling.model_dump_json(), Ruling) == ruling


def test_a_types_schema_is_strict_all_the_way_down() -> None:
    schema = answer_json_schema(Ruling)

    assert schema["required"] == ["title", "score", "parts", "default"]
    assert schema["additionalProperties"] is False
    assert schema["properties"] == {
        "title": {"type": "string"},
        "score": {"type": "number"},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
        "default": {"type": "integer"},
    }
    assert schema["$defs"]["Part"]["required"] == ["name", "colour"]
    assert schema["$defs"]["Part"]["additionalProperties"] is False
    assert schema["$defs"]["Colour"] == {"enum": ["blue", "red"], "type": "string"}
    assert "title" not in schema


def test_a_union_told_apart_by_a_constant_becomes_a_plain_one() -> None:
    class Yes(BaseModel):
        kind: Literal["yes"]

    class No(BaseModel):
        kind: Literal["no"]
        why: str

    class Reply(BaseModel):
        reply: Yes | No = Field(discriminator="kind")

    schema = answer_json_schema(Reply)

    assert schema["properties"]["reply"] == {"anyOf": [{"$ref": "#/$defs/Yes"}, {"$ref": "#/$defs/No"}]}


def test_a_type_with_free_keys_has_no_strict_schema() -> None:
    with pytest.raises(TypeError, match="Picks: an answer names its keys"):
        answer_json_schema(Picks)


def test_a_schema_is_worked_out_once_a_type() -> None:
    assert answer_json_schema(Part) is answer_json_schema(Part)
