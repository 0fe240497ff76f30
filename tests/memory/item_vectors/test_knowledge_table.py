"""What is accepted of items, as a sparse table."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlmodel import Session

from memory.database import open_database
from memory.item_vectors.knowledge_table import KnowledgeTable
from memory.store import save_item
from memory.versions import UnknownVersion, use, version_for
from tests.databases import fresh_url
from tests.memory.item_vectors.item_samples import keep, red_drill, stocked, stored_at
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched, known, quoted

MAY, JUNE, JULY = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))


def ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def features_of(table: KnowledgeTable, item_id: str) -> dict[tuple[str, str], float]:
    row = table.ids.index(item_id)
    entries = range(table.offsets[row], table.offsets[row + 1])
    return {table.features[table.feature[entry]]: round(float(table.confidence[entry]), 3) for entry in entries}


@pytest.fixture
def session() -> Iterator[Session]:
    with open_database(fresh_url()) as database, database.writing() as session:
        yield stocked(session)


def test_features_are_the_category_accepted_values_and_demands_that_were_let_through(session: Session) -> None:
    table = KnowledgeTable.of(session)

    assert features_of(table, "d1") == {
        ("brand", "acme"): 0.9,
        ("voltage", "18 volt"): 0.9,
        ("color", "red"): 0.9,
        ("category", "Tools > Power Tools > Drills"): 0.8,
        ("category/1", "Tools"): 0.8,
        ("category/2", "Tools > Power Tools"): 0.8,
        ("demand", "used_for: hanging shelves"): 0.75,
        ("demand", "not used_for: mixing paint"): 0.75,
    }
    assert (table.version, table.titles[0]) == (1, "Acme cordless drill 18 V red")


def test_an_item_of_which_nothing_is_known_is_an_empty_row(session: Session) -> None:
    save_item(session, drill("d3"))

    table = KnowledgeTable.of(session)

    assert table.ids == ("d1", "d2", "d3")
    assert features_of(table, "d3") == {}


def test_numbers_are_those_of_attributes_that_a_template_measures(session: Session) -> None:
    table = KnowledgeTable.of(session)

    assert table.numeric == (("voltage", "volt"),)
    assert table.numbers[0].tolist() == [18.0]
    assert np.isnan(table.numbers[1]).all()


def test_of_several_numbers_the_surest_counts(session: Session) -> None:
    item = drill("d4", "Drill 12 V or 20 V")
    low, high = quoted(item, "c1", "voltage", "12", "volt"), quoted(item, "c2", "voltage", "20", "volt")
    keep(session, item, enriched(item, [low, high.model_copy(update={"confidence": 0.95})]))

    table = KnowledgeTable.of(session)

    assert table.numbers[table.ids.index("d4")].tolist() == [20.0]


def test_a_value_that_two_claims_state_is_one_feature_of_the_greater_confidence(session: Session) -> None:
    item = drill("d4", "Red drill, red case")
    twice = [known("color", "red", claim_id="w1"), quoted(item, "c1", "color", "red")]
    keep(session, item, enriched(item, twice))

    table = KnowledgeTable.of(session)

    assert features_of(table, "d4")["color", "red"] == 0.9


def test_groups_come_in_order_of_how_many_items_have_them(session: Session) -> None:
    groups = KnowledgeTable.of(session).groups()

    assert groups == ("category", "category/1", "category/2", "brand", "color", "demand", "voltage")


def test_without_an_attribute_nothing_of_it_is_left(session: Session) -> None:
    whole = KnowledgeTable.of(session)

    table = whole.without("voltage")

    assert ("voltage", "18 volt") not in features_of(table, "d1")
    assert len(features_of(table, "d1")) == len(features_of(whole, "d1")) - 1
    assert features_of(table, "d2") == features_of(whole, "d2")
    assert (table.numeric, table.numbers.shape, "voltage" in table.groups()) == ((), (2, 0), False)


def test_without_an_unknown_attribute_everything_is_left(session: Session) -> None:
    whole = KnowledgeTable.of(session)

    table = whole.without("taste")

    assert np.array_equal(table.feature, whole.feature)
    assert np.array_equal(table.offsets, whole.offsets)


def test_rows_follow_a_catalog_and_unknown_ids_are_empty(session: Session) -> None:
    whole = KnowledgeTable.of(session)

    table = whole.rows(["d2", "nobody", "d1", "d2"])

    assert (table.ids, table.titles[1]) == (("d2", "nobody", "d1", "d2"), "")
    assert np.diff(table.offsets).tolist() == [3, 0, 8, 3]
    assert features_of(table, "d1") == features_of(whole, "d1")
    assert table.numbers[:, 0].tolist()[2] == 18.0
    assert np.isnan(table.numbers[[0, 1, 3]]).all()


def test_an_empty_knowledge_base_gives_an_empty_table() -> None:
    with open_database(fresh_url()) as database, database.session() as session:
        table = KnowledgeTable.of(session)

    assert (table.ids, table.groups(), table.version) == ((), (), 0)
    assert table.rows(["d1"]).offsets.tolist() == [0, 0]


def test_what_was_stored_later_is_not_known_before(session: Session) -> None:
    stored_at(session, "d1", MAY)
    stored_at(session, "d2", JULY)

    before = KnowledgeTable.of(session, as_of=ms(JUNE))

    assert before.ids == ("d1",)
    assert len(features_of(before, "d1")) == 8
    assert KnowledgeTable.of(session, as_of=ms(MAY)).ids == ()  # strictly before


def test_an_item_that_was_there_but_not_enriched_yet_has_its_title_alone(session: Session) -> None:
    stored_at(session, "d1", MAY)
    stored_at(session, "d2", JULY)
    session.connection().exec_driver_sql("UPDATE item SET updated_at = '2026-05-01 00:00:00.000000'")

    before = KnowledgeTable.of(session, as_of=ms(JUNE))

    assert before.ids == ("d1", "d2")
    assert features_of(before, "d2") == {}


def test_before_a_newer_version_learnt_it_the_older_version_is_what_was_known(session: Session) -> None:
    stored_at(session, "d1", MAY)
    newer = version_for(session, PROVENANCE.model_copy(update={"model": "other"}))
    use(session, newer)
    item = red_drill()[0]
    keep(session, item, enriched(item), newer)

    now, before = KnowledgeTable.of(session), KnowledgeTable.of(session, as_of=ms(JUNE))

    assert "voltage" not in {attribute for attribute, _ in features_of(now, "d1")}
    assert features_of(before, "d1")["voltage", "18 volt"] == 0.9


def test_an_unknown_version_is_named(session: Session) -> None:
    with pytest.raises(UnknownVersion, match="7"):
        KnowledgeTable.of(session, 7)


def test_the_items_with_something_known_of_an_attribute_are_counted_once_each(session: Session) -> None:
    table = KnowledgeTable.of(session)

    counts = {name: table.items_with(name) for name in ("category", "brand", "demand", "price")}

    assert counts == {"category": 2, "brand": 1, "demand": 1, "price": 0}
    assert table.without("brand").items_with("brand") == 0
    assert table.rows(["d1", "d1", "d9"]).items_with("brand") == 2
