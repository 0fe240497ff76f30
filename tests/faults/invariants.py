"""What holds after every fault: the promises, checked on the stored rows and on what the provider has counted."""

import json
import sqlite3
from contextlib import closing
from decimal import Decimal

from tests.faults.shop import CANARY, Ended, Shop
from tests.faulty_provider import FaultyProvider

EVIDENCE = """
SELECT evidence.item_id, evidence.field, evidence.start, evidence.end, evidence.quote,
       item.title, item.description, item.fields
FROM evidence JOIN item ON item.id = evidence.item_id
"""
_KNOWN = """
SELECT item_id, category_id, summary, claim_id, name, value, normalized, unit, decision, reason
FROM enrichment JOIN claim USING (item_id, version_id) JOIN verdict USING (item_id, version_id, claim_id)
ORDER BY item_id, claim_id
"""
_WANTED = """
SELECT item_id, demand_id, relation, text, positive, producer, decision, reason
FROM demand ORDER BY item_id, version_id, position
"""
_ANSWERED_TWICE = """
SELECT schema_name, count(*) FROM model_call WHERE outcome = 'answered' GROUP BY key HAVING count(*) > 1
"""


def hold(shop: Shop, *, repeats: int = 0, complete: bool = True) -> None:
    """Check every promise that has no figures of its own; `repeats` are the calls that may have been paid twice."""
    sound(shop)
    paid_once(shop, repeats=repeats)
    accounted_for(shop, complete=complete)
    proven(shop)
    traceable(shop)
    secret_kept(shop)
    assert shop.provider.stolen == [], "I8: a redirect was followed"
    assert [*shop.elsewhere.iterdir()] == [], "I9: a file was written outside the folder"


def sound(shop: Shop) -> None:
    """I10: the database opens and is whole."""
    with closing(sqlite3.connect(shop.file, timeout=30)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "I10"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == [], "I10"


def paid_once(shop: Shop, *, repeats: int = 0) -> None:
    """I1: no call whose answer was durable was made again, and few whose answer was under way."""
    assert shop.ask(_ANSWERED_TWICE) == [], "I1: a durable answer was paid again"
    again = [(call.agent, call.item[:40]) for call in shop.provider.repeats]
    assert len(again) <= repeats, f"I1: {len(again)} repeats, {repeats} allowed: {again}"


def accounted_for(shop: Shop, *, complete: bool = True) -> None:
    """I2: each row in is enriched, rejected or failed with a reason, once; without `complete`, or not yet."""
    states = shop.states()
    wanted = {row[0] for row in shop.rows}
    if complete:
        assert wanted <= set(states), f"I2: lost {sorted(wanted - set(states))}"
        assert {states[sku] for sku in wanted} <= {"enriched", "failed"}, f"I2: {states}"
        assert shop.ask("SELECT count(*) FROM rejected_row") == [(1,)], "I2"
    assert all(shop.reasons().values()), "I2: a failure without a reason"
    newest = "(SELECT max(id) FROM version)"
    stored = [item for (item,) in shop.ask(f"SELECT item_id FROM enrichment WHERE version_id = {newest}")]
    assert sorted(stored) == sorted(item for item, state in states.items() if state == "enriched"), "I2"


def reported(ended: Ended, rows: int) -> None:
    """I2: what the run says it did adds up to the rows that went in."""
    report = ended.report
    parts = report["enriched"] + sum(report["failed"].values()) + len(report["rejected"])
    assert report["rows"] == rows + 1 == parts + sum(report["skipped"].values()), f"I2: {report}"


def same_knowledge(shop: Shop, undisturbed: Shop) -> None:
    """I13: what is known does not tell what happened on the way."""
    assert shop.ask(_KNOWN) == undisturbed.ask(_KNOWN), "I13"
    assert shop.ask(_WANTED) == undisturbed.ask(_WANTED) != [], "I13"


def proven(shop: Shop) -> None:
    """I3: every stored piece of evidence is a verbatim span of this very item's stored text."""
    for item, name, start, end, quote, title, description, fields in shop.ask(EVIDENCE):
        texts = dict(json.loads(fields)) | {"title": title, "description": description}
        assert texts[name][start:end] == quote, f"I3: {item} {name}[{start}:{end}] is not {quote!r}"
    [(unproven,)] = shop.ask("""
        SELECT count(*) FROM claim LEFT JOIN evidence USING (item_id, version_id, claim_id)
        WHERE claim.source = 'text' AND evidence.item_id IS NULL""")
    assert unproven == 0, "I3: claims without evidence"


def traceable(shop: Shop) -> None:
    """I5: every result and every answer names what made it."""
    for prompts, model, parameters, code in shop.ask("SELECT prompts, model, parameters, code_version FROM enrichment"):
        assert len(json.loads(prompts)) >= 4, "I5"
        assert (model, bool(code)) == ("openai:small", True), "I5"
        assert json.loads(parameters)["seed"] == 0, "I5"
    calls = (
        "SELECT count(*) FROM model_call WHERE outcome = 'answered' AND (prompt_fingerprint = '' OR schema_name = '')"
    )
    assert shop.ask(calls) == [(0,)], "I5"


def within(shop: Shop, budget: Decimal, *, concurrency: int) -> None:
    """I6: no more was spent than the budget and one worst call for each that was in flight."""
    worst = max(call.cost for call in shop.provider.calls)
    assert shop.provider.cost <= budget + concurrency * worst, f"I6: {shop.provider.cost} of {budget}"


def billed(shop: Shop) -> None:
    """I6: the ledger's sum is what the provider has billed, to the token."""
    [(tokens, cost)] = shop.ask("SELECT sum(prompt_tokens + completion_tokens), sum(cost) FROM model_call")
    assert tokens == shop.provider.billed_tokens, "I6"
    assert Decimal(cost) / 10**12 == shop.provider.cost, "I6"


def secret_kept(shop: Shop) -> None:
    """I7: the key is in no file and in nothing that was said."""
    files = (path for path in shop.folder.rglob("*") if path.is_file())
    found = [path.name for path in files if CANARY.encode() in path.read_bytes()]
    assert found == [], f"I7: the key is in {found}"
    assert all(CANARY not in ended.all for ended in shop.ended), "I7"


def usable(provider: FaultyProvider) -> int:
    """Return how many calls brought an answer."""
    return sum(call.usable for call in provider.calls)
