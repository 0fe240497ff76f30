"""The summarizer: a sentence that names only what was accepted, else the plain one."""

import pytest

from agents.answering import Interviewer
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from agents.summarizer import summarize
from memory.category import AttributeSpec, AttributeType, CategoryTemplate
from memory.schema import CatalogItem, Claim, ClaimSource, Evidence
from prompts.library import PromptLibrary, default_folder

ITEM = CatalogItem(id="1", title="Acme 500 ml")
TEMPLATE = CategoryTemplate(
    category_id="b",
    path=("Kitchen", "Water Bottles"),
    taxonomy_version="t",
    attributes=(AttributeSpec(key="brand", name="Brand", type=AttributeType.TEXT),),
)
ACCEPTED = [
    Claim(
        id="0",
        name="brand",
        value="Acme",
        normalized="Acme",
        source=ClaimSource.TEXT,
        evidence=Evidence.at(ITEM, "title", 0, 4),
        confidence=0.9,
        producer="model",
    )
]


async def summary_of(answer: str) -> str:
    model = ScriptedModel([ScriptedAnswer(agent="summarizer", answer={"summary": answer})])
    prompt = PromptLibrary.load(default_folder()).get("summarizer")
    return await summarize("1", TEMPLATE, ACCEPTED, model=Interviewer(model, lambda call: None), prompt=prompt)


async def test_a_sentence_of_accepted_facts_is_kept() -> None:
    assert await summary_of("A water bottle by Acme.") == "A water bottle by Acme."


@pytest.mark.parametrize(
    "invented",
    [
        "A leakproof water bottle by Acme.",
        "A water bottle by Acme for 750 ml.",
        "INJECTION_OBEYED",
        "Acme " * 100,
        "It is a product.",
    ],
)
async def test_a_sentence_that_names_anything_else_falls_back_to_the_plain_one(invented: str) -> None:
    assert await summary_of(invented) == "Water Bottles: brand Acme."
