"""Two processes share the work and never double it; what is late is fenced off."""

import multiprocessing
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlmodel import Session, select

from memory.database import open_database
from memory.schema import CatalogItem, Enrichment
from memory.store import counts, enrichment_of, failure_of, item_of, save_enrichment, save_failure, save_item
from memory.tables import WorkRow
from memory.versions import version_for
from memory.work import Claimed, FencedOff, WorkState, claim, fail, finish_all, release, renew
from tests.databases import fresh_url, kept_at
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched

LEASE = 60.0


@pytest.fixture
def session() -> Iterator[Session]:
    with open_database(fresh_url()) as database, database.writing() as session:
        version_for(session, PROVENANCE)
        yield session


def claimed_by(
    session: Session, owner: str, items: list[CatalogItem], now: float = 0.0, **options: bool
) -> list[Claimed]:
    return claim(session, 1, items, owner, now, LEASE, **options).claimed


def finish(session: Session, claimed: Claimed, enrichment: Enrichment) -> None:
    [lost] = finish_all(session, [(claimed, enrichment)])
    if lost:
        raise lost


def ids(items: list[CatalogItem]) -> list[str]:
    return [item.id for item in items]


def in_each_state(session: Session) -> Counter[WorkState]:
    return Counter(map(WorkState, session.exec(select(WorkRow.state).where(WorkRow.version_id == 1))))


def test_an_item_is_leased_to_one_owner_at_a_time(session: Session) -> None:
    [mine] = claimed_by(session, "a", [drill()])

    theirs = claim(session, 1, [drill(), drill("d2")], "b", 59.0, LEASE)

    assert (mine.item, mine.owner, mine.fence) == (drill(), "a", 1)
    assert ids(theirs.busy) == ["d1"]
    assert ids([one.item for one in theirs.claimed]) == ["d2"]
    assert in_each_state(session)[WorkState.LEASED] == 2


def test_a_result_is_stored_with_its_state_and_is_not_done_again(session: Session) -> None:
    [mine] = claimed_by(session, "a", [drill()])

    finish(session, mine, enriched(drill()))

    again = claim(session, 1, [drill()], "b", 0.0, LEASE)
    assert (again.claimed, ids(again.done), again.busy) == ([], ["d1"], [])
    assert enrichment_of(session, "d1") == (drill(), enriched(drill()))
    assert in_each_state(session)[WorkState.ENRICHED] == 1


def test_what_is_done_is_done_again_only_when_asked(session: Session) -> None:
    save_enrichment(session, 1, drill(), enriched(drill()))

    assert claimed_by(session, "a", [drill()]) == []
    assert ids([one.item for one in claimed_by(session, "a", [drill()], again=True)]) == ["d1"]


def test_a_failure_is_told_and_retried_only_when_asked(session: Session) -> None:
    [mine] = claimed_by(session, "a", [drill()])
    fail(session, mine, "timeout", "60 s")

    skipped = claim(session, 1, [drill()], "a", 0.0, LEASE)
    [retried] = claimed_by(session, "a", [drill()], retry_failed=True)

    assert (skipped.claimed, ids(skipped.failed)) == ([], ["d1"])
    assert retried.fence == 2
    assert session.execute(text("SELECT attempts, reason FROM work")).one() == (2, "timeout")
    finish(session, retried, enriched(drill()))
    assert failure_of(session, "d1") is None


def test_another_text_opens_the_item_again(session: Session) -> None:
    other = drill(title="Acme hammer drill")
    save_enrichment(session, 1, drill(), enriched(drill()))
    save_failure(session, 1, drill("d2"), "timeout")

    reopened = claimed_by(session, "a", [other, drill("d2", title="Hand drill")])

    assert ids([one.item for one in reopened]) == ["d1", "d2"]
    assert enrichment_of(session, "d1") is None
    finish(session, reopened[0], enriched(other))
    assert enrichment_of(session, "d1") == (other, enriched(other))


def test_an_expired_lease_is_taken_over_and_the_late_write_fenced_off(session: Session) -> None:
    [stopped] = claimed_by(session, "a", [drill()], now=0.0)

    [heir] = claimed_by(session, "b", [drill()], now=LEASE)

    with pytest.raises(FencedOff, match="'d1'"):
        finish(session, stopped, enriched(drill(), summary="late"))
    with pytest.raises(FencedOff):
        fail(session, stopped, "timeout")
    assert counts(session).enriched == 0
    finish(session, heir, enriched(drill(), summary="the heir's"))
    with pytest.raises(FencedOff):
        finish(session, stopped, enriched(drill(), summary="late"))
    known = enrichment_of(session, "d1")
    assert known is not None
    assert known.enrichment.summary == "the heir's"


def test_of_results_that_are_stored_together_only_the_late_one_is_fenced_off(session: Session) -> None:
    items = [drill(item_id) for item_id in ("d1", "d2", "d3")]
    claimed = claimed_by(session, "a", items, now=0.0)
    claimed_by(session, "b", [drill("d2")], now=LEASE)

    lost = finish_all(session, [(one, enriched(one.item, summary=f"of {one.item.id}")) for one in claimed])

    assert [type(one) for one in lost] == [type(None), FencedOff, type(None)]
    assert in_each_state(session) == {
        WorkState.LEASED: 1,
        WorkState.ENRICHED: 2,
    }
    for item in (items[0], items[2]):
        assert enrichment_of(session, item.id) == (item, enriched(item, summary=f"of {item.id}"))
    assert enrichment_of(session, "d2") is None


