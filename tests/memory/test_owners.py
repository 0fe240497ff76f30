"""A process that has ended is told from one that lives, and from one that only has its number."""

import os
import subprocess
import sys

import pytest

from memory.database import open_database
from memory.owners import Owner, has_ended
from memory.runs import RunState, runs, start_run, versions_at_work
from memory.versions import version_for
from memory.work import claim
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE, drill

SAYS_WHO = "from memory.owners import Owner; print(Owner.present(), flush=True); input()"
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere nobody says when one started")


def process() -> tuple[subprocess.Popen[str], str]:
    started = subprocess.Popen(
        [sys.executable, "-c", SAYS_WHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    return started, started.stdout.readline().strip()


@pytest.mark.parametrize("reaped", [True, False])
def test_a_killed_process_has_ended_also_while_its_parent_has_not_looked(reaped: bool) -> None:
    started, owner = process()
    assert not has_ended(owner)

    started.kill()
    if reaped:
        started.wait()
    else:
        os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT)

    assert has_ended(owner)
    started.communicate()


@on_linux
def test_another_process_of_the_same_number_is_another() -> None:
    own = Owner.present()

    assert not has_ended(str(own))
    assert has_ended(str(own._replace(started="1")))


def test_of_another_machine_and_of_other_names_nothing_is_said() -> None:
    gone = Owner.present()._replace(pid=2**22 + 5)

    assert has_ended(str(gone))
    assert not has_ended(str(gone._replace(machine="elsewhere")))
    assert not any(map(has_ended, ["", "a", "a:b:c:d", ":::", "a:1:2"]))


def test_the_items_of_a_killed_process_are_free_at_once() -> None:
    started, dead = process()
    alive = str(Owner.present())
    with open_database(fresh_url()) as database, database.writing() as session:
        version = version_for(session, PROVENANCE)
        claim(session, version, [drill("d1")], dead, 0.0, 120.0)
        claim(session, version, [drill("d2")], alive, 0.0, 120.0)
        before = claim(session, version, [drill("d1"), drill("d2")], "c", 1.0, 120.0)
        started.kill()
        started.communicate()

        after = claim(session, version, [drill("d1"), drill("d2")], "c", 1.0, 120.0)

    assert [item.id for item in before.busy] == ["d1", "d2"]
    assert [one.item.id for one in after.claimed] == ["d1"]
    assert [item.id for item in after.busy] == ["d2"]


def test_a_killed_run_is_told_from_one_at_work() -> None:
    started, dead = process()
    with open_database(fresh_url()) as database, database.writing() as session:
        version = version_for(session, PROVENANCE)
        other = version_for(session, PROVENANCE.model_copy(update={"model": "scripted:other"}))
        start_run(session, version, "a.csv", {}, str(Owner.present()))
        start_run(session, other, "b.csv", {}, dead)
        before = versions_at_work(session)
        started.kill()
        started.communicate()

        assert before == {version, other}
        assert versions_at_work(session) == {version}
        assert [run.state for run in runs(session)] == [RunState.KILLED, RunState.RUNNING]
