"""Prepared answers, found by who asks about what."""

from pathlib import Path

import pytest

from agents.providers.base import AnswerSchema, CallFailed, CallKey, Capabilities, FinishReason, ProviderUnavailable
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from memory.model_call import Message

SCHEMA = AnswerSchema("Ruling", {"type": "object"})
MESSAGES = (Message(role="user", content="Is it blue?"),)


async def told(model: ScriptedModel, agent: str, item: str, round_number: int = 0, prompt: str = "") -> str:
    about = CallKey(agent=agent, item_id=item, round=round_number, prompt=prompt)
    return (await model.complete(MESSAGES, SCHEMA, about=about)).text


async def test_an_object_is_given_as_json_and_a_text_as_it_is() -> None:
    model = ScriptedModel(
        [
            ScriptedAnswer(agent="critic", answer={"farbe": "grün"}),
            ScriptedAnswer(agent="summarizer", answer="no JSON {"),
        ]
    )

    assert await told(model, "critic", "1") == '{"farbe": "grün"}'
    assert await told(model, "summarizer", "1") == "no JSON {"


async def test_the_most_exact_answer_is_given_wherever_it_stands() -> None:
    model = ScriptedModel(
        [
            ScriptedAnswer(agent="critic", answer="any item"),
            ScriptedAnswer(agent="critic", item="7", round=1, answer="item 7, round 1"),
            ScriptedAnswer(agent="critic", item="7", answer="item 7"),
            ScriptedAnswer(agent="critic", prompt="critic_short", answer="the short prompt"),
        ]
    )

    assert await told(model, "critic", "6") == "any item"
    assert await told(model, "critic", "7") == "item 7"
    assert await told(model, "critic", "7", 1) == "item 7, round 1"
    assert await told(model, "critic", "6", prompt="critic_short") == "the short prompt"


async def test_equally_exact_answers_are_given_in_turn_for_each_item() -> None:
    model = ScriptedModel([ScriptedAnswer(agent="critic", answer=text) for text in ("first", "second")])

    for item in ("1", "2"):
        assert [await told(model, "critic", item) for _ in range(3)] == ["first", "second", "second"]


async def test_a_call_without_an_answer_fails_and_is_named() -> None:
    model = ScriptedModel([ScriptedAnswer(agent="critic", item="1", round=0, answer="")])

    with pytest.raises(CallFailed, match="agent 'critic', item '1', round 2"):
        await told(model, "critic", "1", 2)
    with pytest.raises(CallFailed, match="who asks"):
        await model.complete(MESSAGES, SCHEMA)


async def test_a_file_holds_one_answer_a_line(tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    script.write_text(
        '{"agent": "critic", "answer": {"ok": true}}\n\n'
        '{"agent": "summarizer", "answer": "Half a sen", "finish_reason": "length"}\n',
        encoding="utf-8",
    )

    model = ScriptedModel.from_file(script)

    completion = await model.complete(MESSAGES, SCHEMA, about=CallKey("summarizer", "1"))
    assert (completion.text, completion.finish_reason) == ("Half a sen", FinishReason.LENGTH)
    assert completion.usage.estimated
    assert model.spec == f"scripted:{script}"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"agent": "critic"}', "line 2: answer: Field required"),
        ('{"agent": "critic", "answer": 1, "itme": "1"}', "line 2: itme: Extra"),
        ('{"agent": "critic", "answer": {}, "finish_reason": "tired"}', "line 2: finish_reason"),
        ("{", "line 2: the line: Invalid JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    script = tmp_path / "script.jsonl"
    script.write_text(f'{{"agent": "critic", "answer": 1}}\n{line}\n', encoding="utf-8")

    with pytest.raises(ProviderUnavailable, match=says):
        ScriptedModel.from_file(script)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProviderUnavailable, match=r"none\.jsonl cannot be read: No such file"):
        ScriptedModel.from_file(tmp_path / "none.jsonl")


def test_another_script_shapes_other_answers() -> None:
    one, other = (ScriptedModel([ScriptedAnswer(agent="critic", answer=text)]) for text in ("yes", "no"))

    assert one.parameters != other.parameters
    assert one.parameters == ScriptedModel([ScriptedAnswer(agent="critic", answer="yes")]).parameters


def test_capabilities_are_all_unless_set() -> None:
    assert ScriptedModel([]).capabilities == Capabilities()
    assert not ScriptedModel([], capabilities=Capabilities(judges=False)).capabilities.judges
