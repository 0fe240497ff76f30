"""What is stored comes back equal, is replaced whole, and is counted once."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event, text
from sqlmodel import Session

from memory.catalog import RejectedRow
from memory.category import AllowedValue, AttributeSpec, AttributeType, CategoryTemplate
from memory.database import open_database
from memory.rows import CorruptKnowledge
from memory.store import (
    ItemFailure,
    MismatchedEnrichment,
    claims_of,
    counts,
    enrichment_of,
    enrichments,
    failure_of,
    failures,
    forget_rejected_rows,
    item_of,
    items,
    rejected_rows,
    save_enrichment,
    save_failure,
    save_item,
    save_rejected_row,
    save_template,
    similar_ids,
    template_of,
)
from memory.versions import version_for
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched, known, quoted


@pytest.fixture
def session() -> Iterator[Session]:
    with open_database(fresh_url()) as database, database.writing() as session:
        assert version_for(session, PROVENANCE) == 1
        yield session


def rows_in(session: Session, table: str) -> int:
    return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_an_enrichment_comes_back_equal_with_its_item(session: Session) -> None:
    item = drill()
    enrichment = enriched(
        item,
        [quoted(item, "c2", "brand", "Acme"), quoted(item, "c1", "voltage", "18", "V")],
        rejected=[known("use", "DIY")],
    )

    save_enrichment(session, 1, item, enrichment)

    assert enrichment_of(session, "d1") == (item, enrichment)
    assert claims_of(session, "d1") == enrichment.claims


def test_an_enrichment_without_claims_comes_back_equal(session: Session) -> None:
    item = drill()

    save_enrichment(session, 1, item, enriched(item, []))

    assert enrichment_of(session, "d1") == (item, enriched(item, []))


def test_nothing_is_known_of_an_item_that_is_absent_or_not_enriched(session: Session) -> None:
    save_item(session, drill())

    assert enrichment_of(session, "d1") is None
    assert enrichment_of(session, "absent") is None
    assert claims_of(session, "absent") == ()
    assert item_of(session, "absent") is None


def test_a_second_enrichment_replaces_the_first_as_a_whole(session: Session) -> None:
    item = drill()
    first = enriched(item, [quoted(item, "c1", "brand", "Acme"), quoted(item, "c2", "colour", "red")])
    second = enriched(item, [quoted(item, "c1", "voltage", "18", "V")], summary="An 18 V drill.")

    save_enrichment(session, 1, item, first)
    assert enrichment_of(session, "d1") == (item, first)
    save_enrichment(session, 1, item, second)

    assert enrichment_of(session, "d1") == (item, second)
    assert [rows_in(session, table) for table in ("enrichment", "claim", "evidence", "verdict")] == [1, 1, 1, 1]


def test_what_was_known_of_another_text_is_hidden_until_that_text_is_back(session: Session) -> None:
    save_enrichment(session, 1, drill(), enriched(drill()))
    changed = drill(title="Acme hammer drill")

    save_item(session, changed)

    assert item_of(session, "d1") == changed
    assert enrichment_of(session, "d1") is None
    assert counts(session).accepted_claims == 0
    save_item(session, drill())
    assert enrichment_of(session, "d1") == (drill(), enriched(drill()))


def test_an_unchanged_text_keeps_what_is_known_and_where_it_was_read(session: Session) -> None:
    save_item(session, drill(), catalog="drills.csv", line=7)
    save_enrichment(session, 1, drill(), enriched(drill()))

    save_item(session, drill())

    assert enrichment_of(session, "d1") is not None
    assert session.execute(text("SELECT catalog, line FROM item")).one() == ("drills.csv", 7)


def test_an_enrichment_of_another_text_or_item_is_refused(session: Session) -> None:
    with pytest.raises(MismatchedEnrichment, match="d1"):
        save_enrichment(session, 1, drill(title="Acme hammer drill"), enriched(drill()))
    with pytest.raises(MismatchedEnrichment, match="d2"):
        save_enrichment(session, 1, drill("d2"), enriched(drill()))

    assert counts(session).items == 0


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE item SET title = 'Bosch cordless drill 18 V red'",
        "UPDATE evidence SET quote = 'Bosch'",
        "UPDATE evidence SET field = 'nowhere'",
        "UPDATE claim SET confidence = 7",
        "DELETE FROM evidence",
        "UPDATE verdict SET decision = 'perhaps'",
    ],
)
def test_knowledge_changed_from_outside_is_refused_when_it_is_read(session: Session, tampering: str) -> None:
    save_enrichment(session, 1, drill(), enriched(drill()))

    session.execute(text(tampering))

    with pytest.raises(CorruptKnowledge, match="'d1'"):
        enrichment_of(session, "d1")


HOSTILE = [
    "NUL \0 in it",
    "␛0000",
    "'; DROP TABLE item; --",
    "{{7*7}}",
    "=HYPERLINK(1)",
    "é e\u0301 👩‍👩‍👧",
    "\u202etxt",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_comes_back_unchanged(session: Session, hostile: str) -> None:
    item = drill()
    enrichment = enriched(item, [known(hostile, hostile, claim_id=hostile)], summary=hostile)

    save_enrichment(session, 1, item, enrichment)

    assert enrichment_of(session, "d1") == (item, enrichment)


def test_a_lone_surrogate_in_a_summary_comes_back_unchanged(session: Session) -> None:
    enrichment = enriched(drill(), summary="lone \ud800")

    save_enrichment(session, 1, drill(), enrichment)

    assert enrichment_of(session, "d1") == (drill(), enrichment)


def test_all_knowledge_streams_in_order_of_id_with_three_queries_a_page(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.store.PAGE", 4)
    ids = ["b", "a", "10", "9", "é", "B", "z", "y", "x", "w"]
    for item_id in ids:
        save_enrichment(session, 1, drill(item_id), enriched(drill(item_id)))
    save_item(session, drill("never enriched"))
    statements: list[str] = []
    event.listen(session.connection(), "before_cursor_execute", lambda *call: statements.append(call[2]))

    streamed = list(enrichments(session))

    assert [knowledge.item.id for knowledge in streamed] == sorted(ids)
    assert all(knowledge == (drill(knowledge.item.id), enriched(drill(knowledge.item.id))) for knowledge in streamed)
    assert len(statements) == 12  # two for the version, three for each of three pages, one that finds no more


def test_all_items_stream_in_order_of_id(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memory.items.PAGE", 2)
    for item_id in ("c", "a", "e", "b", "d"):
        save_item(session, drill(item_id))

    assert list(items(session)) == [drill(item_id) for item_id in "abcde"]


def test_a_template_is_stored_for_each_taxonomy_version_and_completing_model(session: Session) -> None:
    colour = AttributeSpec(key="colour", name="Colour", type=AttributeType.ENUM, values=(AllowedValue(value="red"),))
    volts = AttributeSpec(key="voltage", name="Voltage", type=AttributeType.QUANTITY, unit="V")
    plain = CategoryTemplate(category_id="drills", path=("Tools",), attributes=(colour,), taxonomy_version="1")
    completed = plain.model_copy(update={"attributes": (colour, volts), "completed_by": "scripted:test"})

    save_template(session, plain)
    save_template(session, completed.model_copy(update={"attributes": ()}))
    save_template(session, completed)

    assert template_of(session, "drills", "1") == plain
    assert template_of(session, "drills", "1", "scripted:test") == completed
    assert template_of(session, "drills", "2") is None


def test_a_failure_is_told_until_the_item_is_enriched(session: Session) -> None:
    save_failure(session, 1, drill(), "timeout", "60 s")
    save_failure(session, 1, drill(), "refusal", "I cannot \0")
    told = failures(session)
    assert [failure_of(session, "d1")] == told

    save_enrichment(session, 1, drill(), enriched(drill()))

    assert told == [ItemFailure(item_id="d1", reason="refusal", detail="I cannot \0")]
    assert failures(session) == []
    assert failure_of(session, "d1") is None


def test_a_failure_keeps_what_was_known_of_the_same_text_and_drops_it_of_another(session: Session) -> None:
    for item_id in ("same", "other"):
        save_enrichment(session, 1, drill(item_id), enriched(drill(item_id)))

    save_failure(session, 1, drill("same"), "timeout")
    save_failure(session, 1, drill("other", title="Acme hammer drill"), "timeout")

    assert enrichment_of(session, "same") is not None
    assert enrichment_of(session, "other") is None
    assert (counts(session).enriched, counts(session).failed) == (1, 1)


def test_a_refused_row_is_told_once_with_its_last_reason(session: Session) -> None:
    save_rejected_row(session, "a.csv", 9, "no title")
    save_rejected_row(session, "a.csv", 3, "no id")
    save_rejected_row(session, "a.csv", 3, "repeats line 2", "d1")

    assert rejected_rows(session) == [
        RejectedRow(file="a.csv", line=3, reason="repeats line 2", item_id="d1"),
        RejectedRow(file="a.csv", line=9, reason="no title"),
    ]


def test_a_catalog_read_anew_forgets_its_own_refused_rows_alone(session: Session) -> None:
    save_rejected_row(session, "a.csv", 3, "no title")
    save_rejected_row(session, "b.csv", 3, "no title")

    forget_rejected_rows(session, "a.csv")

    assert [row.file for row in rejected_rows(session)] == ["b.csv"]


def test_every_item_is_counted_in_one_state(session: Session) -> None:
    enriched_item = drill("1")
    save_enrichment(session, 1, enriched_item, enriched(enriched_item, rejected=[known("use", "DIY")]))
    save_failure(session, 1, drill("2"), "timeout")
    save_item(session, drill("3"))
    save_rejected_row(session, "a.csv", 3, "no title")

    told = counts(session)

    assert (told.items, told.enriched, told.failed, told.waiting, told.rejected) == (3, 1, 1, 1, 1)
    assert (told.accepted_claims, told.abstained_claims, told.rejected_claims, told.model_calls) == (1, 0, 1, 0)


@pytest.mark.parametrize(
    ("wanted", "nearest"), [("sku-12", "SKU-0012"), ("SKU-0013", "SKU-0012"), ("0099", "SKU-0099")]
)
def test_an_unknown_id_is_answered_with_the_nearest_ones(session: Session, wanted: str, nearest: str) -> None:
    for item_id in ("SKU-0012", "SKU-0099", "other"):
        save_item(session, drill(item_id))

    assert similar_ids(session, wanted)[0] == nearest


def test_an_empty_knowledge_base_has_no_similar_ids(session: Session) -> None:
    assert similar_ids(session, "d1") == []
