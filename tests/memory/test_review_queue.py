"""The queue: the most useful decision first, and nothing that was decided."""

from collections.abc import Iterator, Sequence

import pytest
from sqlmodel import Session

from memory.database import open_database
from memory.items import save_item
from memory.review_queue import QueueFilter, QueueReason, queue
from memory.reviews import save_ruling
from memory.schema import CatalogItem, Claim, Decision, Enrichment, Reason, UngroundedProposal, Verdict
from memory.store import save_enrichment
from memory.versions import version_for
from tests.databases import fresh_url
from tests.memory.human_words import accept, reject
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched, known


@pytest.fixture
def session() -> Iterator[Session]:
    with open_database(fresh_url()) as opened, opened.writing() as writing:
        yield writing


def ruled(
    item: CatalogItem, *claims: tuple[Claim, Decision, Reason], ungrounded: Sequence[tuple[str, str]] = ()
) -> Enrichment:
    """Return an enrichment with these verdicts."""
    verdicts = tuple(
        Verdict(claim_id=claim.id, decision=decision, reason=reason, checked_by="code")
        for claim, decision, reason in claims
    )
    proposals = tuple(UngroundedProposal(name=name, value=value, quote="") for name, value in ungrounded)
    made = {"claims": tuple(claim for claim, _, _ in claims), "verdicts": verdicts, "ungrounded": proposals}
    return enriched(item).model_copy(update=made)


def claim(name: str, value: str, confidence: float, *, disputed: bool = False) -> Claim:
    made = known(name, value, f"{name}={value}")
    return made.model_copy(update={"confidence": confidence, "disputed": disputed})


def store(session: Session, item: CatalogItem, enrichment: Enrichment) -> None:
    save_enrichment(session, version_for(session, PROVENANCE), item, enrichment)


ACCEPTED = (Decision.ACCEPT, Reason.SUPPORTED)
LOST = (Decision.REJECT, Reason.CONTRADICTION)
UNSURE = (Decision.ABSTAIN, Reason.LOW_CONFIDENCE)
NO_WORD = (Decision.REJECT, Reason.NOT_IN_VOCABULARY)


def waiting(session: Session, wanted: QueueFilter | None = None, limit: int = 50) -> list[tuple[str, str, str]]:
    """Return (item, value, why) of the queue."""
    entries = queue(session, wanted or QueueFilter(), limit)
    return [(entry.known.item.id, entry.value.value, entry.reason.value) for entry in entries]


def test_the_order_is_that_of_the_reasons_and_then_of_what_a_decision_is_worth(session: Session) -> None:
    store(
        session,
        drill("d1"),
        ruled(
            drill("d1"),
            (claim("brand", "acme", 0.9), *ACCEPTED),
            (claim("color", "red", 0.8, disputed=True), *ACCEPTED),
            (claim("color", "blue", 0.4, disputed=True), *LOST),
            (claim("shape", "roundish", 0.5), *NO_WORD),
            (claim("size", "big", 0.3), *UNSURE),
            ungrounded=[("weight", "1.2 kg"), ("brand", "bosch")],
        ),
    )
    store(
        session,
        drill("d2"),
        ruled(
            drill("d2"),
            (claim("brand", "bosch", 0.4), *ACCEPTED),
            (claim("size", "small", 0.6), *UNSURE),
            (claim("color", "pinkish", 0.5), *NO_WORD),
            (claim("color", "pink", 0.5), *ACCEPTED),
        ),
    )

    assert waiting(session) == [
        ("d2", "small", "abstained"),
        ("d1", "big", "abstained"),
        ("d1", "red", "disputed"),
        ("d1", "blue", "contradiction"),
        ("d1", "roundish", "not_in_vocabulary"),
        ("d1", "1.2 kg", "ungrounded"),
        ("d2", "bosch", "least_sure"),
        ("d2", "pink", "least_sure"),
        ("d1", "acme", "least_sure"),
    ]
    assert waiting(session, limit=3) == waiting(session)[:3]


