"""Equal questions over several workers: one holds a question at a time, whoever dies, is cancelled or begins anew."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
from pydantic import BaseModel

from agents.answering import Interviewer
from agents.providers.base import AnswerSchema, CallKey, Completion, FinishReason
from agents.providers.scripted import ScriptedModel
from agents.shared_questions import (
    SILENT_SECONDS,
    UNKNOWN_SECONDS,
    QuestionOffice,
    SharedQuestions,
    TurnsGiven,
    TurnsWanted,
)
from agents.spending.budget import Budget
from agents.spending.budgeted_model import BudgetedModel
from agents.stopping import RunStopped, Stop
from memory.database import open_database
from memory.ledger import Ledger
from memory.model_call import Message, Usage
from prompts.library import RenderedPrompt
from tests.databases import kept_at

PROMPT = RenderedPrompt(prompt="critic", fingerprint="f1", messages=(Message(role="user", content="u"),))


class Word(BaseModel):
    word: str


class Slow(ScriptedModel):
    """Takes a moment for each answer, and counts them."""

    def __init__(self) -> None:
        super().__init__([])
        self.asked = 0

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        self.asked += 1
        await asyncio.sleep(0.05)
        usage = Usage(prompt_tokens=3, completion_tokens=2)
        return Completion(
            text='{"word": "yes"}', finish_reason=FinishReason.STOP, usage=usage, model="slow", seconds=0.1
        )


class Line:
    """Between workers and an office, which may die and be followed by another."""

    def __init__(self, *, seconds: float = 0.0) -> None:
        self.now = 0.0
        self.office = QuestionOffice("first", now=self.now)
        self.messages: list[TurnsWanted] = []
        self.broken = False
        self._seconds = seconds

    async def ask(self, wanted: TurnsWanted) -> TurnsGiven:
        self.messages.append(wanted)
        await asyncio.sleep(self._seconds)
        if self.broken:
            raise ConnectionError("the line is cut")
        return self.office.take(wanted, self.now)

    def worker(self, name: str, stop: Stop | None = None) -> SharedQuestions:
        return SharedQuestions(name, self.ask, stop or Stop())

    def wanted_of(self, key: str) -> bool:
        """Return whether an outsider is given the key now."""
        first = TurnsWanted(worker="outsider", office=self.office_name, number=1, holds=(), wants=(key,))
        given = self.office.take(first, self.now)
        self.office.lose("outsider")
        return given.keys == (key,)

    @property
    def office_name(self) -> str:
        return self.office.take(TurnsWanted(worker="nobody", office="", number=0, holds=()), self.now).office

    def follow(self, *awaited: str) -> None:
        """Put an office in the place of this one, which knows nothing but who there was."""
        self.office = QuestionOffice(f"after {self.office_name}", now=self.now, awaited=awaited)


def wanted(worker: str, number: int, *, holds: str = "", wants: str = "", office: str = "first") -> TurnsWanted:
    return TurnsWanted(worker=worker, office=office, number=number, holds=tuple(holds), wants=tuple(wants))


async def hold(questions: SharedQuestions, key: str, until: asyncio.Event | None = None) -> str:
    async with questions.turn(key):
        await (until.wait() if until else asyncio.sleep(0))
    return key


async def quiet() -> list[str]:
    """Wait until all is said, but not for long, and return what tasks are left beside the test's own."""
    for _ in range(30):
        await asyncio.sleep(0.1)
        if not (left := [str(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()]):
            break
    return left


@asynccontextmanager
async def workers_of_one_ledger(path: Path, model: Slow, line: Line, names: str) -> AsyncIterator[list[Interviewer]]:
    async with AsyncExitStack() as opened:
        databases = [opened.enter_context(open_database(kept_at(path))) for _ in names]
        ledgers = [await opened.enter_async_context(Ledger(database)) for database in databases]
        yield [
            Interviewer(BudgetedModel(model, Budget(), recall=ledger.recall), ledger, in_turn=line.worker(name).turn)
            for name, ledger in zip(names, ledgers, strict=True)
        ]


def test_an_office_gives_a_key_to_one_worker_until_that_one_names_it_no_more() -> None:
    office = QuestionOffice("first", now=0.0)

    first = office.take(wanted("a", 1, wants="kl"), 0.0)
    refused = office.take(wanted("b", 1, wants="kl"), 0.0)
    office.take(wanted("a", 2, holds="l"), 0.0)
    second = office.take(wanted("b", 2, wants="kl"), 0.0)

    assert (first.keys, refused.keys, second.keys) == (("k", "l"), (), ("k",))


def test_what_a_lost_worker_held_is_free() -> None:
    office = QuestionOffice("first", now=0.0)
    office.take(wanted("a", 1, wants="k"), 0.0)

    office.lose("a")

    assert office.take(wanted("b", 1, wants="k"), 0.0).keys == ("k",)


def test_a_worker_that_is_silent_for_long_holds_nobody_up_and_takes_nothing_back() -> None:
    office = QuestionOffice("first", now=0.0)
    office.take(wanted("a", 1, wants="k"), 0.0)

    early = office.take(wanted("b", 1, wants="k"), SILENT_SECONDS)
    late = office.take(wanted("b", 2, wants="k"), SILENT_SECONDS + 1)
    back = office.take(wanted("a", 2, holds="k", wants="k"), SILENT_SECONDS + 1)

    assert (early.keys, late.keys, back.keys) == ((), ("k",), ())


def test_a_message_that_comes_after_a_later_one_changes_nothing() -> None:
    office = QuestionOffice("first", now=0.0)
    office.take(wanted("a", 1, wants="k"), 0.0)
    office.take(wanted("a", 2, holds="k", wants="l"), 0.0)
    office.take(wanted("a", 3, holds="l"), 0.0)

    late = office.take(wanted("a", 2, holds="k", wants="m"), 0.0)
    others = office.take(wanted("b", 1, wants="klm"), 0.0)

    assert (late.keys, others.keys) == ((), ("k", "m"))


def test_an_office_that_goes_on_gives_nothing_before_all_that_live_have_spoken_to_it() -> None:
    office = QuestionOffice("second", now=0.0, awaited=("a", "b", "c"))
    after = UNKNOWN_SECONDS + 1

    office.take(wanted("a", 7, holds="k", office="second"), 0.0)
    office.take(wanted("b", 7, office="second"), after)
    early = office.take(wanted("a", 8, holds="k", wants="l", office="second"), after)
    office.lose("c")
    of_another = office.take(wanted("b", 8, wants="m", office="first"), after)
    late = office.take(wanted("b", 8, wants="klm", office="second"), after)

    assert (early.keys, of_another.keys, late.keys) == ((), (), ("l", "m"))


def test_an_office_that_goes_on_waits_a_while_for_workers_that_nobody_told_it_of() -> None:
    office = QuestionOffice("second", now=0.0, awaited=())

    early = office.take(wanted("a", 1, wants="k", office="second"), UNKNOWN_SECONDS)
    office.take(wanted("unknown", 1, holds="k", office="second"), UNKNOWN_SECONDS)
    late = office.take(wanted("a", 2, wants="k", office="second"), UNKNOWN_SECONDS + 1)

    assert (early.keys, late.keys) == ((), ())


async def test_of_equal_questions_of_two_workers_one_is_asked_and_the_other_is_answered_by_the_ledger(
    tmp_path: Path,
) -> None:
    model, line = Slow(), Line(seconds=0.001)

    async with workers_of_one_ledger(tmp_path / "kb.db", model, line, "ab") as workers:
        answers = await asyncio.gather(
            *(worker.ask(PROMPT, Word, agent="critic", item_id=str(number)) for number, worker in enumerate(workers))
        )

    assert [answer.parsed for answer in answers] == [Word(word="yes")] * 2
    assert sorted(answer.replayed for answer in answers) == [False, True]
    assert model.asked == 1


async def test_two_in_one_worker_that_want_the_same_hold_it_one_after_the_other() -> None:
    line = Line()
    questions, let = line.worker("a"), asyncio.Event()

    first, second = (asyncio.create_task(hold(questions, "k", let)) for _ in range(2))
    await asyncio.sleep(0.05)
    let.set()
    ended = list(await asyncio.gather(first, second))

    assert ended == ["k", "k"]
    assert await quiet() == []
    assert line.wanted_of("k")


@pytest.mark.parametrize("seconds", [0.0, 0.05])
async def test_who_is_cancelled_leaves_no_key_held_and_no_task(seconds: float) -> None:
    line = Line(seconds=0.1)
    questions = line.worker("a")

    waiting = [asyncio.create_task(hold(questions, key, asyncio.Event())) for key in "kkl"]
    await asyncio.sleep(seconds)
    for task in waiting:
        task.cancel()
    ended = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(error) for error in ended] == [asyncio.CancelledError] * 3
    assert await quiet() == []
    assert line.wanted_of("k")
    assert line.wanted_of("l")


