"""The critic: what code refuses, what the model refuses, and what neither rules on."""

from collections.abc import Sequence

import pytest
from pydantic import JsonValue

from agents.answering import Interviewer
from agents.critic import RulingOnClaim, review_claims
from agents.providers.base import AnswerSchema, CallKey, Capabilities, Completion
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from memory.category import AllowedValue, AttributeSpec, AttributeType, CategoryTemplate
from memory.model_call import Message
from memory.schema import CatalogItem, Claim, ClaimSource, Decision, Evidence, Reason, Verdict
from prompts.library import PromptLibrary, default_folder

ITEM = CatalogItem(id="1", title="Acme bottle 500 ml red", description="Made of steel. Holds 750 ml too.")
TEMPLATE = CategoryTemplate(
    category_id="kitchen.water-bottles",
    path=("Kitchen", "Water Bottles"),
    taxonomy_version="t",
    attributes=(
        AttributeSpec(key="brand", name="Brand", type=AttributeType.TEXT),
        AttributeSpec(key="volume", name="Volume", type=AttributeType.QUANTITY, unit="milliliter"),
        AttributeSpec(
            key="color",
            name="Color",
            type=AttributeType.ENUM,
            values=(AllowedValue(value="red"), AllowedValue(value="blue")),
            many=True,
        ),
    ),
)
CODE_ONLY = Capabilities(classifies=False, judges=False, writes=False, proposes=False)


def claim(
    name: str, quote: str, normalized: str, unit: str | None = None, *, value: str = "", sure: float = 0.9
) -> Claim:
    field = "title" if quote in ITEM.title else "description"
    start = ITEM.source(field).index(quote)
    return Claim(
        id=f"{name}:{normalized}",
        name=name,
        value=value or quote,
        normalized=normalized,
        unit=unit,
        source=ClaimSource.TEXT,
        evidence=Evidence.at(ITEM, field, start, start + len(quote)),
        confidence=sure,
        producer="model",
    )


async def review(
    *claims: Claim, answers: list[ScriptedAnswer] | None = None, accepted: tuple[Claim, ...] = ()
) -> list[Verdict]:
    model = ScriptedModel(answers or [], capabilities=None if answers else CODE_ONLY)
    prompt = PromptLibrary.load(default_folder()).get("critic")
    return await review_claims(
        ITEM, claims, TEMPLATE, accepted=accepted, model=Interviewer(model, lambda call: None), prompt=prompt
    )


async def test_a_claim_that_its_evidence_supports_is_accepted() -> None:
    verdicts = await review(claim("volume", "500 ml", "500", "milliliter"))

    assert [(v.decision, v.reason, v.checked_by) for v in verdicts] == [(Decision.ACCEPT, Reason.SUPPORTED, "code")]


@pytest.mark.parametrize(
    ("bad", "decision", "reason"),
    [
        (claim("material", "steel", "steel"), Decision.REJECT, Reason.NOT_IN_TEMPLATE),
        (claim("color", "bottle", "green"), Decision.REVISE, Reason.NOT_IN_VOCABULARY),
        (claim("volume", "500 ml", "500", None), Decision.REVISE, Reason.WRONG_UNIT),
        (claim("volume", "500 ml", "500", "gram"), Decision.REVISE, Reason.WRONG_UNIT),
        (claim("volume", "500 ml", "500.0", "milliliter"), Decision.REVISE, Reason.WRONG_TYPE),
        (claim("brand", "bottle", "Bosch", value="Bosch"), Decision.REVISE, Reason.EVIDENCE_LACKS_VALUE),
    ],
)
async def test_a_claim_that_code_can_refute_is_not_accepted(bad: Claim, decision: Decision, reason: Reason) -> None:
    verdicts = await review(bad)

    assert [(v.decision, v.reason) for v in verdicts] == [(decision, reason)]


async def test_of_two_values_for_one_attribute_the_surer_one_stands() -> None:
    weaker = claim("volume", "750 ml", "750", "milliliter", sure=0.4)
    surer = claim("volume", "500 ml", "500", "milliliter", sure=0.8)

    verdicts = await review(weaker, surer)

    assert [v.reason for v in verdicts] == [Reason.CONTRADICTION, Reason.SUPPORTED]


async def test_a_claim_of_a_later_round_may_not_contradict_what_stands() -> None:
    standing = claim("volume", "500 ml", "500", "milliliter")

    verdicts = await review(claim("volume", "750 ml", "750", "milliliter", sure=1.0), accepted=(standing,))

    assert [v.reason for v in verdicts] == [Reason.CONTRADICTION]


async def test_a_claim_without_a_ruling_is_rejected() -> None:
    ruling = ScriptedAnswer(agent="critic", answer={"verdicts": []})

    verdicts = await review(claim("brand", "Acme", "Acme"), answers=[ruling])

    assert [(v.decision, v.reason) for v in verdicts] == [(Decision.REJECT, Reason.UNRULED)]


async def test_of_two_rulings_on_one_claim_the_stricter_counts() -> None:
    brand = claim("brand", "Acme", "Acme")
    rulings: list[JsonValue] = [
        {"claim_id": brand.id, "decision": d, "note": "n"} for d in ("reject", "accept", "revise")
    ]

    verdicts = await review(brand, answers=[ScriptedAnswer(agent="critic", answer={"verdicts": rulings})])

    assert [(v.decision, v.checked_by) for v in verdicts] == [(Decision.REJECT, "model")]


async def test_the_model_is_not_asked_about_what_code_refused() -> None:
    nothing_prepared = ScriptedAnswer(agent="another", answer={})

    verdicts = await review(claim("color", "bottle", "green"), answers=[nothing_prepared])

    assert [v.checked_by for v in verdicts] == ["code"]


async def test_the_model_is_held_to_one_ruling_on_each_claim_that_code_let_through() -> None:
    asked: list[AnswerSchema] = []

    class Listening(ScriptedModel):
        async def complete(
            self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
        ) -> Completion:
            asked.append(schema)
            return await super().complete(messages, schema, about=about)

    model = Interviewer(Listening([ScriptedAnswer(agent="critic", answer={"verdicts": []})]), lambda call: None)
    claims = [claim("brand", "Acme", "Acme"), claim("color", "bottle", "green")]

    await review_claims(ITEM, claims, TEMPLATE, model=model, prompt=PromptLibrary.load(default_folder()).get("critic"))

    (schema,) = asked
    verdicts = schema.json_schema["properties"]["verdicts"]
    assert verdicts["items"]["properties"]["claim_id"]["enum"] == [claims[0].id]
    assert (verdicts["minItems"], verdicts["maxItems"]) == (1, 1)
    assert set(verdicts["items"]["properties"]) == set(RulingOnClaim.model_fields)
