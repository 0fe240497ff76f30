"""An answer that cannot be used is asked for once more, with the reason; both calls are kept."""

import pytest
from pydantic import BaseModel

from agents.answering import AnswerInvalid, AnswerTruncated, Interviewer
from agents.providers.base import FinishReason
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from memory.model_call import Message, ModelCall
from prompts.library import PromptLibrary, RenderedPrompt, default_folder

PROMPT = RenderedPrompt(prompt="critic", fingerprint="f1", messages=(Message(role="user", content="u"),))
REPAIR = PromptLibrary.load(default_folder()).get("interviewer_repair")


class Colour(BaseModel):
    name: str


def interviewer(*answers: str, calls: list[ModelCall], finish_reason: FinishReason = FinishReason.STOP) -> Interviewer:
    script = [ScriptedAnswer(agent="critic", answer=answer, finish_reason=finish_reason) for answer in answers]
    return Interviewer(ScriptedModel(script), calls.append, repair=REPAIR)


async def test_the_second_question_holds_the_first_answer_and_what_was_wrong_with_it() -> None:
    calls: list[ModelCall] = []

    answer = await interviewer("red", '{"name": "red"}', calls=calls).ask(PROMPT, Colour, agent="critic", item_id="1")

    assert answer.parsed == Colour(name="red")
    assert [call.raw_answer for call in calls] == ["red", '{"name": "red"}']
    assert [message.role for message in calls[1].messages] == ["user", "assistant", "user"]
    assert calls[1].messages[1].content == "red"
    assert "no strict JSON" in calls[1].messages[2].content
    assert calls[0].key != calls[1].key


async def test_it_is_asked_again_only_once() -> None:
    calls: list[ModelCall] = []

    with pytest.raises(AnswerInvalid):
        await interviewer("red", "blue", "green", calls=calls).ask(PROMPT, Colour, agent="critic", item_id="1")

    assert len(calls) == 2


async def test_an_answer_that_was_cut_is_not_asked_for_again() -> None:
    calls: list[ModelCall] = []
    cut = interviewer('{"na', calls=calls, finish_reason=FinishReason.LENGTH)

    with pytest.raises(AnswerTruncated):
        await cut.ask(PROMPT, Colour, agent="critic", item_id="1")

    assert len(calls) == 1
