"""Opening a knowledge base, its transactions, and what can be wrong with it."""

import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session

from memory.database import (
    Database,
    DatabaseBusy,
    DatabaseFull,
    DatabaseUnreadable,
    known_revisions,
    open_database,
    open_existing_database,
)
from memory.store import counts, item_of, save_item
from tests.memory.knowledge_samples import drill

pytestmark = pytest.mark.sqlite


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def pragma(session: Session, name: str) -> object:
    return session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "knowledge.db"
    open_database(url_of(path)).dispose()
    return path


def test_an_in_memory_knowledge_base_is_ready_at_once() -> None:
    with open_database("sqlite://") as database:
        with database.writing() as session:
            save_item(session, drill())

        with database.session() as session:
            assert item_of(session, "d1") == drill()


def test_a_file_is_opened_with_the_settings_that_keep_it_safe(path: Path) -> None:
    with open_database(url_of(path)) as database, database.session() as session:
        settings = [pragma(session, name) for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")]

    assert settings == ["wal", 1, 30_000, 1]


def test_full_durability_waits_for_the_disk_at_each_commit(path: Path) -> None:
    with open_database(url_of(path), durability="full") as database, database.session() as session:
        assert pragma(session, "synchronous") == 2


def test_two_threads_take_turns_in_a_knowledge_base_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memory.database_errors.BUSY_SECONDS", 0.05)

    def write(database: Database) -> None:
        with database.writing() as session:
            save_item(session, drill())

    with open_database("sqlite://") as database, ThreadPoolExecutor() as threads:
        with database.session(), pytest.raises(DatabaseBusy, match="another thread"):
            threads.submit(write, database).result()

        threads.submit(write, database).result()
        with database.session() as session:
            assert counts(session).items == 1


def test_opening_an_up_to_date_file_takes_5_ms_of_work_at_most_and_no_alembic(path: Path) -> None:
    program = (
        "import sys, time\n"
        "from memory.database import open_database\n"
        "def opened():\n"
        "    start = time.process_time()\n"
        "    open_database(sys.argv[1]).dispose()\n"
        "    return time.process_time() - start\n"
        "print(min(opened() for _ in range(9)), 'alembic' in sys.modules)\n"
    )

    root = Path(__file__).parents[2]
    output = subprocess.run(
        [sys.executable, "-c", program, url_of(path)], cwd=root, capture_output=True, text=True, check=True
    ).stdout

    seconds, alembic = output.split()
    assert float(seconds) < 0.005
    assert alembic == "False"


def test_migrating_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    open_database(url_of(tmp_path / "new.db")).dispose()

    assert capfd.readouterr() == ("", "")


def save_then_fail(database: Database) -> None:
    with database.writing() as session:
        save_item(session, drill())
        raise ZeroDivisionError


def test_an_error_rolls_the_transaction_back(path: Path) -> None:
    with open_database(url_of(path)) as database:
        with pytest.raises(ZeroDivisionError):
            save_then_fail(database)

        with database.session() as session:
            assert counts(session).items == 0


def test_a_reader_sees_one_view_while_a_writer_commits(path: Path) -> None:
    with open_database(url_of(path)) as database, database.session() as reader:
        before = counts(reader).items
        with database.writing() as session:
            save_item(session, drill())
        during = counts(reader).items

        with database.session() as session:
            assert (before, during, counts(session).items) == (0, 0, 1)


@pytest.mark.parametrize("url", ["knowledge.db", "sqlite", ""])
def test_what_is_no_url_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(DatabaseUnreadable, match="write it as sqlite:///"):
        open_database(url)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnreadable, match="nowhere"):
        open_database(url_of(tmp_path / "nowhere" / "knowledge.db"))


def test_an_existing_knowledge_base_is_opened_and_a_mistyped_one_is_not_created(path: Path) -> None:
    with open_existing_database(url_of(path)) as database, database.session() as session:
        assert counts(session).items == 0

    with pytest.raises(DatabaseUnreadable, match=r"knowlege\.db"):
        open_existing_database(url_of(path.with_name("knowlege.db")))

    assert not path.with_name("knowlege.db").exists()


def test_a_folder_is_no_knowledge_base(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnreadable, match="cannot be opened"):
        open_database(url_of(tmp_path))


def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalog.csv"
    path.write_text("id,title\n1,drill\n" * 100)

    with pytest.raises(DatabaseUnreadable, match="not a database"):
        open_database(url_of(path))

    assert path.read_text() == "id,title\n1,drill\n" * 100


