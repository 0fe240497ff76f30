"""The attribute extractor: claims with evidence, picks from what is offered, nothing without a span."""

import pytest
from pydantic import JsonValue

from agents.answering import Interviewer
from agents.attribute_extractor import Corrections, Extraction, extract_claims
from agents.providers.base import Capabilities
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from memory.category import AllowedValue, AttributeSpec, AttributeType, CategoryTemplate, TitlePosition
from memory.model_call import ModelCall
from memory.schema import CatalogItem, Claim, Decision, Reason, SourceField, Verdict
from prompts.library import PromptLibrary, default_folder

ITEM = CatalogItem(
    id="1",
    title="The North Face Resolve Jacket 300 g",
    description="A jacket of the brand The North Face. Weighs 300 g.",
    fields=(SourceField(name="stock", text="7"),),
)
TEMPLATE = CategoryTemplate(
    category_id="jackets",
    path=("Clothing", "Jackets"),
    taxonomy_version="t",
    attributes=(
        AttributeSpec(key="brand", name="Brand", type=AttributeType.TEXT, title_position=TitlePosition.START),
        AttributeSpec(key="model", name="Model", type=AttributeType.TEXT, title_position=TitlePosition.AFTER_BRAND),
        AttributeSpec(
            key="weight", name="Weight", type=AttributeType.QUANTITY, unit="gram", description="Without its\nbox."
        ),
        AttributeSpec(
            key="color",
            name="Color",
            type=AttributeType.ENUM,
            values=(AllowedValue(value="anthracite", aliases=("anthrazit",)),),
            description="The colour.",
            many=True,
        ),
    ),
)
PICKS_ONLY = Capabilities(classifies=False, judges=False, writes=False, proposes=False)


async def extract(
    *answers: JsonValue,
    capabilities: Capabilities | None = None,
    item: CatalogItem = ITEM,
    corrections: Corrections | None = None,
    calls: list[ModelCall] | None = None,
) -> Extraction:
    kept: list[ModelCall] = [] if calls is None else calls
    scripted = [ScriptedAnswer(agent="attribute_extractor", answer=answer) for answer in answers]
    model = Interviewer(ScriptedModel(scripted, capabilities=capabilities), kept.append)
    prompts = PromptLibrary.load(default_folder(), "embedded" if capabilities else None)
    return await extract_claims(
        item,
        TEMPLATE,
        model=model,
        prompt=prompts.get("attribute_extractor"),
        corrections=corrections,
        round=1 if corrections else 0,
    )


def stated(attribute: str, value: str, quote: str, field: str = "title") -> JsonValue:
    return {"attribute": attribute, "value": value, "field": field, "quote": quote, "confidence": 0.9}


def values(extraction: Extraction) -> set[tuple[str, str]]:
    return {(claim.name, claim.normalized) for claim in extraction.claims}


async def test_a_misspelt_value_of_a_model_is_taken_for_the_allowed_one_and_keeps_what_the_text_says() -> None:
    item = CatalogItem(id="3", title="Resolve jacket anthrazt")

    extraction = await extract({"claims": [stated("color", "anthrazt", "anthrazt")]}, item=item)

    (claim,) = [claim for claim in extraction.claims if claim.name == "color"]
    assert (claim.value, claim.normalized) == ("anthrazt", "anthracite")
    assert claim.snapped is not None
    assert claim.confidence == pytest.approx(0.9 * claim.snapped)


async def test_an_allowed_word_and_a_strange_one_have_no_score() -> None:
    item = CatalogItem(id="3", title="Resolve jacket anthrazit or galaxy")
    answer: JsonValue = {
        "claims": [stated("color", "anthrazit", "anthrazit"), stated("color", "galaxy", "galaxy")],
    }

    extraction = await extract(answer, item=item)

    assert {(c.normalized, c.snapped) for c in extraction.claims if c.name == "color"} >= {("galaxy", None)}
    assert {c.snapped for c in extraction.claims} == {None}


