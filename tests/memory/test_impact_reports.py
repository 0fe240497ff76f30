"""Reports of changes: kept as they are, found again, shipped and taken back; on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest
from sqlmodel import Session

from memory.database import open_database
from memory.impact_reports import (
    NothingToShip,
    UnknownReport,
    keep_report,
    kept_report,
    kept_reports,
    roll_back,
    ship,
)
from memory.version_pruning import prune
from memory.versions import UnknownVersion, current_version, version_for
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE

ODD = '{"what": "NUL \\u0000, half a pair \ud800, \u241b"}'


@pytest.fixture
def session() -> Iterator[Session]:
    """A knowledge base with two versions, the first of which is read."""
    with open_database(fresh_url()) as database, database.writing() as session:
        version_for(session, PROVENANCE)
        version_for(session, PROVENANCE.model_copy(update={"model": "other:model"}))
        yield session


def keep(session: Session, after: int | None = 2) -> int:
    return keep_report(session, ODD, what="model", verdict="ship", before_version=1, after_version=after)


def test_a_report_comes_back_as_it_was_given_and_the_newest_is_the_first(session: Session) -> None:
    first, second = keep(session), keep(session, None)

    found = kept_reports(session)

    assert [one.id for one in found] == [second, first] == [2, 1]
    assert {one.content for one in found} == {ODD}
    assert kept_report(session).id == first  # the newest that has a version to ship
    assert kept_report(session, second).after_version is None


def test_a_version_is_shipped_and_taken_back(session: Session) -> None:
    keep(session)

    shipped = ship(session)
    read = current_version(session)
    back = roll_back(session)

    assert (shipped.before, shipped.current, read) == (1, 2, 2)
    assert (back.before, back.current, current_version(session)) == (2, 1, 1)


def test_what_has_no_version_cannot_be_shipped(session: Session) -> None:
    number = keep(session, None)

    with pytest.raises(NothingToShip, match="report 1 compares agents"):
        ship(session, number)
    with pytest.raises(NothingToShip):
        roll_back(session, number)
    with pytest.raises(UnknownReport, match="reaseq impact makes one"):
        ship(session)
    with pytest.raises(UnknownReport, match="no report 9"):
        kept_report(session, 9)


def test_a_report_outlives_its_version_which_then_cannot_be_shipped(session: Session) -> None:
    keep(session)

    prune(session)

    assert kept_report(session).after_version == 2
    with pytest.raises(UnknownVersion, match="no version 2"):
        ship(session)
    assert current_version(session) == 1
