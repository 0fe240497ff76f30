"""A run after a person's decision: it holds against every model, and no model is asked about what it settles."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agents.human_rulings import with_rulings
from agents.providers.base import AnswerSchema, CallKey, Completion
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from graphs.batch import Batch, BatchSettings
from graphs.enrichment import build_enrichment_graph
from graphs.single_item import enrich_item
from memory.category import CategoryTemplate
from memory.database import Database, open_database
from memory.ledger import Ledger
from memory.model_call import Message
from memory.reviews import ruling_lookup, save_ruling
from memory.rulings import HumanRuling
from memory.schema import Decision, Enrichment, Reason
from memory.store import enrichment_of
from memory.versions import version_for
from tests.databases import fresh_url
from tests.graphs.bench_of_bottles import ITEM, Journal, context_of, proposal, ruling, usual_answers
from tests.memory.human_words import accept, correct, reject
from tests.memory.knowledge_samples import PROVENANCE

ACCEPT_ALL = ruling(
    *((f"{r}.{n}.{k}", "accept") for r in (0, 1) for n in range(4) for k in ("brand", "volume", "color"))
)
EXTRACTED = ScriptedAnswer(
    agent="attribute_extractor", answer={"claims": [proposal("brand", "Acme"), proposal("brand", "water")]}
)


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    with open_database(fresh_url()) as opened:
        yield opened


async def run(
    tmp_path: Path, database: Database, rulings: Sequence[HumanRuling], answers: Sequence[ScriptedAnswer] = ()
) -> tuple[Enrichment, Journal]:
    context, journal = context_of(tmp_path, database, [*usual_answers(), *(answers or (EXTRACTED, ACCEPT_ALL))])
    decided = replace(context, rulings=lambda item_id: tuple(rulings) if item_id == ITEM.id else ())
    return await enrich_item(build_enrichment_graph(), ITEM, decided), journal


def asked(journal: Journal, agent: str) -> list[str]:
    """Return the prompts that an agent sent."""
    return [call.messages[1].content for call in journal.calls if call.agent == agent]


def values(enrichment: Enrichment) -> dict[str, str]:
    return {claim.name: claim.normalized for claim in enrichment.accepted}


async def test_a_run_differs_only_in_what_was_decided(tmp_path: Path, database: Database) -> None:
    before, _ = await run(tmp_path, database, [])

    after, journal = await run(tmp_path, database, [correct(ITEM, "brand", "acme", "Nordlicht")])

    assert values(before) == {"brand": "Acme", "volume": "500", "color": "red"}
    assert values(after) == values(before) | {"brand": "nordlicht"}
    assert [claim.name for claim in after.claims] == ["brand", "volume", "color"]
    [brand] = [claim for claim in after.claims if claim.name == "brand"]
    assert (brand.producer, after.verdict_on(brand).checked_by) == ("human", "human")
    [prompt] = asked(journal, "attribute_extractor")
    assert "- brand" not in prompt
    assert "- color" in prompt
    assert "brand" not in asked(journal, "critic")[0].split("red", 1)[1]


async def test_no_model_is_asked_where_everything_is_decided(tmp_path: Path, database: Database) -> None:
    volume = correct(ITEM, "volume", None, "500")
    assert volume.right is not None
    in_unit = volume.model_copy(update={"right": volume.right.model_copy(update={"unit": "milliliter"})})
    rulings = [accept(ITEM, "brand", "Acme"), in_unit, accept(ITEM, "color", "red")]

    enrichment, journal = await run(tmp_path, database, rulings)

    assert {claim.producer for claim in enrichment.claims} == {"human"}
    assert len(enrichment.accepted) == 3
    assert [prompt for prompt in journal.prompts() if prompt in ("attribute_extractor", "critic")] == []


async def test_what_was_rejected_is_rejected_again_and_neither_judged_nor_sent_back(
    tmp_path: Path, database: Database
) -> None:
    enrichment, journal = await run(tmp_path, database, [reject(ITEM, "brand", "Acme")])

    rulings = {claim.normalized: enrichment.verdict_on(claim) for claim in enrichment.claims if claim.name == "brand"}
    assert (rulings["Acme"].decision, rulings["Acme"].reason) == (Decision.REJECT, Reason.REVIEWED)
    assert rulings["water"].decision is Decision.ACCEPT  # there is no contradiction to what stands no more
    assert enrichment.rounds == 0
    assert "brand = Acme" not in asked(journal, "critic")[0]


async def test_a_run_gives_what_the_stored_result_became_by_the_decision(tmp_path: Path, database: Database) -> None:
    rulings = [reject(ITEM, "brand", "Acme"), accept(ITEM, "color", "red")]
    context, _ = context_of(tmp_path, database, [])
    before, _ = await run(tmp_path, database, [])
    template = await context.templates.template("kitchen.water-bottles", _never)

    decided = with_rulings(ITEM, before, template, rulings)
    after, _ = await run(tmp_path, database, rulings)

    assert values(after) == {"brand": "water", "volume": "500", "color": "red"}
    assert values(decided) == {"volume": "500", "color": "red"}  # "water" had been refused: it contradicted "Acme"
    assert after.accepted[0].name == decided.accepted[0].name == "color"
    stored = with_rulings(ITEM, after, template, rulings)
    assert (stored.claims, stored.summary) == (after.claims, after.summary)
    assert set(stored.verdicts) == set(after.verdicts)


async def _never(template: CategoryTemplate) -> CategoryTemplate:
    raise AssertionError("the first run has stored it")


@pytest.mark.parametrize("looks", [True, False])
async def test_a_decision_that_is_made_while_the_item_is_on_its_way_is_in_its_result(
    tmp_path: Path, database: Database, looks: bool
) -> None:
    class Overtaken(ScriptedModel):
        async def complete(
            self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
        ) -> Completion:
            if about and about.agent == "summarizer":
                with database.writing() as session:
                    save_ruling(session, correct(ITEM, "brand", "acme", "Nordlicht"))
            return await super().complete(messages, schema, about=about)

    context, journal = context_of(tmp_path, database, [*usual_answers(), EXTRACTED, ACCEPT_ALL])
    model = Overtaken([*usual_answers(), EXTRACTED, ACCEPT_ALL])
    overtaken = replace(context, model=type(context.model)(model, journal))
    if looks:
        overtaken = replace(overtaken, rulings=ruling_lookup(database))
    with database.writing() as session:
        version_id = version_for(session, PROVENANCE)

    async with Ledger(database) as ledger:
        settings = BatchSettings(version_id=version_id, owner="me")
        batch = Batch(build_enrichment_graph(), overtaken, database, ledger, settings=settings)
        [_] = [outcome async for outcome in batch.outcomes([ITEM])]

    with database.session() as session:
        known = enrichment_of(session, ITEM.id)
    assert known is not None
    assert values(known.enrichment)["brand"] == "nordlicht"
    assert "Acme" not in known.enrichment.summary
