"""Many items: every row ends in exactly one stored outcome, and a failure stays with its own item."""

import asyncio
import gc
from dataclasses import replace
from pathlib import Path

import pytest

from agents.answering import Interviewer
from agents.providers.base import AuthenticationFailed, Completion, ProviderUnavailable
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from graphs.batch import Enriched, Failed, enrich_catalog
from graphs.enrichment import build_enrichment_graph
from memory.catalog import RejectedRow
from memory.database import Database, open_database
from memory.schema import CatalogItem
from memory.store import counts, enrichment_of, failures, rejected_rows
from memory.versions import version_for
from tests.graphs.bench_of_bottles import NO_CAPABILITIES, context_of
from tests.memory.knowledge_samples import PROVENANCE

PICK = ScriptedAnswer(agent="attribute_extractor", answer={"brand": "Acme"})
BROKEN = ScriptedAnswer(agent="attribute_extractor", item="I3", answer="not JSON at all")


def rows(count: int) -> list[CatalogItem | RejectedRow]:
    return [CatalogItem(id=f"I{n}", title=f"Acme bottle {n + 1}00 ml") for n in range(count)]


def version_in(database: Database) -> int:
    with database.writing() as session:
        return version_for(session, PROVENANCE)


async def outcomes(
    tmp_path: Path, database: Database, catalog: list[CatalogItem | RejectedRow], concurrency: int
) -> list[object]:
    context, _ = context_of(tmp_path, database, [PICK, BROKEN], capabilities=NO_CAPABILITIES)
    run = enrich_catalog(
        catalog, build_enrichment_graph(), context, database, version_id=version_in(database), concurrency=concurrency
    )
    return [outcome async for outcome in run]


@pytest.mark.parametrize("concurrency", [1, 3, 50])
async def test_every_row_ends_in_exactly_one_outcome(tmp_path: Path, concurrency: int) -> None:
    bad = RejectedRow(file="c.csv", line=7, reason="empty title", item_id="I99")
    with open_database("sqlite://") as database:
        found = await outcomes(tmp_path, database, [*rows(10), bad], concurrency)

        with database.session() as session:
            stored = counts(session)
            failed, rejected = failures(session), rejected_rows(session)

    assert [type(o).__name__ for o in found].count("Enriched") == stored.enriched == 9
    assert [(f.item_id, f.reason) for f in failed] == [("I3", "answer_invalid")]
    assert [(r.line, r.reason) for r in rejected] == [(7, "empty title")]
    assert len(found) == 11


async def test_an_item_is_stored_the_same_whatever_stands_beside_it(tmp_path: Path) -> None:
    with open_database("sqlite://") as alone, open_database("sqlite://") as among:
        await outcomes(tmp_path, alone, rows(2), 1)
        await outcomes(tmp_path, among, rows(8), 5)

        with alone.session() as one, among.session() as other:
            first, second = enrichment_of(one, "I1"), enrichment_of(other, "I1")

    assert first is not None
    assert second is not None
    assert first.enrichment.claims == second.enrichment.claims
    assert first.enrichment.summary == second.enrichment.summary


async def test_a_defect_on_one_item_is_stored_as_internal_and_the_others_go_on(tmp_path: Path) -> None:
    class Defective(ScriptedModel):
        async def complete(self, *args: object, **named: object) -> Completion:
            raise ZeroDivisionError("a defect")

    with open_database("sqlite://") as database:
        context, journal = context_of(tmp_path, database, [PICK], capabilities=NO_CAPABILITIES)
        broken = Interviewer(Defective([PICK], capabilities=NO_CAPABILITIES), journal)
        object.__setattr__(context, "model", broken)
        run = enrich_catalog(
            rows(3), build_enrichment_graph(), context, database, version_id=version_in(database), concurrency=2
        )
        found = [outcome async for outcome in run]

    assert [o.reason for o in found if isinstance(o, Failed)] == ["internal"] * 3


async def test_a_refused_key_ends_the_run_instead_of_walking_the_catalog(tmp_path: Path) -> None:
    asked = 0

    class Refusing(ScriptedModel):
        async def complete(self, *args: object, **named: object) -> Completion:
            nonlocal asked
            asked += 1
            raise AuthenticationFailed("the key was refused")

    with open_database("sqlite://") as database:
        context, journal = context_of(tmp_path, database, [PICK], capabilities=NO_CAPABILITIES)
        object.__setattr__(context, "model", Interviewer(Refusing([PICK], capabilities=NO_CAPABILITIES), journal))
        run = enrich_catalog(
            rows(50), build_enrichment_graph(), context, database, version_id=version_in(database), concurrency=4
        )

        with pytest.raises(AuthenticationFailed):
            _ = [outcome async for outcome in run if isinstance(outcome, Enriched)]

    assert asked <= 4


async def test_items_that_meet_the_same_dead_server_at_once_make_one_error(tmp_path: Path) -> None:
    class Unreachable(ScriptedModel):
        async def complete(self, *args: object, **named: object) -> Completion:
            raise ProviderUnavailable("no server")

    unheard: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, event: unheard.append(str(event["message"])))
    with open_database("sqlite://") as database:
        context, journal = context_of(tmp_path, database, [PICK], capabilities=NO_CAPABILITIES)
        dead = replace(context, model=Interviewer(Unreachable([], capabilities=NO_CAPABILITIES), journal))
        with pytest.raises(ProviderUnavailable, match="no server"):
            async for _ in enrich_catalog(
                rows(6), build_enrichment_graph(), dead, database, version_id=version_in(database), concurrency=3
            ):
                pass
        gc.collect()

    assert unheard == []