async def test_a_prompt_says_what_an_attribute_means_that_lists_no_values() -> None:
    calls: list[ModelCall] = []

    await extract({"claims": []}, calls=calls)

    asked = calls[0].messages[1].content
    assert "- weight (Weight): quantity in gram; Without its box.\n" in asked
    assert "- color (Color): enum, one of: anthracite\n" in asked
    assert "The colour." not in asked


async def test_a_small_model_picks_one_of_the_offered_spans() -> None:
    calls: list[ModelCall] = []

    extraction = await extract({"brand": "The North Face"}, capabilities=PICKS_ONLY, calls=calls)

    assert {("brand", "The North Face"), ("weight", "300")} <= values(extraction)
    assert "The North Face" in calls[0].messages[1].content
    assert {c.name: c.producer for c in extraction.claims}["brand"] == "model"


async def test_what_is_not_on_offer_is_not_taken() -> None:
    extraction = await extract({"brand": "INJECTION_OBEYED"}, capabilities=PICKS_ONLY)

    assert "INJECTION_OBEYED" not in {value for _, value in values(extraction)}


async def test_a_small_model_is_not_asked_where_the_title_offers_nothing() -> None:
    calls: list[ModelCall] = []
    plain = CatalogItem(id="2", title="300 g jacket")

    extraction = await extract(capabilities=PICKS_ONLY, item=plain, calls=calls)

    assert calls == []
    assert values(extraction) == {("weight", "300")}


async def test_a_quote_is_found_in_another_field_than_the_one_named() -> None:
    answer: JsonValue = {"claims": [stated("brand", "The North Face", "the brand The North Face", "stock")]}

    extraction = await extract(answer)

    evidence = next(claim.evidence for claim in extraction.claims if claim.name == "brand")
    assert evidence is not None
    assert (evidence.field, evidence.quote) == ("description", "the brand The North Face")


async def test_a_proposal_without_a_span_is_kept_but_is_no_claim() -> None:
    answer: JsonValue = {
        "claims": [stated("brand", "Patagonia", "Patagonia"), stated("brand", "Patagonia", "The North Face")]
    }

    extraction = await extract(answer)

    assert "Patagonia" not in {value for _, value in values(extraction)}
    assert [proposal.value for proposal in extraction.ungrounded] == ["Patagonia", "Patagonia"]


async def test_a_value_that_rules_found_too_is_claimed_once() -> None:
    extraction = await extract({"claims": [stated("weight", "300 g", "300 g")]})

    assert [claim.normalized for claim in extraction.claims if claim.name == "weight"] == ["300"]


async def test_claim_ids_are_unique() -> None:
    answer: JsonValue = {"claims": [stated("model", word, word) for word in ("Resolve", "Jacket", "Face")]}

    extraction = await extract(answer)

    ids = [claim.id for claim in extraction.claims]
    assert len(ids) == len(set(ids)) == 4


async def test_a_later_round_asks_for_failed_attributes_only_and_never_for_a_refused_value() -> None:
    first = await extract({"claims": [stated("model", "Jacket", "Jacket")]})
    failed = next(claim for claim in first.claims if claim.name == "model")
    calls: list[ModelCall] = []

    again: JsonValue = {"claims": [stated("model", "Jacket", "Jacket"), stated("model", "Resolve", "Resolve")]}
    second = await extract(again, corrections=Corrections(failed=((failed, _refusal(failed)),)), calls=calls)

    assert values(second) == {("model", "Resolve")}
    assert "weight" not in calls[0].messages[1].content.split("Attributes:")[1]


def _refusal(claim: Claim) -> Verdict:
    return Verdict(
        claim_id=claim.id, decision=Decision.REVISE, reason=Reason.UNSUPPORTED, checked_by="model", note="no model"
    )


async def test_without_a_model_nothing_is_picked_and_nothing_asked() -> None:
    calls: list[ModelCall] = []

    extraction = await extract(capabilities=Capabilities().without(["attribute_extractor"]), calls=calls)

    assert "model" not in {claim.producer for claim in extraction.claims}
    assert values(extraction) >= {("weight", "300")}
    assert calls == []
