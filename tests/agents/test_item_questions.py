"""A text that does not fit into the model's context is shown shorter, once, and the call says so."""

from collections.abc import Sequence

import pytest
from pydantic import BaseModel

from agents.answering import Interviewer
from agents.item_questions import ask_about_item
from agents.phrasing import SHORT
from agents.providers.base import AnswerSchema, CallKey, Completion, ContextTooLong
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from memory.model_call import Message, ModelCall
from memory.schema import CatalogItem, SourceField
from prompts.library import RenderedPrompt

LONG = CatalogItem(
    id="k", title="Kettle " + "t" * 300, description="d" * 3000, fields=(SourceField(name="note", text="n" * 200),)
)


class Word(BaseModel):
    word: str


class Forgetful(ScriptedModel):
    """Takes prompts of so many characters."""

    def __init__(self, characters: int) -> None:
        super().__init__([ScriptedAnswer(agent="critic", answer='{"word": "yes"}')])
        self.characters = characters
        self.asked: list[str] = []

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        self.asked.append(messages[-1].content)
        if len(messages[-1].content) > self.characters:
            raise ContextTooLong("too long")
        return await super().complete(messages, schema, about=about)


def shown(text: str) -> RenderedPrompt:
    return RenderedPrompt(prompt="critic", fingerprint="f", messages=(Message(role="user", content=text),))


async def ask(model: Forgetful, item: CatalogItem) -> list[ModelCall]:
    calls: list[ModelCall] = []
    answer = await ask_about_item(item, shown, Word, model=Interviewer(model, calls.append), agent="critic")
    assert answer.parsed.word == "yes"
    return calls


async def test_a_text_that_fits_is_asked_about_as_it_is() -> None:
    [call] = await ask(Forgetful(10_000), LONG)

    assert not call.shortened
    assert "d" * 3000 in call.messages[-1].content


async def test_each_field_of_one_that_does_not_fit_is_cut() -> None:
    model = Forgetful(1000)

    [call] = await ask(model, LONG)

    assert call.shortened
    assert len(model.asked) == 2
    lines = model.asked[1].splitlines()[1:-1]
    assert [line.partition(": ")[0] for line in lines] == ["title", "description", "note"]
    assert [len(line.partition(": ")[2]) for line in lines] == [limit + 2 for limit in SHORT]


@pytest.mark.parametrize(("item", "asked"), [(LONG, 2), (CatalogItem(id="k", title="Kettle", description=""), 1)])
async def test_one_that_cannot_be_made_to_fit_fails(item: CatalogItem, asked: int) -> None:
    model = Forgetful(10)

    with pytest.raises(ContextTooLong):
        await ask(model, item)

    assert len(model.asked) == asked