def test_a_truncated_file_is_refused(path: Path) -> None:
    os.truncate(path, 1024)

    with pytest.raises(DatabaseUnreadable, match=r"knowledge\.db"):
        open_database(url_of(path))


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")

    with pytest.raises(DatabaseUnreadable, match="orders"):
        open_database(url_of(path))

    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("orders",)]


def test_a_newer_schema_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_from_the_future'")

    with pytest.raises(DatabaseUnreadable, match=rf"9999_from_the_future.*{known_revisions()[-1]}"):
        open_database(url_of(path))


def test_a_missing_driver_is_named_and_the_password_is_not() -> None:
    with pytest.raises(DatabaseUnreadable, match="nosuchdriver") as caught:
        open_database("sqlite+nosuchdriver://user:s3cret@host/name")

    assert "s3cret" not in str(caught.value)


def test_a_read_only_knowledge_base_can_be_read_and_says_why_it_cannot_be_written(path: Path) -> None:
    with open_database(f"sqlite:///file:{path}?mode=ro&uri=true") as database:
        with database.session() as session:
            assert counts(session).items == 0

        with pytest.raises(DatabaseUnreadable, match="read-only"), database.writing() as session:
            save_item(session, drill())


def test_a_lock_held_too_long_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memory.database_errors.BUSY_SECONDS", 0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with open_database(url_of(path)) as database, pytest.raises(DatabaseBusy), database.writing() as session:
        save_item(session, drill())

    holder.close()


def save_beyond_the_disk(database: Database) -> None:
    with database.writing() as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count = 1")
        save_item(session, drill("lost", title="x" * 1_000_000))


def test_a_full_disk_is_named_and_loses_nothing_stored(path: Path) -> None:
    with open_database(url_of(path)) as database:
        with database.writing() as session:
            save_item(session, drill("kept"))

        with pytest.raises(DatabaseFull):
            save_beyond_the_disk(database)

    with open_database(url_of(path)) as database, database.session() as session:
        assert item_of(session, "kept") is not None
        assert item_of(session, "lost") is None
        assert pragma(session, "integrity_check") == "ok"


def count_up(url: str, times: int) -> None:
    with open_database(url) as database:
        for _ in range(times):
            with database.writing() as session:
                line = session.execute(text("SELECT line FROM item")).scalar_one()
                session.execute(text("UPDATE item SET line = :line"), {"line": line + 1})


def test_reading_then_writing_in_two_processes_never_fails(path: Path) -> None:
    with open_database(url_of(path)) as database, database.writing() as session:
        save_item(session, drill(), catalog="c.csv", line=0)
    processes = [multiprocessing.get_context("fork").Process(target=count_up, args=(url_of(path), 100)) for _ in "ab"]

    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0]
    with open_database(url_of(path)) as database, database.session() as session:
        assert session.execute(text("SELECT line FROM item")).scalar_one() == 200


def open_at(url: str, moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))
    open_database(url).dispose()


def test_eight_processes_may_create_one_knowledge_base_at_once(tmp_path: Path) -> None:
    url = url_of(tmp_path / "new.db")
    moment = time.monotonic() + 0.2
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=open_at, args=(url, moment)) for _ in range(8)]

    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * 8


def write_until_killed(database: Database) -> None:
    for number in range(1_000_000):
        with database.writing() as session:
            save_item(session, drill(f"d{number}"))
        if number == 20:
            with database.writing() as session:
                save_item(session, drill("half"))
                os.kill(os.getpid(), signal.SIGKILL)


def test_a_kill_inside_a_transaction_keeps_what_was_committed_and_nothing_else(path: Path) -> None:
    def child() -> None:
        write_until_killed(open_database(url_of(path)))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()

    assert process.exitcode == -signal.SIGKILL
    with open_database(url_of(path)) as database, database.session() as session:
        assert counts(session).items == 21
        assert item_of(session, "half") is None
        assert pragma(session, "integrity_check") == "ok"


@pytest.mark.parametrize(
    ("lose", "said"),
    [
        (lambda path: path.unlink(), "was deleted while it was in use"),
        (
            lambda path: shutil.copy(path, path.with_name("copy")) and path.with_name("copy").replace(path),
            "was replaced",
        ),
        (lambda path: os.truncate(path, 1024), "was cut short"),
    ],
)
def test_nothing_is_written_to_a_file_that_has_gone(path: Path, lose: Callable[[Path], object], said: str) -> None:
    with open_database(url_of(path)) as database:
        with database.writing() as session:
            save_item(session, drill("kept"))
        lose(path)

        with pytest.raises(DatabaseUnreadable, match=said), database.writing() as session:
            save_item(session, drill("lost"))
