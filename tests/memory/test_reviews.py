"""People's decisions in the knowledge base: added to, never dropped, and data for what learns from them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from memory.database import Database, open_database
from memory.items import save_item
from memory.review_tables import ReviewRow
from memory.reviews import (
    all_rulings,
    approved_items,
    judged_claims,
    ruling_lookup,
    rulings_of,
    save_ruling,
    withdraw,
)
from memory.rulings import HumanRuling
from memory.store import save_enrichment
from memory.version_pruning import prune
from memory.versions import use, version_for
from tests.databases import fresh_url, kept_at
from tests.memory.human_words import accept, correct, judged, reject
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched

HOSTILE = "'; DROP TABLE review; --\x00\x1b[2J[bold]"


@pytest.fixture
def database() -> Iterator[Database]:
    with open_database(fresh_url()) as opened:
        yield opened


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.writing() as writing:
        yield writing


def save(session: Session, *rulings: HumanRuling) -> list[HumanRuling]:
    return [save_ruling(session, ruling) for ruling in rulings]


def test_a_decision_comes_back_as_it_was_made(session: Session) -> None:
    whole = correct(drill(), "color", "blue", "red", quoted=True).model_copy(
        update={"reviewer": "Ann", "note": "see the photo", "claims": (judged("color", "blue", False),)}
    )

    [saved] = save(session, whole)

    assert rulings_of(session, ["d1", "d2"]) == {"d1": (saved,)}
    assert saved == whole.model_copy(update={"id": 1})


def test_a_value_of_any_characters_comes_back(session: Session) -> None:
    ruling = reject(drill(), HOSTILE, HOSTILE).model_copy(update={"reviewer": HOSTILE, "note": HOSTILE})

    [saved] = save(session, ruling.model_copy(update={"claims": (judged(HOSTILE, HOSTILE, False),)}))

    assert rulings_of(session, ["d1"])["d1"] == (saved,)
    assert [claim.value for claim in judged_claims(session)] == [HOSTILE]


def test_a_decision_that_is_taken_back_stays_in_the_history(session: Session) -> None:
    [ruling] = save(session, accept(drill(), "color", "red"))

    withdraw(session, ruling, "Ann")

    assert all_rulings(session) == {}
    assert session.exec(select(ReviewRow.decision).order_by(col(ReviewRow.id))).all() == ["accept", "withdraw"]


def test_decisions_outlive_their_item_s_text_and_every_version(session: Session) -> None:
    first = version_for(session, PROVENANCE)
    save_enrichment(session, first, drill(), enriched(drill()))
    saved = save(session, accept(drill(), "color", "red"))
    second = version_for(session, PROVENANCE.model_copy(update={"max_revisions": 0}))
    save_enrichment(session, second, drill(title="Other"), enriched(drill(title="Other")))
    use(session, second)

    dropped = prune(session)
    session.connection().exec_driver_sql("DELETE FROM item")

    assert dropped == [first]
    assert rulings_of(session, ["d1"]) == {"d1": tuple(saved)}


def test_approved_items_have_the_values_that_their_present_text_does_not_speak_against(session: Session) -> None:
    save_item(session, drill())
    save_item(session, drill("d2", title="A drill"))
    old = drill("d2", title="A blue drill")
    save(
        session,
        accept(drill(), "color", "red"),
        reject(drill(), "brand", "Acme"),
        correct(drill(), "power", None, "500"),
        accept(old, "color", "blue"),
    )

    [approved] = approved_items(session)

    assert approved.item == drill()
    values = {name: [value.normalized for value in listed] for name, listed in approved.values.items()}
    assert values == {"color": ["red"], "power": ["500"]}


def test_a_claim_is_judged_by_the_last_word_on_it_and_a_person_s_own_is_none(session: Session) -> None:
    first = reject(drill(), "color", "red").model_copy(update={"claims": (judged("color", "red", False),)})
    later = accept(drill(), "color", "red").model_copy(
        update={"claims": (judged("color", "red", True), judged("color", "blue", False, "human"))}
    )

    save(session, first, later)

    assert [(c.item_id, c.value, c.right) for c in judged_claims(session)] == [("d1", "red", True)]


def test_a_claim_whose_judgement_was_taken_back_is_not_judged(session: Session) -> None:
    [ruling] = save(
        session, reject(drill(), "color", "red").model_copy(update={"claims": (judged("color", "red", False),)})
    )

    withdraw(session, ruling)

    assert list(judged_claims(session)) == []


def test_the_look_up_sees_what_another_process_decided_a_moment_ago(tmp_path: Path) -> None:
    url = kept_at(tmp_path / "k.db")
    with open_database(url) as mine, open_database(url) as other:
        rulings = ruling_lookup(mine)
        before = rulings("d1")
        with other.writing() as session:
            save(session, accept(drill(), "color", "red"))

        assert before == ()
        assert [ruling.attribute for ruling in rulings("d1")] == ["color"]
        assert rulings("d2") == ()


def test_a_look_up_of_once_reads_nothing_later(database: Database) -> None:
    with database.writing() as session:
        save(session, accept(drill(), "color", "red"))

    rulings = ruling_lookup(database, once=True)
    database.dispose()

    assert len(rulings("d1")) == 1
    assert rulings("d2") == ()
