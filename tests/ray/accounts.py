"""What a knowledge base says of a run that met kills: where the rows ended, and which calls were made twice."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from memory.column_types import UtcTime
from memory.database import Database

_CALLS = """
SELECT key, seconds, created_at FROM model_call WHERE outcome = 'answered' AND key <> '' ORDER BY key, id
"""


@dataclass(frozen=True)
class Accounts:
    """Sums over a knowledge base."""

    states: dict[str, int]  # of the items' work
    enrichments: int  # that are stored
    calls: int
    twice: int  # calls whose question had been asked, but not durably answered, when they were made
    repeated: int  # calls that were made when the answer was durable already


def accounts_of(database: Database) -> Accounts:
    """Add up what is stored."""
    with database.session() as session:
        connection = session.connection()
        rows = connection.execute(text("SELECT state, count(*) FROM work GROUP BY state"))
        states = {str(state): int(count) for state, count in rows}
        enrichments = connection.execute(text("SELECT count(*) FROM enrichment")).scalar_one()
        calls = connection.execute(text(_CALLS).columns(created_at=UtcTime())).all()
    twice = repeated = 0
    durable: dict[str, datetime] = {}
    for key, seconds, created_at in calls:
        earlier = durable.get(key)
        if earlier is None:
            durable[key] = created_at
            continue
        twice += 1
        repeated += created_at - timedelta(seconds=seconds) > earlier
    return Accounts(states, enrichments, len(calls), twice, repeated)
