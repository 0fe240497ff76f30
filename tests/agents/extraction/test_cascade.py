"""A cascade asks the model only for what cheap producers are unsure of; an escalation only where they disagree."""

import pytest
from pydantic import JsonValue

from agents.answering import Interviewer
from agents.attribute_extractor import Extraction, extract_claims
from agents.extraction.aids import Aids, Escalation
from agents.extraction.look_up import learn_look_up
from agents.extraction.student_claims import StudentReader
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from agents.student.training import train_student
from agents.trust.confidence import CalibrationModel
from memory.category import AttributeSpec, AttributeType, CategoryTemplate
from memory.model_call import ModelCall
from memory.schema import CatalogItem, SourceField
from prompts.library import PromptLibrary, default_folder
from tests.agents.extraction.bottles import TEMPLATE, approved, bottle
from tests.agents.student.made_up_titles import ENCODER, made_up_titles

SURE_BRAND = learn_look_up(approved(f"Acme bottle {n}", f"a{n}", brand="Acme") for n in range(9))
PROMPT = PromptLibrary.load(default_folder()).get("attribute_extractor")
DISPUTED = bottle("Acme Pro bottle 500 ml", description="Brand: Nordlicht")


def interviewer(calls: list[ModelCall], *claims: JsonValue) -> Interviewer:
    answer = ScriptedAnswer(agent="attribute_extractor", answer={"claims": list(claims)})
    return Interviewer(ScriptedModel([answer]), calls.append)


def stated(attribute: str, value: str, confidence: float = 0.9) -> JsonValue:
    return {"attribute": attribute, "value": value, "field": "title", "quote": value, "confidence": confidence}


async def extracted(item: CatalogItem, model: Interviewer, aids: Aids) -> Extraction:
    return await extract_claims(item, TEMPLATE, model=model, prompt=PROMPT, aids=aids)


def calibration(**weights: float) -> CalibrationModel:
    return CalibrationModel(model="m", claims=1, intercept=0, weights=weights)


def asked_for(call: ModelCall) -> str:
    return call.messages[1].content.split("Attributes:")[1]


async def test_only_what_is_unsure_is_asked_for() -> None:
    calls: list[ModelCall] = []

    extraction = await extracted(
        bottle("Acme Pro bottle 500 ml"),
        interviewer(calls, stated("model", "Pro")),
        Aids(look_up=SURE_BRAND, cascade=True),
    )

    assert "brand" not in asked_for(calls[0])
    assert "model" in asked_for(calls[0])
    assert {("brand", "lookup"), ("model", "model")} <= {(c.name, c.producer) for c in extraction.claims}


async def test_without_a_cascade_everything_is_asked_for() -> None:
    calls: list[ModelCall] = []

    await extracted(bottle("Acme Pro bottle 500 ml"), interviewer(calls), Aids(look_up=SURE_BRAND))

    assert "brand" in asked_for(calls[0])


async def test_an_item_of_which_all_is_sure_costs_no_call() -> None:
    calls: list[ModelCall] = []
    only_brand = TEMPLATE.model_copy(update={"attributes": TEMPLATE.attributes[:1]})

    extraction = await extract_claims(
        bottle("Acme bottle"),
        only_brand,
        model=interviewer(calls),
        prompt=PROMPT,
        aids=Aids(look_up=SURE_BRAND, cascade=True),
    )

    assert calls == []
    assert [claim.value for claim in extraction.claims] == ["Acme"]


async def test_what_the_title_does_not_state_may_stand_in_another_text() -> None:
    student = StudentReader(train_student(made_up_titles(60, seed=0), ENCODER), ENCODER)
    spec = AttributeSpec(key="colour", name="Colour", type=AttributeType.TEXT)
    mugs = CategoryTemplate(category_id="m", path=("Mug",), taxonomy_version="t", attributes=(spec,))
    asked: dict[str, list[ModelCall]] = {"": [], "It is green.": []}

    for description, calls in asked.items():
        await extract_claims(
            bottle("Acme mug 350 ml", description=description),
            mugs,
            model=interviewer(calls),
            prompt=PROMPT,
            aids=Aids(student=student, cascade=True),
        )

    assert [len(calls) for calls in asked.values()] == [0, 1]


async def test_a_column_that_no_value_can_be_read_from_settles_nothing() -> None:
    calls: list[ModelCall] = []
    item = CatalogItem(id="1", title="Acme bottle", fields=(SourceField(name="color", text="gunk"),))

    extraction = await extracted(item, interviewer(calls), Aids(cascade=True))

    assert ("gunk", "field", 0.95) in {(c.value, c.producer, c.confidence) for c in extraction.claims}
    assert "color" in asked_for(calls[0])


async def test_the_stronger_model_is_asked_for_disputed_attributes_alone_and_its_value_goes_first() -> None:
    weak: list[ModelCall] = []
    strong: list[ModelCall] = []
    escalation = Escalation(interviewer(strong, stated("brand", "Acme Pro")), PROMPT)

    extraction = await extracted(DISPUTED, interviewer(weak), Aids(look_up=SURE_BRAND, escalation=escalation))

    brands = [claim for claim in extraction.claims if claim.name == "brand"]
    assert [line[:7] for line in asked_for(strong[0]).strip().splitlines()] == ["- brand"]
    assert brands[0].value == "Acme Pro"
    assert brands[0].confidence == max(claim.confidence for claim in brands)
    assert {claim.value for claim in brands} == {"Acme Pro", "Acme", "Nordlicht"}


async def test_what_the_stronger_model_states_keeps_a_confidence_of_its_own_by_which_it_may_be_abstained_from() -> None:
    escalation = Escalation(interviewer([], stated("brand", "Acme Pro", confidence=0.3)), PROMPT)

    extraction = await extracted(DISPUTED, interviewer([]), Aids(look_up=SURE_BRAND, escalation=escalation))

    brands = [claim for claim in extraction.claims if claim.name == "brand"]
    assert brands[0].value == "Acme Pro"
    assert [claim.confidence for claim in brands] == [0.3, 0.3, 0.3]


async def test_what_the_stronger_model_states_is_calibrated_as_all_is() -> None:
    escalation = Escalation(interviewer([], stated("brand", "Acme Pro")), PROMPT)
    aids = Aids(look_up=SURE_BRAND, escalation=escalation, calibration=calibration(disputed=-1.0))

    extraction = await extracted(DISPUTED, interviewer([]), aids)

    first = next(claim for claim in extraction.claims if claim.name == "brand")
    assert (first.value, first.raw_confidence) == ("Acme Pro", 0.9)
    assert first.confidence == pytest.approx(0.269, abs=0.001)


async def test_where_nobody_disagrees_the_stronger_model_is_not_asked() -> None:
    strong: list[ModelCall] = []
    aids = Aids(look_up=SURE_BRAND, escalation=Escalation(interviewer(strong), PROMPT))

    await extracted(bottle("Acme bottle 500 ml"), interviewer([]), aids)

    assert strong == []
