"""Equal questions asked at the same moment are paid once."""

import asyncio
from collections.abc import Sequence

import pytest
from pydantic import BaseModel

from agents.answering import Answer, Interviewer
from agents.providers.base import AnswerSchema, CallFailed, CallKey, Completion, FailureKind, FinishReason
from agents.providers.scripted import ScriptedModel
from memory.database import open_database
from memory.ledger import Ledger
from memory.model_call import Message, ModelCall, Usage
from prompts.library import RenderedPrompt
from tests.databases import fresh_url

PROMPT = RenderedPrompt(
    prompt="critic", fingerprint="f1", messages=(Message(role="system", content="s"), Message(role="user", content="u"))
)


class Word(BaseModel):
    word: str


class Slow(ScriptedModel):
    """Answers when it is let, and fails so many calls first."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__([])
        self.let = asyncio.Event()
        self.failures = failures
        self.asked = 0

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        self.asked += 1
        fails = self.asked <= self.failures
        await self.let.wait()
        await asyncio.sleep(0.01)
        if fails:
            raise CallFailed("out of order", kind=FailureKind.BAD_REQUEST)
        usage = Usage(prompt_tokens=3, completion_tokens=2)
        return Completion(
            text='{"word": "yes"}', finish_reason=FinishReason.STOP, usage=usage, model="slow", seconds=0.1
        )


async def asked_by(interviewer: Interviewer, *items: str) -> list[asyncio.Task[Answer[Word]]]:
    tasks = [asyncio.ensure_future(interviewer.ask(PROMPT, Word, agent="critic", item_id=item_id)) for item_id in items]
    await asyncio.sleep(0.01)
    return tasks


async def test_two_items_that_ask_the_same_at_once_are_paid_once() -> None:
    model = Slow()
    with open_database(fresh_url()) as database:
        async with Ledger(database) as ledger:
            interviewer, witnessed = Interviewer(model, ledger), list[ModelCall]()
            first = await asked_by(interviewer, "1")
            second = await asked_by(interviewer.witnessed_by(witnessed.append), "2")
            model.let.set()

            answers = await asyncio.gather(*first, *second)

    assert [(answer.parsed, answer.replayed) for answer in answers] == [
        (Word(word="yes"), False),
        (Word(word="yes"), True),
    ]
    assert model.asked == 1
    assert (ledger.spend.calls, ledger.spend.replayed) == (1, 1)
    assert [call.item_id for call in witnessed] == ["2"]


async def test_a_failure_is_met_by_the_item_whose_call_it_was_alone() -> None:
    model = Slow(failures=1)
    tasks = await asked_by(Interviewer(model, lambda call: None), "1", "2", "3")
    model.let.set()

    first, *others = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(first, CallFailed)
    assert [getattr(answer, "parsed", answer) for answer in others] == [Word(word="yes")] * 2
    assert model.asked == 2


@pytest.mark.parametrize("cancelled", [0, 1])
async def test_who_is_cancelled_takes_nobody_along(cancelled: int) -> None:
    model = Slow()
    tasks = await asked_by(Interviewer(model, lambda call: None), "1", "2")
    tasks[cancelled].cancel()
    await asyncio.sleep(0.01)
    model.let.set()

    answer = await tasks[1 - cancelled]

    assert getattr(answer, "parsed", None) == Word(word="yes")
    assert model.asked == 2 - cancelled
