"""Questions about an item: where its text does not fit into the model's context, they are asked once more with less."""

from collections.abc import Callable
from functools import partial

from agents.answer_parsing import T
from agents.answering import Answer, Interviewer
from agents.phrasing import SHORT, phrase_item
from agents.providers.base import ContextTooLong, JsonSchema
from memory.schema import CatalogItem
from prompts.library import RenderedPrompt


async def ask_about_item(
    item: CatalogItem,
    render: Callable[[str], RenderedPrompt],
    answer_type: type[T],
    *,
    model: Interviewer,
    agent: str,
    round: int = 0,  # noqa: A002 - the field's own name
    json_schema: JsonSchema | None = None,
) -> Answer[T]:
    """Return the answer to the question that `render` makes of the item's text (`Interviewer.ask`).

    A prompt that is too long for the model is asked once more with each field cut shorter (`agents.phrasing.SHORT`);
    the call is marked as shortened. Evidence is looked for in the item's whole text all the same.
    """
    ask = partial(model.ask, agent=agent, item_id=item.id, round=round, json_schema=json_schema)
    usual = phrase_item(item)
    try:
        return await ask(render(usual), answer_type)
    except ContextTooLong:
        short = phrase_item(item, limits=SHORT)
        if short == usual:
            raise
    return await ask(render(short), answer_type, shortened=True)
