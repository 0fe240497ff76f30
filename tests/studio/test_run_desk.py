"""One run a process: however often it is asked for, whoever asks."""

import asyncio
from threading import Event, Thread

import pytest

from commands.run_watch import Watch
from memory.errors import ReaseqError
from studio.run_desk import DeskRun, RunDesk, RunUnderWay


class Refused(ReaseqError):
    """What a run may end with."""


def ended(desk: RunDesk) -> DeskRun:
    """Return the run once it has ended."""
    desk.close(10)
    assert desk.run is not None
    return desk.run


def test_ten_requests_at_once_begin_one_run() -> None:
    desk, gate, begun = RunDesk(), Event(), []

    async def work(_: Watch) -> str:
        begun.append(1)
        await asyncio.to_thread(gate.wait, 10)
        return "done"

    def ask() -> None:
        try:
            desk.begin(DeskRun("a run", work))
        except RunUnderWay:
            refused.append(1)

    refused: list[int] = []
    threads = [Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gate.set()

    assert ended(desk).outcome == "done"
    assert (len(begun), len(refused)) == (1, 9)


def test_after_a_run_has_ended_another_may_begin() -> None:
    desk = RunDesk()

    async def work(_: Watch) -> str:
        return "done"

    desk.begin(DeskRun("first", work))
    ended(desk)
    desk.begin(DeskRun("second", work))

    assert ended(desk).title == "second"


def test_what_a_run_ends_with_is_told() -> None:
    desk = RunDesk()

    async def work(_: Watch) -> str:
        raise Refused("no key is set")

    desk.begin(DeskRun("a run", work))

    assert (ended(desk).problem, ended(desk).ended) == ("no key is set", True)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_of_the_program_is_told_without_its_words() -> None:
    desk = RunDesk()

    async def work(_: Watch) -> str:
        raise ZeroDivisionError("sk-secret")

    desk.begin(DeskRun("a run", work))

    assert "sk-secret" not in ended(desk).problem
    assert ended(desk).ended
