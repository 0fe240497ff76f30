"""The main flow: the sequence of agents, the loop back to the extractor, and its bound."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import JsonValue

from agents.providers.scripted import ScriptedAnswer
from graphs.enrichment import build_enrichment_graph
from graphs.single_item import Step, trace_item
from memory.database import Database, open_database
from memory.schema import CatalogItem, Decision, Enrichment, Reason
from tests.databases import fresh_url
from tests.graphs.bench_of_bottles import (
    ITEM,
    NO_CAPABILITIES,
    Journal,
    context_of,
    proposal,
    ruling,
    usual_answers,
)

AFTER_THE_CRITIC = ("demand_analyst", "demand_critic", "summarizer")


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    with open_database(fresh_url()) as opened:
        yield opened


async def run(
    tmp_path: Path, database: Database, answers: list[ScriptedAnswer], item: CatalogItem = ITEM, max_revisions: int = 2
) -> tuple[list[str], Enrichment, Journal]:
    context, journal = context_of(tmp_path, database, answers, max_revisions=max_revisions)
    steps = [step async for step in trace_item(build_enrichment_graph(), item, context)]
    enrichment = steps[-1]
    assert isinstance(enrichment, Enrichment)
    return [step.node for step in steps if isinstance(step, Step)], enrichment, journal


def extracted(*claims: JsonValue, number: int | None = None) -> ScriptedAnswer:
    return ScriptedAnswer(agent="attribute_extractor", round=number, answer={"claims": list(claims)})


async def test_an_item_passes_each_agent_once_when_every_claim_is_accepted(tmp_path: Path, database: Database) -> None:
    answers = [*usual_answers(), extracted(proposal("brand", "Acme")), _accept_all()]

    nodes, enrichment, journal = await run(tmp_path, database, answers)

    assert nodes == ["category_expert", "attribute_extractor", "critic", *AFTER_THE_CRITIC]
    assert {claim.name: claim.normalized for claim in enrichment.accepted} == {
        "brand": "Acme",
        "volume": "500",
        "color": "red",
    }
    assert enrichment.summary == "A red water bottle by Acme."
    assert enrichment.model_calls == 5
    assert journal.prompts()[:2] == ["category_expert", "category_expert_template"]


def _accept_all() -> ScriptedAnswer:
    return ruling(*((f"0.{n}.{name}", "accept") for n in range(4) for name in ("brand", "volume", "color")))


async def test_only_the_failed_claim_goes_back_with_the_reason(tmp_path: Path, database: Database) -> None:
    answers = [
        *usual_answers(),
        extracted(proposal("brand", "water"), number=0),
        extracted(proposal("brand", "Acme"), number=1),
        ScriptedAnswer(
            agent="critic",
            round=0,
            answer={
                "verdicts": [
                    {
                        "claim_id": f"0.{n}.{name}",
                        "decision": "revise" if name == "brand" else "accept",
                        "note": "no brand",
                    }
                    for n in range(4)
                    for name in ("brand", "volume", "color")
                ]
            },
        ),
        ScriptedAnswer(
            agent="critic", round=1, answer={"verdicts": [{"claim_id": "1.0.brand", "decision": "accept", "note": ""}]}
        ),
    ]

    nodes, enrichment, journal = await run(tmp_path, database, answers)

    assert nodes == ["category_expert", *2 * ("attribute_extractor", "critic"), *AFTER_THE_CRITIC]
    second = [call for call in journal.calls if call.agent == "attribute_extractor"][1].messages[1].content
    assert "brand = 'water': unsupported no brand" in second
    assert "volume" not in second
    assert {c.normalized: enrichment.verdict_on(c).decision for c in enrichment.claims if c.name == "brand"} == {
        "water": Decision.REJECT,
        "Acme": Decision.ACCEPT,
    }


@pytest.mark.parametrize("max_revisions", [0, 1, 2, 10])
async def test_a_critic_that_never_accepts_ends_after_max_revisions(
    tmp_path: Path, database: Database, max_revisions: int
) -> None:
    answers = [
        *usual_answers(),
        *(
            extracted(proposal("brand", word), number=n)
            for n, word in enumerate(
                ["Acme", "water", "bottle", "Acme", "water", "bottle", "Acme", "water", "bottle", "Acme", "water"]
            )
        ),
        *(
            ScriptedAnswer(
                agent="critic",
                round=n,
                answer={
                    "verdicts": [{"claim_id": f"{n}.{k}.brand", "decision": "revise", "note": ""} for k in range(4)]
                },
            )
            for n in range(11)
        ),
    ]

    nodes, enrichment, _ = await run(tmp_path, database, answers, max_revisions=max_revisions)

    assert nodes.count("critic") <= max_revisions + 1
    assert enrichment.rounds <= max_revisions
    assert all(enrichment.verdict_on(c).decision is Decision.REJECT for c in enrichment.claims if c.name == "brand")


async def test_a_value_that_was_refused_is_not_claimed_again(tmp_path: Path, database: Database) -> None:
    answers = [
        *usual_answers(),
        extracted(proposal("brand", "water")),
        ScriptedAnswer(
            agent="critic",
            answer={
                "verdicts": [
                    {"claim_id": f"{r}.{k}.brand", "decision": "revise", "note": ""} for r in range(3) for k in range(4)
                ]
            },
        ),
    ]

    _, enrichment, _ = await run(tmp_path, database, answers)

    assert [claim.normalized for claim in enrichment.claims if claim.name == "brand"] == ["water"]


async def test_a_value_without_a_span_of_the_text_never_becomes_a_claim(tmp_path: Path, database: Database) -> None:
    answers = [
        *usual_answers(),
        extracted(proposal("brand", "Bosch"), proposal("color", "blue", "red")),
        _accept_all(),
    ]

    _, enrichment, _ = await run(tmp_path, database, answers)

    assert "Bosch" not in {claim.normalized for claim in enrichment.claims}
    assert "blue" not in {claim.normalized for claim in enrichment.claims}
    assert {p.value for p in enrichment.ungrounded} == {"Bosch", "blue"}


async def test_a_model_without_capabilities_is_asked_only_to_pick_spans(tmp_path: Path, database: Database) -> None:
    pick = ScriptedAnswer(agent="attribute_extractor", answer={"brand": "Acme"})
    context, journal = context_of(tmp_path, database, [pick], capabilities=NO_CAPABILITIES)

    steps = [step async for step in trace_item(build_enrichment_graph(), ITEM, context)]

    enrichment = steps[-1]
    assert isinstance(enrichment, Enrichment)
    assert journal.prompts() == ["attribute_extractor"]
    assert enrichment.category.chosen_by == "embedding"
    assert {(c.name, c.normalized) for c in enrichment.accepted} == {
        ("brand", "Acme"),
        ("volume", "500"),
        ("color", "red"),
    }
    assert all(enrichment.verdict_on(c).reason is Reason.SUPPORTED for c in enrichment.accepted)
    assert "Acme" in enrichment.summary


async def test_demands_rest_on_accepted_claims_and_are_ruled_on_before_they_are_known(
    tmp_path: Path, database: Database
) -> None:
    stated = [
        wanted_in("a cup holder", "0.0.volume"),
        wanted_in("a blue kitchen", "0.9.color"),
        wanted_in("a rucksack"),
    ]
    rulings: list[JsonValue] = [
        {"demand_id": "d1", "decision": "accept", "note": ""},
        {"demand_id": "d3", "decision": "reject", "note": "too heavy"},
    ]
    answers = [
        ScriptedAnswer(agent="demand_analyst", item=ITEM.id, answer={"demands": stated}),
        ScriptedAnswer(agent="demand_critic", answer={"rulings": rulings}),
        *usual_answers(),
        extracted(proposal("brand", "Acme")),
        _accept_all(),
    ]

    nodes, enrichment, journal = await run(tmp_path, database, answers)

    assert nodes[-3:] == ["demand_analyst", "demand_critic", "summarizer"]
    assert [demand.text for demand in enrichment.accepted_demands] == ["a cup holder"]
    assert [(verdict.reason, verdict.checked_by) for verdict in enrichment.demand_verdicts] == [
        (Reason.SUPPORTED, "model"),
        (Reason.UNSUPPORTED, "code"),
        (Reason.IMPLAUSIBLE, "model"),
    ]
    assert "demand_critic" in journal.prompts()
    assert len(enrichment.verdicts) == len(enrichment.claims)  # no verdict on a demand is among them


def wanted_in(place: str, *rests_on: JsonValue) -> JsonValue:
    """Return one demand as a capable model states it."""
    about: dict[str, JsonValue] = {"relation": "used_in", "text": place, "rests_on": list(rests_on)}
    return about | {"positive": True, "plausibility": 0.9, "typicality": 0.4}
