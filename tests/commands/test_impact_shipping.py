"""What a report is about is shipped and taken back; against its verdict only where that is overruled."""

from collections.abc import Iterator

import pytest
from sqlmodel import Session

from commands.impact.shipping import AgainstTheVerdict, ship_report, what_next
from evaluators.impact.report import Decision
from memory.database import open_database
from memory.impact_reports import NothingToShip, UnknownReport, roll_back
from memory.versions import current_version, use, version_for
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE
from tests.studio.impact_samples import agents_report, impact_report, kept


@pytest.fixture
def session() -> Iterator[Session]:
    """Two versions, of which the first is read."""
    with open_database(fresh_url()) as database, database.writing() as session:
        first = version_for(session, PROVENANCE)
        use(session, first)
        version_for(session, PROVENANCE.model_copy(update={"model": "another"}))
        yield session


@pytest.mark.parametrize("decision", [Decision.SHIP, Decision.UNDECIDED])
def test_a_change_is_shipped_and_taken_back(session: Session, decision: Decision) -> None:
    number = kept(session, impact_report(decision))

    there, _ = ship_report(session, number)
    read = current_version(session)
    back = roll_back(session, number)

    assert (there.before, there.current, read) == (1, 2, 2)
    assert (back.before, back.current, current_version(session)) == (2, 1, 1)


def test_against_the_verdict_nothing_is_shipped_unless_it_is_overruled(session: Session) -> None:
    number = kept(session, impact_report(Decision.KEEP_OLD))

    with pytest.raises(AgainstTheVerdict, match="do not ship"):
        ship_report(session, number)
    refused = current_version(session)
    ship_report(session, number, against_verdict=True)

    assert (refused, current_version(session)) == (1, 2)


def test_a_report_of_agents_and_one_that_is_not_there_have_nothing_to_ship(session: Session) -> None:
    number = kept(session, agents_report())

    with pytest.raises(NothingToShip):
        ship_report(session, number)
    with pytest.raises(UnknownReport):
        ship_report(session, number + 1)


def test_what_shipping_does_not_do_by_itself_is_told() -> None:
    prompts, left = what_next(impact_report(Decision.SHIP))

    assert 'prompts = "my-prompts"' in prompts
    assert left.startswith("7 items are still as they were")
