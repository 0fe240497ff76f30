"""Several processes, a database in trouble, a changed catalog: what is stored is stored once, and the rest goes on."""

import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from memory.database import known_revisions
from tests.faults import invariants
from tests.faults.shop import ROOT, Shop
from tests.faults.waiting import CONCURRENCY, PATIENCE, held_up, until_calls
from tests.memory.test_migrations import create_at

OpenShop = Callable[..., Shop]


@pytest.mark.faults
@pytest.mark.scenario("F38", "I1 I2 I10")
def test_f38_a_full_disk_stops_the_run_and_space_lets_it_go_on(open_shop: OpenShop) -> None:
    shop = open_shop(60)

    full = shop.enrich(largest_file=700_000)

    assert full.code == 1
    assert "cannot be written" in full.errors
    assert "Traceback" not in full.all
    invariants.sound(shop)
    assert shop.enrich(lease_seconds=1).code == 0
    invariants.hold(shop, repeats=8)


@pytest.mark.scenario("F39", "I1 I2 I10")
@pytest.mark.parametrize(("held", "code"), [(1.0, 0), pytest.param(6.0, 1, marks=pytest.mark.faults)])
def test_f39_another_process_holds_the_database(open_shop: OpenShop, held: float, code: int) -> None:
    shop = open_shop(40, latency=0.02)
    run = shop.begin(busy_seconds=3, lease_seconds=2)
    until_calls(shop, 20)
    with closing(sqlite3.connect(shop.file, timeout=30, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        time.sleep(held)
        other.execute("ROLLBACK")

    ended = run.ended()

    assert ended.code == code, ended.errors
    assert "Traceback" not in ended.all
    assert shop.enrich(lease_seconds=2).code == 0
    invariants.hold(shop, repeats=8 if code else 0)


@pytest.mark.faults
@pytest.mark.scenario("F40", "I10")
@pytest.mark.parametrize("size", [None, 1024])
def test_f40_a_database_that_is_lost_during_the_run_is_told(open_shop: OpenShop, size: int | None) -> None:
    shop = open_shop(40, latency=0.02)
    run = shop.begin()
    held_up(shop)
    if size is None:
        shop.file.unlink()
    else:
        os.truncate(shop.file, size)
    shop.provider.open_gate()

    ended = run.ended()

    assert ended.code == 1, ended.all
    assert "Traceback" not in ended.errors
    assert str(shop.file) in ended.errors


@pytest.mark.scenario("F41", "I1 I2")
def test_f41_two_processes_share_the_items(open_shop: OpenShop) -> None:
    shop = open_shop(40, latency=0.05)
    shop.enrich("--limit", 1)  # the category's template is not what they compete for
    shop.provider.close_gate()
    runs = [shop.begin(claim_size=8, lease_seconds=5) for _ in range(2)]
    shop.provider.wait_for_held(2 * CONCURRENCY, PATIENCE)
    shop.provider.open_gate()

    ended = [run.ended() for run in runs]

    assert [one.code for one in ended] == [0, 0], ended
    assert sum(one.report["enriched"] for one in ended) == 39
    assert min(one.report["enriched"] for one in ended) > 0
    invariants.hold(shop)


@pytest.mark.scenario("F42", "I1 I2")
def test_f42_a_process_that_slept_beyond_its_lease_stores_nothing_late(open_shop: OpenShop) -> None:
    shop = open_shop(16, latency=0.02)
    sleeper = shop.begin(lease_seconds=1, claim_size=8)
    held_up(shop)
    sleeper.send(signal.SIGSTOP)
    shop.provider.open_gate()
    other = shop.enrich(lease_seconds=1)
    before = shop.ask("SELECT item_id, created_at FROM enrichment ORDER BY item_id")

    sleeper.send(signal.SIGCONT)
    late = sleeper.ended()

    assert (other.code, late.code) == (0, 0), late.errors
    assert late.report["skipped"]["taken over"] > 0
    assert shop.ask("SELECT item_id, created_at FROM enrichment ORDER BY item_id") == before
    invariants.accounted_for(shop)
    invariants.proven(shop)
    invariants.sound(shop)
    assert len(shop.provider.repeats) <= 8


@pytest.mark.faults
@pytest.mark.scenario("F44", "I2 I11")
def test_f44_a_clock_that_jumps_by_days_stops_nothing(open_shop: OpenShop) -> None:
    shop = open_shop(20, rates={"429": 0.2})

    ended = shop.enrich(jumping_clock=5, cold=1)

    assert ended.code == 0, ended.errors
    assert ended.report["enriched"] == 20
    invariants.hold(shop)


@pytest.mark.faults
@pytest.mark.scenario("F45", "I1 I5")
def test_f45_a_prompt_edited_during_the_run_counts_from_the_next_run_on(open_shop: OpenShop) -> None:
    shop = open_shop(12)
    prompts = shop.folder / "prompts"
    shutil.copytree(ROOT / "prompts", prompts, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    run = shop.begin("--prompts", prompts)
    held_up(shop)
    summarizer = prompts / "summarizer.md"
    summarizer.write_text(summarizer.read_text(encoding="utf-8") + "\nUse plain words.\n", encoding="utf-8")
    shop.provider.open_gate()
    assert run.ended().code == 0
    fingerprints = "SELECT prompt, count(DISTINCT prompt_fingerprint) FROM model_call GROUP BY prompt"
    assert {number for _, number in shop.ask(fingerprints)} == {1}
    asked = len(shop.provider.calls)

    again = shop.enrich("--prompts", prompts)

    assert again.code == 0, again.errors
    assert {call.agent for call in shop.provider.calls[asked:]} == {"SummaryAnswer"}
    assert len(shop.provider.calls) - asked == 12
    invariants.hold(shop)


@pytest.mark.scenario("F46", "I10")
def test_f46_tables_of_a_newer_version_are_left_alone(open_shop: OpenShop) -> None:
    shop = open_shop(3)
    shop.enrich()
    with closing(sqlite3.connect(shop.file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_from_the_future'")
    asked, items = len(shop.provider.calls), shop.ask("SELECT * FROM enrichment")

    refused = shop.enrich()

    assert refused.code == 1
    assert "9999_from_the_future" in refused.errors
    assert len(shop.provider.calls) == asked
    assert shop.ask("SELECT * FROM enrichment") == items


@pytest.mark.faults
@pytest.mark.scenario("F46", "I10")
@pytest.mark.parametrize("revision", known_revisions()[:-1])
def test_f46_a_knowledge_base_of_an_older_version_is_brought_up_to_date(open_shop: OpenShop, revision: str) -> None:
    shop = open_shop(3)
    create_at(shop.file, revision)
    before = shop.ask("SELECT id FROM item")

    ended = shop.enrich()

    assert ended.code == 0, ended.errors
    assert ended.report["enriched"] == 3
    assert set(before) < set(shop.ask("SELECT id FROM item"))
    assert shop.ask("SELECT version_num FROM alembic_version") == [(known_revisions()[-1],)]
    invariants.sound(shop)


@pytest.mark.faults
@pytest.mark.scenario("F47", "I1 I2 I14")
def test_f47_a_catalog_that_changed_between_kill_and_resume_costs_what_is_new_or_not_done(open_shop: OpenShop) -> None:
    shop = open_shop(12)
    killed = shop.begin()
    held_up(shop)
    killed.kill()
    shop.provider.open_gate()
    durable = {question for (question,) in shop.ask("SELECT messages FROM model_call")}
    first = shop.rows[0]
    shop.rows = [*shop.rows[:0:-1], (first[0], first[1] + " matt", *first[2:])]
    shop.rows = [row for row in shop.rows if row[0] != "K11"]
    shop.write()

    ended = shop.enrich()

    assert ended.code == 0, ended.errors
    invariants.reported(ended, 11)
    asked = shop.ask("SELECT messages FROM model_call WHERE run_id = 2 AND outcome = 'answered'")
    assert durable.isdisjoint(question for (question,) in asked)
    [(title,)] = shop.ask("SELECT title FROM item WHERE id = 'K0'")
    assert title.endswith("matt")
    invariants.sound(shop)
    invariants.paid_once(shop, repeats=CONCURRENCY)
    invariants.proven(shop)


@pytest.mark.scenario("F47", "I1 I2 I14")
def test_f47_a_changed_catalog_costs_the_changed_rows_alone(open_shop: OpenShop) -> None:
    shop = open_shop(12)
    shop.enrich()
    untouched = "SELECT * FROM claim WHERE item_id NOT IN ('K3', 'K4', 'K99') ORDER BY item_id, claim_id"
    before, asked = shop.ask(untouched), len(shop.provider.calls)
    shop.rows = [row for row in shop.rows if row[0] != "K4"][::-1]
    shop.rows = [(row[0], row[1] + " matt", *row[2:]) if row[0] == "K3" else row for row in shop.rows]
    shop.rows.append(("K99", "Acme99 glass kettle 2 l", "New.", "Acme99"))
    shop.write()

    ended = shop.enrich()

    assert ended.code == 0, ended.errors
    new = [call.item for call in shop.provider.calls[asked:] if call.item.startswith("title: ")]
    assert {item.split()[1] for item in new} == {"Acme3", "Acme99"}
    assert len(shop.provider.calls) - asked <= 2 * 6
    assert shop.ask(untouched) == before
    invariants.hold(shop)
