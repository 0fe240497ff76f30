"""Item vectors: built once a text, stored, and read again without an encoder."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import text

from memory.database import Database, open_database
from memory.encoder import Vectors
from memory.item_vectors import building
from memory.item_vectors.building import build_vectors
from memory.item_vectors.parts import ALL_PARTS, Part
from memory.item_vectors.vectors import ItemVectors, NoVectors, VectorsDamaged, vector_sets
from memory.store import save_item
from tests.databases import fresh_url
from tests.memory.counting_encoder import CountingEncoder
from tests.memory.item_vectors.item_samples import stocked, stored_at
from tests.memory.knowledge_samples import drill


class InterruptedEncoder(CountingEncoder):
    """Is interrupted when it is asked a second time."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        if self.encoded:
            raise KeyboardInterrupt
        return super().encode(texts)


@pytest.fixture
def database() -> Iterator[Database]:
    with open_database(fresh_url()) as database:
        with database.writing() as session:
            stocked(session)
        yield database


def loaded(database: Database, name: str = "items") -> ItemVectors:
    with database.session() as session:
        return ItemVectors.load(session, name)


def test_a_built_set_is_read_as_it_was_made(database: Database) -> None:
    built = build_vectors(database, CountingEncoder(), parts=[Part.TITLE])

    vectors = loaded(database)

    titles = ["Acme cordless drill 18 V red", "Nordlicht hand drill"]
    assert np.array_equal(vectors.vectors, CountingEncoder().encode(titles))
    assert np.array_equal(vectors.vectors, built.vectors)
    assert (vectors.ids, vectors.encoder, vectors.parts, vectors.version, vectors.as_of) == (
        ("d1", "d2"),
        "letters@1",
        (Part.TITLE,),
        1,
        None,
    )


def test_a_text_is_encoded_once_whichever_set_it_is_for(database: Database) -> None:
    build_vectors(database, CountingEncoder(), parts=[Part.TITLE])
    with database.writing() as session:
        save_item(session, drill("d3", "Another drill"))
        save_item(session, drill("d4", "Another drill"))
    encoder = CountingEncoder()

    vectors = build_vectors(database, encoder, parts=[Part.TITLE], name="other")

    assert encoder.encoded == 1
    assert np.array_equal(vectors.vectors[2], vectors.vectors[3])


def test_another_encoder_encodes_for_itself(database: Database) -> None:
    build_vectors(database, CountingEncoder("letters@1"), parts=[Part.TITLE])
    encoder = CountingEncoder("letters@2")

    build_vectors(database, encoder, parts=[Part.TITLE])

    assert encoder.encoded == 2
    assert loaded(database).encoder == "letters@2"


def test_what_is_encoded_stays_when_the_rest_is_interrupted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "ENCODED_AT_ONCE", 1)
    encoder = CountingEncoder()

    with pytest.raises(KeyboardInterrupt):
        build_vectors(database, InterruptedEncoder(), parts=[Part.TITLE])
    with pytest.raises(NoVectors):
        loaded(database)
    build_vectors(database, encoder, parts=[Part.TITLE])

    assert encoder.encoded == 1
    assert len(loaded(database).ids) == 2


def test_the_old_set_stays_until_the_new_one_is_whole(database: Database) -> None:
    build_vectors(database, CountingEncoder("letters@1"), parts=[Part.TITLE])
    interrupted = InterruptedEncoder("letters@2")
    interrupted.encoded = 1

    with pytest.raises(KeyboardInterrupt):
        build_vectors(database, interrupted, parts=[Part.TITLE])

    assert loaded(database).encoder == "letters@1"


def test_progress_counts_what_is_new(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "ENCODED_AT_ONCE", 1)
    told: list[tuple[int, int]] = []

    build_vectors(database, CountingEncoder(), parts=[Part.TITLE], tell=lambda done, total: told.append((done, total)))
    build_vectors(database, CountingEncoder(), parts=[Part.TITLE], tell=lambda done, total: told.append((done, total)))

    assert told == [(1, 2), (2, 2)]


def test_an_item_of_which_no_chosen_part_is_known_has_no_vector(database: Database) -> None:
    vectors = build_vectors(database, CountingEncoder(), parts=[Part.ATTRIBUTES])

    assert vectors.ids == ("d1",)
    with pytest.raises(NoVectors, match="'d2'"):
        vectors.row("d2")


def test_vectors_of_a_catalog_are_zeros_where_there_is_none(database: Database) -> None:
    vectors = build_vectors(database, CountingEncoder(), parts=[Part.ATTRIBUTES])

    of_catalog = vectors.of(["nobody", "d1", "d2"])

    assert np.array_equal(of_catalog[1], vectors.vectors[0])
    assert not of_catalog[[0, 2]].any()


def test_vectors_that_no_text_has_are_stored_too(database: Database) -> None:
    turned = np.array([[0, 1], [0, 1], [-1, 0]], dtype=np.float32)
    made = ItemVectors(("a", "b", "c"), turned, "letters@1 aligned", ALL_PARTS, 3, 1000)

    with database.writing() as session:
        made.save(session, "aligned")
        made.save(session, "aligned")

    vectors = loaded(database, "aligned")
    assert (vectors.ids, vectors.encoder, vectors.version, vectors.as_of) == (made.ids, made.encoder, 3, 1000)
    assert np.array_equal(vectors.vectors, turned)


def test_a_missing_set_is_named_with_those_there_are(database: Database) -> None:
    build_vectors(database, CountingEncoder(), name="titles", parts=[Part.TITLE])

    with pytest.raises(NoVectors, match=r"'items'.*titles"):
        loaded(database)


@pytest.mark.parametrize("damage", ["DELETE FROM text_vector", "UPDATE text_vector SET vector = :short"])
def test_a_damaged_set_is_told_and_built_anew(database: Database, damage: str) -> None:
    expected = build_vectors(database, CountingEncoder(), parts=[Part.TITLE])
    with database.writing() as session:
        statement = text(f"{damage} WHERE hash IN (SELECT hash FROM text_vector LIMIT 1)")
        session.connection().execute(statement, {"short": b"\0\0"} if ":short" in damage else {})

    with pytest.raises(VectorsDamaged, match="items"):
        loaded(database)
    build_vectors(database, CountingEncoder(), parts=[Part.TITLE])

    assert np.array_equal(loaded(database).vectors, expected.vectors)


def test_vectors_as_of_a_moment_know_nothing_of_later(database: Database) -> None:
    with database.writing() as session:
        stored_at(session, "d1", datetime(2026, 5, 1, tzinfo=UTC))
        stored_at(session, "d2", datetime(2026, 7, 1, tzinfo=UTC))
    june = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)

    vectors = build_vectors(database, CountingEncoder(), as_of=june)

    assert (vectors.ids, vectors.as_of) == (("d1",), june)


def test_sets_are_listed_with_what_they_were_made_of(database: Database) -> None:
    build_vectors(database, CountingEncoder(), name="titles", parts=[Part.TITLE])
    build_vectors(database, CountingEncoder(), name="attributes", parts=[Part.ATTRIBUTES])

    with database.session() as session:
        listed = [(one.name, one.items, one.parts, one.version) for one in vector_sets(session)]

    assert listed == [("attributes", 1, (Part.ATTRIBUTES,), 1), ("titles", 2, (Part.TITLE,), 1)]