async def test_who_is_cancelled_when_the_key_has_just_come_passes_it_on() -> None:
    line = Line()
    questions = line.worker("a")
    given = asyncio.create_task(hold(questions, "k", asyncio.Event()))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(hold(questions, "k", asyncio.Event()))
    third = asyncio.create_task(hold(questions, "k"))
    await asyncio.sleep(0)

    given.cancel()
    await asyncio.wait([given])  # now the second has the key, and has not run since
    second.cancel()

    assert await asyncio.wait_for(third, 1) == "k"
    assert await quiet() == []


async def test_a_line_that_is_cut_fails_who_waits_and_nobody_else() -> None:
    line = Line()
    questions, let = line.worker("a"), asyncio.Event()
    holder = asyncio.create_task(hold(questions, "k", let))
    await asyncio.sleep(0.05)

    line.broken = True
    with pytest.raises(ConnectionError):
        await hold(questions, "l")
    line.broken = False
    let.set()

    assert await holder == "k"
    assert await hold(questions, "l") == "l"
    assert await quiet() == []
    assert line.wanted_of("k")


async def test_who_waits_for_another_worker_is_let_go_when_the_run_is_to_stop() -> None:
    line, stop, let = Line(), Stop(), asyncio.Event()
    holder = asyncio.create_task(hold(line.worker("a"), "k", let))
    await asyncio.sleep(0.05)

    waiting = asyncio.create_task(hold(line.worker("b", stop), "k"))
    await asyncio.sleep(0.05)
    stop.wish()

    with pytest.raises(RunStopped):
        await asyncio.wait_for(waiting, 1)
    let.set()
    await holder
    assert await quiet() == []


