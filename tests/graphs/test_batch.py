"""Many items: every row ends in exactly one stored outcome, and a failure stays with its own item."""

import asyncio
import gc
from dataclasses import replace
from pathlib import Path

import pytest

from agents.answering import Interviewer
from agents.providers.base import (
    AuthenticationFailed,
    CallFailed,
    CallKey,
    Completion,
    FailureKind,
    ProviderUnavailable,
)
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from agents.stopping import Stop
from graphs.batch import Batch, BatchSettings
from graphs.context import EnrichmentContext
from graphs.enrichment import build_enrichment_graph
from graphs.outcomes import Enriched, Failed, Outcome, Skipped
from memory.catalog import RejectedRow
from memory.database import Database, open_database
from memory.ledger import Ledger
from memory.schema import CatalogItem
from memory.store import counts, enrichment_of, failures, rejected_rows
from memory.versions import version_for
from tests.databases import fresh_url, kept_at
from tests.graphs.bench_of_bottles import NO_CAPABILITIES, context_of
from tests.memory.knowledge_samples import PROVENANCE

PICK = ScriptedAnswer(agent="attribute_extractor", answer={"brand": "Acme"})
BROKEN = ScriptedAnswer(agent="attribute_extractor", item="I3", answer="not JSON at all")


def rows(count: int) -> list[CatalogItem | RejectedRow]:
    return [CatalogItem(id=f"I{n}", title=f"Acme bottle {n + 1}00 ml") for n in range(count)]


def version_in(database: Database) -> int:
    with database.writing() as session:
        return version_for(session, PROVENANCE)


async def run_batch(
    catalog: list[CatalogItem | RejectedRow],
    context: EnrichmentContext,
    database: Database,
    concurrency: int,
    *,
    owner: str = "me",
    retry_failed: bool = False,
) -> list[Outcome]:
    settings = BatchSettings(
        version_id=version_in(database), owner=owner, concurrency=concurrency, retry_failed=retry_failed
    )
    async with Ledger(database) as ledger:
        batch = Batch(build_enrichment_graph(), context, database, ledger, settings=settings)
        return [outcome async for outcome in batch.outcomes(catalog)]


async def outcomes(
    tmp_path: Path, database: Database, catalog: list[CatalogItem | RejectedRow], concurrency: int
) -> list[object]:
    context, _ = context_of(tmp_path, database, [PICK, BROKEN], capabilities=NO_CAPABILITIES)
    return [*await run_batch(catalog, context, database, concurrency)]


@pytest.mark.parametrize("concurrency", [1, 3, 50])
async def test_every_row_ends_in_exactly_one_outcome(tmp_path: Path, concurrency: int) -> None:
    bad = RejectedRow(file="c.csv", line=7, reason="empty title", item_id="I99")
    with open_database(fresh_url()) as database:
        found = await outcomes(tmp_path, database, [*rows(10), bad], concurrency)

        with database.session() as session:
            stored = counts(session)
            failed, rejected = failures(session), rejected_rows(session)

    assert [type(o).__name__ for o in found].count("Enriched") == stored.enriched == 9
    assert [(f.item_id, f.reason) for f in failed] == [("I3", "answer_invalid")]
    assert [(r.line, r.reason) for r in rejected] == [(7, "empty title")]
    assert len(found) == 11


async def test_an_item_is_stored_the_same_whatever_stands_beside_it(tmp_path: Path) -> None:
    with open_database(fresh_url()) as alone, open_database(fresh_url()) as among:
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

    with open_database(fresh_url()) as database:
        context, journal = context_of(tmp_path, database, [PICK], capabilities=NO_CAPABILITIES)
        broken = Interviewer(Defective([PICK], capabilities=NO_CAPABILITIES), journal)
        object.__setattr__(context, "model", broken)
        found = await run_batch(rows(3), context, database, concurrency=2)

    assert [o.reason for o in found if isinstance(o, Failed)] == ["internal"] * 3


