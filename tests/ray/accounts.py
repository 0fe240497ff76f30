"""What a knowledge base says of a run that met kills: where the rows ended, and which calls were made twice."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from benchmarks.loopback import question
from memory.column_types import unescaped
from memory.database import Database

_COMMITTED = """
SELECT messages, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM model_call WHERE outcome = 'answered'
"""


@dataclass(frozen=True)
class Accounts:
    """Sums over a knowledge base on PostgreSQL, which tells when each answer was committed."""

    states: dict[str, int]  # of the items' work
    enrichments: int  # that are stored
    calls: int  # that are in the ledger
    twice: int  # requests of what had been asked, but not durably answered: what was on its way in what was killed
    repeated: int  # requests that reached the provider when the answer was durable already


def accounts_of(database: Database, arrivals: Sequence[tuple[str, float]] = ()) -> Accounts:
    """Add up what is stored, and what the provider was asked (`benchmarks.loopback.Loopback.arrivals`)."""
    with database.session() as session:
        connection = session.connection()
        rows = connection.execute(text("SELECT state, count(*) FROM work GROUP BY state"))
        states = {str(state): int(count) for state, count in rows}
        enrichments = connection.execute(text("SELECT count(*) FROM enrichment")).scalar_one()
        calls = connection.execute(text("SELECT count(*) FROM model_call")).scalar_one()
        stored = connection.execute(text(_COMMITTED)).all() if arrivals else []
    durable: dict[str, float] = {}
    for messages, at in stored:
        asked = question((role, unescaped(content)) for role, content in messages)
        durable[asked] = min(float(at), durable.get(asked, float("inf")))
    twice = repeated = 0
    seen: set[str] = set()
    for asked, at in arrivals:
        if asked in seen:
            late = at > durable.get(asked, float("inf"))
            repeated, twice = repeated + late, twice + (not late)
        seen.add(asked)
    return Accounts(states, enrichments, calls, twice, repeated)