def test_results_of_two_versions_are_stored_together_each_in_its_own(session: Session) -> None:
    other = version_for(session, PROVENANCE.model_copy(update={"max_revisions": 7}))
    [first] = claimed_by(session, "a", [drill()])
    [second] = claim(session, other, [drill()], "a", 0.0, LEASE).claimed

    lost = finish_all(session, [(first, enriched(drill(), summary="1")), (second, enriched(drill(), summary="2"))])

    assert lost == [None, None]
    stored = [enrichment_of(session, "d1", version_id) for version_id in (1, other)]
    assert [known.enrichment.summary for known in stored if known] == ["1", "2"]


def test_a_late_write_that_nobody_has_taken_over_is_stored(session: Session) -> None:
    [late] = claimed_by(session, "a", [drill()], now=0.0)

    finish(session, late, enriched(drill()))

    assert counts(session).enriched == 1


def test_a_result_of_a_text_that_changed_meanwhile_does_not_bring_the_old_text_back(session: Session) -> None:
    [mine] = claimed_by(session, "a", [drill()])
    save_item(session, drill(title="Acme hammer drill"))

    finish(session, mine, enriched(drill()))

    assert item_of(session, "d1") == drill(title="Acme hammer drill")
    assert enrichment_of(session, "d1") is None
    assert ids([one.item for one in claimed_by(session, "b", [drill(title="Acme hammer drill")])]) == ["d1"]


def test_one_result_is_not_stored_twice(session: Session) -> None:
    [mine] = claimed_by(session, "a", [drill()])
    finish(session, mine, enriched(drill()))

    with pytest.raises(FencedOff):
        finish(session, mine, enriched(drill()))


def test_a_renewed_lease_is_not_taken_over(session: Session) -> None:
    claimed_by(session, "a", [drill(), drill("d2")], now=0.0)
    claimed_by(session, "b", [drill("d3")], now=0.0)

    assert renew(session, 1, "a", 50.0, LEASE) == 2

    taken = claim(session, 1, [drill(), drill("d2"), drill("d3")], "c", 100.0, LEASE)
    assert (ids(taken.busy), ids([one.item for one in taken.claimed])) == (["d1", "d2"], ["d3"])


def test_a_stopped_owner_renews_nothing_that_was_taken_from_it(session: Session) -> None:
    claimed_by(session, "a", [drill()], now=0.0)
    claimed_by(session, "b", [drill()], now=LEASE)

    assert renew(session, 1, "a", LEASE, LEASE) == 0


def test_what_is_given_back_is_free_at_once(session: Session) -> None:
    [given_back] = claimed_by(session, "a", [drill()], now=0.0)

    assert release(session, 1, "a") == 1

    assert in_each_state(session)[WorkState.WAITING] == 1
    [heir] = claimed_by(session, "b", [drill()], now=1.0)
    assert heir.fence == given_back.fence + 1
    with pytest.raises(FencedOff):
        finish(session, given_back, enriched(drill()))


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_a_day_leaves_no_item_locked(session: Session, jump: float) -> None:
    claimed_by(session, "a", [drill()], now=1_000_000.0)

    assert len(claimed_by(session, "b", [drill()], now=1_000_000.0 + jump)) == 1


def test_a_clock_that_is_set_back_a_little_takes_nothing_away(session: Session) -> None:
    claimed_by(session, "a", [drill()], now=1_000.0)

    assert claimed_by(session, "b", [drill()], now=999.0) == []


def test_versions_do_not_share_their_work(session: Session) -> None:
    second = version_for(session, PROVENANCE.model_copy(update={"model": "scripted:other"}))
    save_enrichment(session, 1, drill(), enriched(drill()))

    assert ids([one.item for one in claim(session, second, [drill()], "a", 0.0, LEASE).claimed]) == ["d1"]


def test_64_items_are_claimed_with_a_handful_of_statements(session: Session) -> None:
    many = [drill(f"i{number}") for number in range(64)]
    statements: list[str] = []
    event.listen(session.connection(), "before_cursor_execute", lambda *call: statements.append(call[2]))

    first = claimed_by(session, "a", many, now=0.0)
    again = claimed_by(session, "b", many, now=LEASE)

    assert (len(first), len(again)) == (64, 64)
    assert len(statements) <= 8


def work_off(url: str, owner: str, number: int) -> None:
    with open_database(url) as database:
        for start in range(0, number, 8):
            items = [drill(f"i{index}") for index in range(start, start + 8)]
            with database.writing() as session:
                claims = claim(session, 1, items, owner, 0.0, LEASE)
            for claimed in claims.claimed:
                with database.writing() as session:
                    finish(session, claimed, enriched(claimed.item, summary=owner))


def test_two_processes_share_a_catalog_and_double_nothing(tmp_path: Path) -> None:
    url = kept_at(tmp_path / "k.db")
    with open_database(url) as database, database.writing() as session:
        version_for(session, PROVENANCE)
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=work_off, args=(url, owner, 160)) for owner in "ab"]

    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0]
    with open_database(url) as database, database.session() as session:
        assert in_each_state(session)[WorkState.ENRICHED] == counts(session).enriched == 160
        assert session.execute(text("SELECT max(attempts), max(fence) FROM work")).one() == (1, 1)
