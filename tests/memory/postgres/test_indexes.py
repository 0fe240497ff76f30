"""What is asked for each item finds it by an index, in tables of 20,000 rows, as the server explains itself."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlmodel import Session

from memory.database import Database, open_database
from memory.ledger import Ledger
from memory.review_queue import QueueFilter, QueueReason, queue
from memory.reviews import rulings_of
from memory.store import enrichment_of
from memory.work import claim, release, renew
from tests.databases import SERVERS
from tests.memory.knowledge_samples import drill
from tests.postgres_server import PostgresServer

pytestmark = pytest.mark.postgres

FILLED = "filled"
HASH = drill().content_hash
ROWS = f"""
INSERT INTO version (fingerprint, note, created_at) VALUES ('f', '', now());
INSERT INTO current_version (id, version_id) VALUES (1, 1);
INSERT INTO item (id, title, description, fields, content_hash, created_at, updated_at)
    SELECT 'd' || n, 'Drill ' || n, '', '[]', '{HASH}', now(), now() FROM generate_series(1, 20000) n;
INSERT INTO work (item_id, version_id, content_hash, state, owner, leased_at, lease_until, fence, attempts, reason,
    detail, at) SELECT 'd' || n, 1, '{HASH}',
    CASE WHEN n % 100 = 0 THEN 'leased' ELSE 'enriched' END,
    CASE WHEN n % 100 = 0 THEN 'me' ELSE '' END, 0, 0, 1, 1, '', '', now() FROM generate_series(1, 20000) n;
INSERT INTO enrichment (item_id, version_id, content_hash, category_id, category_path, choice, ungrounded, summary,
    rounds, prompts, model, parameters, taxonomy_version, encoder, code_version, max_revisions, prompt_tokens,
    completion_tokens, usage_estimated, model_calls, seconds, created_at)
    SELECT 'd' || n, 1, '{HASH}', 'c' || n % 50, '[]',
    '{{"category_id": "c", "path": ["c"], "score": 1, "chosen_by": "model"}}',
    '[]', '', 0, '[]', 'm', '', 't', 'e', '0', 2, 1, 1,
    false, 1, 0, now() FROM generate_series(1, 20000) n;
INSERT INTO claim (item_id, version_id, claim_id, position, name, value, normalized, source, confidence, producer)
    SELECT 'd' || n, 1, 'c1', 0, 'brand', 'b', 'b', 'world_knowledge', (n % 997) / 1000.0, 'model'
    FROM generate_series(1, 20000) n;
INSERT INTO verdict (item_id, version_id, claim_id, decision, reason, checked_by, note, round)
    SELECT 'd' || n, 1, 'c1', CASE WHEN n % 1000 = 0 THEN 'abstain' ELSE 'accept' END, 'supported', 'code', '', 0
    FROM generate_series(1, 20000) n;
INSERT INTO evidence (item_id, version_id, claim_id, field, start, "end", quote)
    SELECT 'd' || n, 1, 'c1', 'title', 0, 5, 'Drill' FROM generate_series(1, 20000) n WHERE n % 2 = 1;
UPDATE claim SET source = 'text', value = 'Drill' WHERE substring(item_id, 2)::int % 2 = 1;
INSERT INTO demand (item_id, version_id, demand_id, position, relation, text, positive, plausibility, typicality,
    rests_on, producer, decision, reason, checked_by, note, round)
    SELECT 'd' || n, 1, 'w1', 0, 'used_for', 'drilling', true, 0.9, 0.5, '[]', 'model', 'accept', 'supported', 'code',
    '', 0 FROM generate_series(1, 20000) n;
INSERT INTO model_call (item_id, agent, prompt, prompt_fingerprint, round, model, parameters, schema_name, messages,
    raw_answer, finish_reason, prompt_tokens, completion_tokens, usage_estimated, seconds, created_at, key, run_id)
    SELECT 'd' || n, 'critic', 'p', 'f', 0, 'm', '', 's', '[]', '{{}}', 'stop', 1, 1, false, 0, now(), 'k' || n, n % 9
    FROM generate_series(1, 20000) n;
INSERT INTO review (item_id, content_hash, category_id, attribute, many, decision, reviewer, note, at, claims)
    SELECT 'd' || n, 'h', 'c', 'brand', false, 'reject', '', '', now(), '[]' FROM generate_series(1, 20000) n;
"""


@pytest.fixture(scope="module")
def filled(postgres: PostgresServer) -> Iterator[Database]:
    with open_database(postgres.url(FILLED, template="made")) as database:
        postgres.execute(ROWS, FILLED)
        postgres.execute("ANALYZE", FILLED)
        yield database


def scanned(database: Database, work: Callable[[Session], object]) -> set[str]:
    """Return the tables that some work reads from end to end, as each of its statements is explained."""
    explained: list[tuple[str, object]] = []

    def note(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")) and "pg_advisory" not in statement:
            explained.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    with database.writing(beside=True) as session:
        work(session)
        event.remove(database.engine, "before_cursor_execute", note)
        plans = [_plan(session, statement, parameters) for statement, parameters in explained]
        session.rollback()
    assert plans
    return {table for plan in plans for table in _scans(plan)}


def _plan(session: Session, statement: str, parameters: Any) -> object:
    one = parameters[0] if isinstance(parameters, list) else parameters
    found = session.connection().exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", one)
    plan = found.scalar_one()
    return json.loads(plan) if isinstance(plan, str) else plan


def _scans(plan: object) -> Iterator[str]:
    if isinstance(plan, list):
        for part in plan:
            yield from _scans(part)
    elif isinstance(plan, dict):
        if plan.get("Node Type") == "Seq Scan":
            yield str(plan["Relation Name"])
        for part in plan.values():
            yield from _scans(part)


SMALL = {"version", "current_version"}  # of a handful of rows
ITEMS = [drill(f"d{number}") for number in range(64)]


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda session: claim(session, 1, ITEMS, "me", 0.0, 60.0, again=True), id="leases"),
        pytest.param(lambda session: renew(session, 1, "me", 1.0, 60.0), id="leases renewed"),
        pytest.param(lambda session: release(session, 1, "me"), id="leases given back"),
        pytest.param(lambda session: enrichment_of(session, "d77"), id="what is known of an item"),
        pytest.param(lambda session: rulings_of(session, ["d77"]), id="decisions about an item"),
        pytest.param(
            lambda session: queue(session, QueueFilter(reasons=(QueueReason.ABSTAINED,)), 10), id="the review queue"
        ),
        pytest.param(
            lambda session: queue(session, QueueFilter(reasons=(QueueReason.LEAST_SURE,)), 10), id="the least sure"
        ),
    ],
)
def test_no_table_is_read_from_end_to_end(filled: Database, work: Callable[[Session], object]) -> None:
    assert scanned(filled, work) <= SMALL


async def test_an_answer_is_found_by_its_key(filled: Database) -> None:
    plans: list[str] = []

    def note(connection: object, _: object, statement: str, parameters: object, *__: object) -> None:
        plans.append(statement)

    async with Ledger(filled) as ledger:
        event.listen(Engine, "before_cursor_execute", note)
        recalled = ledger.recall("k77")
        event.remove(Engine, "before_cursor_execute", note)

    with filled.session() as session:
        plan = _plan(session, plans[-1], {"key": "k77", "outcome_1": "answered", "param_1": 1})
    assert recalled is not None
    assert set(_scans(plan)) == set()
    assert SERVERS.server is not None
    assert filled.read(lambda session: session.execute(text("SELECT count(*) FROM model_call")).scalar_one()) == 20_000