async def test_a_refused_key_ends_the_run_instead_of_walking_the_catalog(tmp_path: Path) -> None:
    asked = 0

    class Refusing(ScriptedModel):
        async def complete(self, *args: object, **named: object) -> Completion:
            nonlocal asked
            asked += 1
            raise AuthenticationFailed("the key was refused")

    with open_database(fresh_url()) as database:
        context, journal = context_of(tmp_path, database, [PICK], capabilities=NO_CAPABILITIES)
        object.__setattr__(context, "model", Interviewer(Refusing([PICK], capabilities=NO_CAPABILITIES), journal))

        with pytest.raises(AuthenticationFailed):
            await run_batch(rows(50), context, database, concurrency=4)

    assert asked <= 4


class Overloaded(ScriptedModel):
    """Has the server's own trouble with some items, and is given up at others."""

    troubled: frozenset[str] = frozenset()
    given_up: frozenset[str] = frozenset()

    async def complete(self, *args: object, about: CallKey | None = None, **named: object) -> Completion:
        if about is not None and about.item_id in self.troubled:
            raise CallFailed("overloaded", kind=FailureKind.OVERLOADED)
        if about is not None and about.item_id in self.given_up:
            raise ProviderUnavailable("the server is down")
        return await super().complete(*args, about=about, **named)  # type: ignore[arg-type]


async def test_an_item_that_failed_in_an_outage_is_given_back_with_the_rest(tmp_path: Path) -> None:
    class Down(Overloaded):
        troubled, given_up = frozenset({"I2", "I3"}), frozenset({"I4"})

    with open_database(fresh_url()) as database:
        context, journal = context_of(tmp_path, database, [PICK], capabilities=NO_CAPABILITIES)
        down = replace(context, model=Interviewer(Down([PICK], capabilities=NO_CAPABILITIES), journal))
        with pytest.raises(ProviderUnavailable):
            await run_batch(rows(9), down, database, concurrency=1)
        with database.session() as session:
            assert (counts(session).enriched, failures(session)) == (2, [])

        found = await run_batch(rows(9), context, database, concurrency=1)

    assert [type(o).__name__ for o in found] == ["Skipped", "Skipped", *["Enriched"] * 7]


@pytest.mark.parametrize("troubled", [{"I2", "I3"}, {"I7", "I8"}])
async def test_an_item_that_the_server_has_trouble_with_alone_is_failed(tmp_path: Path, troubled: set[str]) -> None:
    class Troubled(Overloaded):
        pass

    Troubled.troubled = frozenset(troubled)
    with open_database(fresh_url()) as database:
        context, journal = context_of(tmp_path, database, [PICK], capabilities=NO_CAPABILITIES)
        context = replace(context, model=Interviewer(Troubled([PICK], capabilities=NO_CAPABILITIES), journal))
        found = await run_batch(rows(9), context, database, concurrency=1)

        with database.session() as session:
            stored = failures(session)

    assert {o.item.id for o in found if isinstance(o, Failed)} == troubled
    assert [(f.item_id, f.reason) for f in stored] == [(item, "provider_overloaded") for item in sorted(troubled)]
    assert len(found) == 9


async def test_items_that_meet_the_same_dead_server_at_once_make_one_error(tmp_path: Path) -> None:
    class Unreachable(ScriptedModel):
        async def complete(self, *args: object, **named: object) -> Completion:
            raise ProviderUnavailable("no server")

    unheard: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, event: unheard.append(str(event["message"])))
    with open_database(fresh_url()) as database:
        context, journal = context_of(tmp_path, database, [PICK], capabilities=NO_CAPABILITIES)
        dead = replace(context, model=Interviewer(Unreachable([], capabilities=NO_CAPABILITIES), journal))
        with pytest.raises(ProviderUnavailable, match="no server"):
            await run_batch(rows(6), dead, database, concurrency=3)
        gc.collect()

    assert unheard == []


