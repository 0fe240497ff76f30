"""The category expert: who chooses, what it may choose from, and what a template may gain."""

import pytest
from pydantic import JsonValue

from agents.answering import AnswerInvalid, Interviewer
from agents.category_expert import NoCandidates, choose_category, complete_template
from agents.providers.base import Capabilities
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from memory.category import AttributeSpec, AttributeType, CategoryCandidate, CategoryTemplate
from memory.schema import CatalogItem
from prompts.library import PromptLibrary, default_folder

ITEM = CatalogItem(id="1", title="Acme bottle")
CANDIDATES = [
    CategoryCandidate(category_id="bottles", path=("Kitchen", "Bottles"), score=0.8),
    CategoryCandidate(category_id="cups", path=("Kitchen", "Cups"), score=0.7),
]
TEMPLATE = CategoryTemplate(
    category_id="bottles",
    path=("Kitchen", "Bottles"),
    taxonomy_version="t",
    attributes=(AttributeSpec(key="brand", name="Brand", type=AttributeType.TEXT),),
)
PROMPTS = PromptLibrary.load(default_folder())


def interviewer(answer: JsonValue, capabilities: Capabilities | None = None) -> Interviewer:
    model = ScriptedModel([ScriptedAnswer(agent="category_expert", answer=answer)], capabilities=capabilities)
    return Interviewer(model, lambda call: None)


def proposed(key: str, kind: str = "text", unit: str | None = None, values: list[str] | None = None) -> JsonValue:
    return {"key": key, "name": key.title(), "type": kind, "unit": unit, "values": list(values or [])}


async def test_a_model_that_classifies_chooses_among_the_candidates() -> None:
    model = interviewer({"category_id": "cups", "confidence": 0.9})

    choice = await choose_category(ITEM, CANDIDATES, model=model, prompt=PROMPTS.get("category_expert"))

    assert (choice.category_id, choice.chosen_by, choice.score) == ("cups", "model", 0.7)


async def test_the_nearest_candidate_is_taken_where_the_model_cannot_classify() -> None:
    model = interviewer("never asked", Capabilities(classifies=False))

    choice = await choose_category(ITEM, CANDIDATES, model=model, prompt=PROMPTS.get("category_expert"))

    assert (choice.category_id, choice.chosen_by) == ("bottles", "embedding")


async def test_a_category_outside_the_candidates_is_never_chosen() -> None:
    model = interviewer({"category_id": "weapons", "confidence": 1.0})

    choice = await choose_category(ITEM, CANDIDATES, model=model, prompt=PROMPTS.get("category_expert"))

    assert (choice.category_id, choice.chosen_by) == ("bottles", "embedding")


async def test_an_item_without_candidates_is_an_error_that_names_it() -> None:
    with pytest.raises(NoCandidates, match="'1'"):
        await choose_category(ITEM, [], model=interviewer({}), prompt=PROMPTS.get("category_expert"))


async def test_a_template_gains_at_most_four_new_attributes_and_none_twice() -> None:
    listed = [proposed("brand"), *(proposed(f"a{n}") for n in range(9)), proposed("a0")]
    prompt = PROMPTS.get("category_expert_template")

    template = await complete_template(TEMPLATE, model=interviewer({"attributes": listed}), prompt=prompt)

    assert [spec.key for spec in template.attributes] == ["brand", "a0", "a1", "a2", "a3"]


async def test_a_proposed_attribute_that_lacks_its_unit_or_values_is_kept_as_text() -> None:
    listed: JsonValue = [
        proposed("lid", "enum"),
        proposed("height", "quantity"),
        proposed("neck", "quantity", "centimeter", ["ignored"]),
        proposed("cap", "enum", "gram", ["screw", "screw", " flip "]),
    ]
    prompt = PROMPTS.get("category_expert_template")

    template = await complete_template(TEMPLATE, model=interviewer({"attributes": listed}), prompt=prompt)

    kinds = {spec.key: (spec.type.value, spec.unit, [v.value for v in spec.values]) for spec in template.attributes}
    assert kinds["lid"] == ("text", None, [])
    assert kinds["height"] == ("text", None, [])
    assert kinds["neck"] == ("quantity", "centimeter", [])
    assert kinds["cap"] == ("enum", None, ["screw", "flip"])


async def test_an_attribute_key_that_is_no_key_is_refused() -> None:
    model = interviewer({"attributes": [proposed("__class__")]})

    with pytest.raises(AnswerInvalid):
        await complete_template(TEMPLATE, model=model, prompt=PROMPTS.get("category_expert_template"))


@pytest.mark.parametrize("unit", ["9**9**9", "music. - Bluetooth", "", None])
async def test_a_quantity_in_no_known_unit_is_kept_as_text(unit: str | None) -> None:
    model = interviewer({"attributes": [proposed("weight", "quantity", unit)]})

    template = await complete_template(TEMPLATE, model=model, prompt=PROMPTS.get("category_expert_template"))

    added = template.attributes[-1]
    assert (added.key, added.type, added.unit) == ("weight", AttributeType.TEXT, None)


async def test_a_unit_is_kept_under_its_one_name() -> None:
    model = interviewer({"attributes": [proposed("weight", "quantity", "kg")]})

    template = await complete_template(TEMPLATE, model=model, prompt=PROMPTS.get("category_expert_template"))

    assert template.attributes[-1].unit == "kilogram"