def test_only_what_is_wanted_waits(session: Session) -> None:
    item = drill()
    made = ruled(item, (claim("brand", "acme", 0.9), *ACCEPTED), (claim("size", "big", 0.3), *UNSURE))
    store(session, item, made)

    assert waiting(session, QueueFilter(attribute="size")) == [("d1", "big", "abstained")]
    assert waiting(session, QueueFilter(reasons=(QueueReason.LEAST_SURE,))) == [("d1", "acme", "least_sure")]
    assert waiting(session, QueueFilter(category="cups")) == []
    assert len(waiting(session, QueueFilter(category="drills"))) == 2


def test_attributes_that_come_first_go_before_all_that_is_as_doubtful(session: Session) -> None:
    first = ((claim("brand", "acme", 0.9), *ACCEPTED), (claim("size", "big", 0.3), *UNSURE))
    second = ((claim("color", "red", 0.2), *ACCEPTED), (claim("shape", "roundish", 0.5), *NO_WORD))
    store(session, drill("d1"), ruled(drill("d1"), *first, ungrounded=[("weight", "1.2 kg")]))
    store(session, drill("d2"), ruled(drill("d2"), *second, (claim("size", "small", 0.6), *UNSURE)))

    ordered = waiting(session, QueueFilter(first=("weight", "shape", "brand")))

    assert ordered == [
        ("d1", "1.2 kg", "ungrounded"),
        ("d2", "roundish", "not_in_vocabulary"),
        ("d2", "small", "abstained"),
        ("d1", "big", "abstained"),
        ("d1", "acme", "least_sure"),
        ("d2", "red", "least_sure"),
    ]
    assert sorted(ordered) == sorted(waiting(session))
    assert waiting(session, QueueFilter(first=("weight", "shape")), limit=2) == ordered[:2]
    assert waiting(session, QueueFilter(first=("weight",), attribute="size")) == ordered[2:4]
    assert waiting(session, QueueFilter(first=("brand",), reasons=(QueueReason.LEAST_SURE,))) == ordered[4:]


def test_what_was_passed_over_or_decided_does_not_wait(session: Session) -> None:
    item = drill()
    by_a_person = Verdict(claim_id="size=big", decision=Decision.REJECT, reason=Reason.REVIEWED, checked_by="human")
    made = ruled(
        item, (claim("brand", "acme", 0.9), *ACCEPTED), (claim("size", "big", 0.3), *UNSURE), ungrounded=[("w", "1")]
    )
    store(session, item, made.model_copy(update={"verdicts": (made.verdicts[0], by_a_person)}))
    save_ruling(session, reject(item, "w", "1"))

    entries = queue(session, QueueFilter(), 5)

    assert [entry.value.value for entry in entries] == ["acme"]
    assert queue(session, QueueFilter(), 5, {entries[0].key}) == []


def test_what_the_text_does_not_say_any_more_waits_first(session: Session) -> None:
    old, new = drill(title="A blue drill"), drill(title="A red drill").model_copy(update={"fields": ()})
    store(session, new, ruled(new, (claim("color", "red", 0.9), *ACCEPTED), (claim("size", "big", 0.3), *UNSURE)))
    save_ruling(session, accept(old, "color", "blue"))
    save_ruling(session, accept(old, "kind", "drill"))

    before = waiting(session)
    save_ruling(session, accept(new, "color", "red"))

    assert before == [("d1", "red", "text_changed"), ("d1", "big", "abstained")]
    assert ("d1", "red", "text_changed") not in waiting(session)


def test_a_value_that_nobody_claims_any_more_waits_itself(session: Session) -> None:
    old, new = drill(title="A blue drill"), drill(title="A drill")
    store(session, new, ruled(new))
    save_ruling(session, accept(old, "color", "blue"))

    assert waiting(session) == [("d1", "blue", "text_changed")]


def test_an_item_without_a_result_for_its_present_text_does_not_wait(session: Session) -> None:
    save_ruling(session, accept(drill(title="A blue drill"), "color", "blue"))
    save_item(session, drill(title="A drill"))

    assert waiting(session) == []