async def test_the_same_run_again_makes_no_call_and_stores_nothing_twice(tmp_path: Path) -> None:
    with open_database(fresh_url()) as database:
        context, journal = context_of(tmp_path, database, [PICK, BROKEN], capabilities=NO_CAPABILITIES)
        await run_batch(rows(10), context, database, concurrency=4)
        paid = len(journal.calls)

        again = await run_batch(rows(10), context, database, concurrency=4)

        with database.session() as session:
            stored = counts(session)
    assert {(o.item_id, o.why) for o in again if isinstance(o, Skipped)} == {
        (f"I{n}", "failed before" if n == 3 else "done") for n in range(10)
    }
    assert (len(journal.calls), stored.enriched, stored.failed) == (paid, 9, 1)


async def test_only_what_failed_is_retried_when_asked_for(tmp_path: Path) -> None:
    with open_database(fresh_url()) as database:
        broken, _ = context_of(tmp_path, database, [PICK, BROKEN], capabilities=NO_CAPABILITIES)
        await run_batch(rows(5), broken, database, concurrency=2)
        mended, journal = context_of(tmp_path, database, [PICK], capabilities=NO_CAPABILITIES)

        retried = await run_batch(rows(5), mended, database, concurrency=2, retry_failed=True)

    assert [o.item.id for o in retried if isinstance(o, Enriched)] == ["I3"]
    assert {call.item_id for call in journal.calls} == {"I3"}


async def test_a_changed_text_is_enriched_anew_and_no_other(tmp_path: Path) -> None:
    with open_database(fresh_url()) as database:
        context, _ = context_of(tmp_path, database, [PICK], capabilities=NO_CAPABILITIES)
        await run_batch(rows(4), context, database, concurrency=2)
        changed = [CatalogItem(id="I2", title="Acme bottle 950 ml"), *reversed(rows(2))]

        again = await run_batch(changed, context, database, concurrency=2)

    assert [o.item.id for o in again if isinstance(o, Enriched)] == ["I2"]


async def test_a_stopped_run_gives_back_what_it_did_not_do_and_goes_on_later(tmp_path: Path) -> None:
    with open_database(fresh_url()) as database:
        context, _ = context_of(tmp_path, database, [PICK], capabilities=NO_CAPABILITIES)
        stop = Stop()
        settings = BatchSettings(version_id=version_in(database), owner="me", concurrency=1)
        async with Ledger(database) as ledger:
            batch = Batch(build_enrichment_graph(), context, database, ledger, settings=settings, stop=stop)
            first = []
            async for outcome in batch.outcomes(rows(20)):
                first.append(outcome)
                stop.wish()

        rest = await run_batch(rows(20), context, database, concurrency=4, owner="another")

    done_first = {o.item.id for o in first if isinstance(o, Enriched)}
    done_later = {o.item.id for o in rest if isinstance(o, Enriched)}
    assert 1 <= len(done_first) < 20
    assert done_first.isdisjoint(done_later)
    assert len(done_first | done_later) == 20


async def test_two_runs_share_a_catalog_and_never_do_an_item_twice(tmp_path: Path) -> None:
    url = kept_at(tmp_path / "shared.db")
    with open_database(url) as one, open_database(url) as other:
        first, calls_of_first = context_of(tmp_path, one, [PICK], capabilities=NO_CAPABILITIES)
        second, calls_of_second = context_of(tmp_path, other, [PICK], capabilities=NO_CAPABILITIES)

        results = await asyncio.gather(
            run_batch(rows(150), first, one, concurrency=3, owner="first"),
            run_batch(rows(150), second, other, concurrency=3, owner="second"),
        )

        with one.session() as session:
            stored = counts(session)
    done = [o.item.id for result in results for o in result if isinstance(o, Enriched)]
    assert sorted(done) == sorted(item.id for item in rows(150) if isinstance(item, CatalogItem))
    assert stored.enriched == 150
    assert len(calls_of_first.calls) + len(calls_of_second.calls) == 150