async def test_many_wishes_of_a_moment_go_in_few_messages() -> None:
    line = Line(seconds=0.01)
    questions = line.worker("a")

    await asyncio.gather(*(hold(questions, str(number)) for number in range(200)))
    await quiet()

    assert len(line.messages) == 3  # to an office that it did not know, the wishes, and their ends
    assert {len(message.wants) for message in line.messages} == {200, 0}


async def test_questions_one_after_the_other_cost_a_message_each() -> None:
    line = Line()
    questions = line.worker("a")

    for number in range(20):
        await hold(questions, str(number))
    await quiet()

    assert len(line.messages) == 20 + 2  # the first to an office that it did not know, and the last end


async def test_many_that_ask_all_the_time_cost_much_less_than_a_message_a_question() -> None:
    line, draw = Line(), random.Random(3)
    questions = line.worker("a")

    async def asks(asker: int) -> None:
        for number in range(10):
            await hold(questions, f"{asker}.{number}")
            await asyncio.sleep(draw.random() / 10)

    await asyncio.gather(*(asks(asker) for asker in range(40)))

    assert len(line.messages) < 400 / 4


async def test_a_key_that_a_living_worker_holds_is_not_given_by_the_office_that_follows() -> None:
    line, let = Line(), asyncio.Event()
    a, b = line.worker("a"), line.worker("b")
    holder = asyncio.create_task(hold(a, "k", let))
    await asyncio.sleep(0.05)

    line.follow("a", "b")
    waiting = asyncio.create_task(hold(b, "k"))
    line.now += UNKNOWN_SECONDS + 1
    await asyncio.sleep(0.3)
    before_it_speaks = waiting.done()
    await a.report()
    await asyncio.sleep(0.3)
    while_it_holds = waiting.done()
    let.set()

    assert (before_it_speaks, while_it_holds) == (False, False)
    assert list(await asyncio.gather(holder, waiting)) == ["k", "k"]


class Bad(Line):
    """Loses answers, so that messages are sent again, and delivers some once more when they are old."""

    def __init__(self, draw: random.Random) -> None:
        super().__init__()
        self.draw = draw

    async def ask(self, wanted: TurnsWanted) -> TurnsGiven:
        while True:
            await asyncio.sleep(self.draw.random() / 500)
            office = self.office
            given = office.take(wanted, self.now)
            if self.draw.random() < 0.4:
                asyncio.get_running_loop().call_later(self.draw.random() / 3, self.again, wanted)
            await asyncio.sleep(self.draw.random() / 500)
            if self.draw.random() < 0.8:
                return given

    def again(self, wanted: TurnsWanted) -> None:
        self.office.take(wanted, self.now)


@pytest.mark.parametrize("seed", range(6))
async def test_no_two_hold_one_key_whatever_is_lost_repeated_cancelled_or_begun_anew(seed: int) -> None:
    draw = random.Random(seed)
    line, holders, twice = Bad(draw), Counter[str](), list[str]()
    workers = {name: line.worker(name) for name in "abcd"}

    async def asks(questions: SharedQuestions) -> None:
        key = draw.choice("klmno")
        with suppress(TimeoutError):
            async with asyncio.timeout(draw.choice([0.1, 5.0])), questions.turn(key):
                holders[key] += 1
                twice.extend([key] * (holders[key] > 1))
                try:
                    await asyncio.sleep(draw.random() / 5)
                finally:
                    holders[key] -= 1

    under_way = [asyncio.create_task(asks(draw.choice([*workers.values()]))) for _ in range(100)]
    for _ in range(3):
        await asyncio.sleep(draw.random() / 10)
        line.follow(*workers)
        line.now += UNKNOWN_SECONDS + 1
        await asyncio.sleep(draw.random() / 10)
        await asyncio.gather(*(questions.report() for questions in workers.values()))
    await asyncio.gather(*under_way)

    assert twice == []
    assert await quiet() == []
    assert all(line.wanted_of(key) for key in "klmno")
