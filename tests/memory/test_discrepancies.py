"""What does not hold together: contradictions with both sides, facts older than their text or configuration."""

from collections.abc import Iterator

import pytest
from sqlmodel import Session

from memory import discrepancies
from memory.database import open_database
from memory.discrepancies import Said, StaleFacts, contradictions, contradictions_in, stale_facts
from memory.schema import CatalogItem, Claim, ClaimSource, Decision, Enrichment, Reason, Verdict
from memory.store import save_enrichment, save_item
from memory.tables import VersionRow
from memory.versions import use, version_for
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched, known, quoted
from tests.memory.test_staleness import AGENTS, MADE

TEXT_CHANGED = ("its text changed; what was known of the other text is hidden",)


@pytest.fixture
def session() -> Iterator[Session]:
    with open_database(fresh_url()) as database, database.writing() as session:
        yield session


def contradicted(item: CatalogItem, refused: Claim, decision: Decision = Decision.REJECT) -> Enrichment:
    """Return what is known of an item whose brand is Acme, and refused another claim of it for that."""
    claims = (quoted(item, "c1", "brand", "Acme"), refused)
    verdicts = (
        Verdict(claim_id="c1", decision=Decision.ACCEPT, reason=Reason.SUPPORTED, checked_by="code"),
        Verdict(
            claim_id=refused.id, decision=decision, reason=Reason.CONTRADICTION, checked_by="code", note="brand is acme"
        ),
    )
    return enriched(item).model_copy(update={"claims": claims, "verdicts": verdicts})


def test_a_contradiction_says_which_value_stands_against_which_and_where_each_comes_from() -> None:
    item = drill("a")

    [found] = contradictions_in(contradicted(item, known("brand", "Bolt")))

    assert (found.item_id, found.attribute, found.note) == ("a", "brand", "brand is acme")
    assert found.refused == Said(
        value="Bolt", unit=None, source=ClaimSource.WORLD_KNOWLEDGE, producer="model", field=None, quote=None
    )
    assert found.standing == (
        Said(value="acme", unit=None, source=ClaimSource.TEXT, producer="rule", field="title", quote="Acme"),
    )


def test_what_was_refused_for_another_reason_is_no_contradiction() -> None:
    item = drill("a")

    assert list(contradictions_in(enriched(item, rejected=[known("brand", "Bolt")]))) == []


@pytest.mark.parametrize("page", [1, 2, 500])
def test_contradictions_of_all_items_come_in_order_however_they_are_paged(
    session: Session, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discrepancies, "PAGE", page)
    version = version_for(session, PROVENANCE)
    for item_id in ("c", "a", "b"):
        enrichment = contradicted(drill(item_id), known("brand", "Bolt"), Decision.ABSTAIN)
        save_enrichment(session, version, drill(item_id), enrichment)
    save_enrichment(session, version, drill("d"), enriched(drill("d")))

    assert [found.item_id for found in contradictions(session)] == ["a", "b", "c"]


def test_a_contradiction_that_a_newer_version_has_settled_is_not_listed(session: Session) -> None:
    item = drill("a")
    save_enrichment(session, version_for(session, PROVENANCE), item, contradicted(item, known("brand", "Bolt")))
    newer = version_for(session, PROVENANCE.model_copy(update={"model": "scripted:newer"}))
    save_enrichment(session, newer, item, enriched(item))
    use(session, newer)

    assert list(contradictions(session)) == []


def test_nothing_is_stale_of_what_the_current_version_made(session: Session) -> None:
    save_enrichment(session, version_for(session, MADE), drill("a"), enriched(drill("a"), provenance=MADE))
    save_item(session, drill("never enriched"))

    assert list(stale_facts(session, AGENTS)) == []


def test_facts_of_an_older_configuration_are_stale_with_what_has_changed(session: Session) -> None:
    for item_id in ("a", "b"):
        save_enrichment(session, version_for(session, MADE), drill(item_id), enriched(drill(item_id), provenance=MADE))
    made = MADE.model_copy(update={"max_revisions": 9})
    newer = version_for(session, made)
    save_enrichment(session, newer, drill("b"), enriched(drill("b"), provenance=made))
    use(session, newer)

    assert list(stale_facts(session, AGENTS)) == [StaleFacts(item_id="a", why=("critic: max_revisions 2 -> 9",))]


@pytest.mark.parametrize("configured", [True, False])
def test_facts_of_another_text_are_stale_whatever_the_version_says_of_its_configuration(
    session: Session, configured: bool
) -> None:
    version = version_for(session, MADE)
    for item_id in ("a", "b", "c"):
        save_enrichment(session, version, drill(item_id), enriched(drill(item_id), provenance=MADE))
    for item_id in ("a", "c"):
        save_item(session, drill(item_id, "Another text"))
    if not configured:
        row = session.get(VersionRow, version)
        assert row is not None
        row.provenance = None
        session.flush()

    everywhere, there = list(stale_facts(session, AGENTS)), list(stale_facts(session, AGENTS, ["b", "c"]))

    assert everywhere == [StaleFacts(item_id=item_id, why=TEXT_CHANGED) for item_id in ("a", "c")]
    assert there == [StaleFacts(item_id="c", why=TEXT_CHANGED)]


def test_an_empty_knowledge_base_has_neither(session: Session) -> None:
    assert list(contradictions(session)) == []
    assert list(stale_facts(session, AGENTS)) == []
