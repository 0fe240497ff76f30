"""Any history of runs, crashes, edits and second processes: nothing durable is asked again, no row is lost."""

import asyncio
import logging
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from agents.answering import Interviewer
from agents.providers.base import AnswerSchema, CallKey, Completion
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from graphs.batch import Batch, BatchSettings
from graphs.enrichment import build_enrichment_graph
from graphs.outcomes import Enriched, Skipped
from memory.database import Database, open_database
from memory.ledger import Ledger
from memory.model_call import Message
from memory.schema import CatalogItem
from memory.versions import version_for
from prompts.library import PromptLibrary, default_folder
from tests.graphs.bench_of_bottles import NO_CAPABILITIES, context_of
from tests.memory.knowledge_samples import PROVENANCE

pytestmark = pytest.mark.sqlite

PICK = ScriptedAnswer(agent="attribute_extractor", answer={"brand": "Acme"})
LEASE = 1000.0  # seconds of the machine's own clock
GRAPH = build_enrichment_graph()
IDS = st.sampled_from(["A", "B", "C", "D", "E"])
SIZES = st.integers(1, 3)  # what a text is about; the same for two items, so that they may share an answer
Asked = tuple[int, str]  # a prompt's edition and an item's title


class Killed(Exception):
    """The process is dead: nothing that it does is stored any more."""


class Asking(ScriptedModel):
    """Answers, and remembers what it was asked."""

    def __init__(self, edition: int) -> None:
        super().__init__([PICK], capabilities=NO_CAPABILITIES)
        self.edition = edition
        self.asked: list[Asked] = []

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        self.asked.append((self.edition, title_in(messages[-1].content)))
        await asyncio.sleep(0)
        return await super().complete(messages, schema, about=about)


def title_in(prompt: str) -> str:
    return next(title for size in range(4) if (title := title_of(size)) in prompt)


def title_of(size: int) -> str:
    return f"Acme steel bottle {size}00 ml"


TITLES = {CatalogItem(id="A", title=title_of(size)).content_hash: title_of(size) for size in range(4)}


@cache
def edition_of_prompts(edition: int) -> PromptLibrary:
    """Return the prompts as they come, or with some other words in the one that is asked here."""
    prompts = PromptLibrary.load(default_folder(), "embedded")
    edited = {"attribute_extractor"} if edition else set()
    words = f"\nBe brief, edition {edition}.\n"
    return PromptLibrary(
        prompt.model_copy(update={"system": prompt.system + words}) if prompt.name in edited else prompt
        for prompt in prompts
    )


@cache
def empty_knowledge_base() -> Path:
    folder = Path(tempfile.mkdtemp())
    open_database(f"sqlite:///{folder / 'empty.db'}").dispose()
    return folder


def mortal(database: Database, commits: int, *, durable: bool) -> Database:
    """Return the database of a process that dies at its n-th commit, just before it or just after."""
    living, left = database.writing, [commits]

    @contextmanager
    def writing(*, beside: bool = False) -> Iterator[Any]:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        with living(beside=beside) as session:
            yield session
            if left[0] == 0 and not durable:
                raise Killed
        if left[0] == 0:
            raise Killed

    database.writing = writing  # type: ignore[method-assign]
    return database


class Histories(RuleBasedStateMachine):
    """The model: the rows, which answers are durable, and which texts each edition of the prompts is done with."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(empty_knowledge_base() / "empty.db", self.folder / "kb.db")
        self.rows = {"A": 1, "B": 2}
        self.edition = 0
        self.now = 0.0
        self.durable: set[Asked] = set()
        self.done: dict[int, dict[str, str]] = {0: {}, 1: {}}  # edition -> item -> title

    @rule(item=IDS, size=SIZES)
    def put_row(self, item: str, size: int) -> None:
        self.rows[item] = size

    @rule(item=IDS)
    def remove_row(self, item: str) -> None:
        self.rows.pop(item, None)

    @rule()
    def edit_prompt(self) -> None:
        self.edition = 1 - self.edition

    @rule(concurrency=st.integers(1, 4))
    def run(self, concurrency: int) -> None:
        needed = {(self.edition, title_of(size)) for item, size in self.rows.items() if not self.is_done(item)}

        asked = asyncio.run(self.worked(concurrency=concurrency))

        assert set(asked) == needed - self.durable
        self.note_end()

    @rule(commits=st.integers(1, 12), durable=st.booleans(), concurrency=st.integers(1, 4))
    def crash(self, commits: int, durable: bool, concurrency: int) -> None:
        asked = asyncio.run(self.worked(commits=commits, after_it=durable, concurrency=concurrency))

        assert self.durable.isdisjoint(asked)
        self.note_crash(asked)

    @rule(commits=st.none() | st.integers(1, 12), durable=st.booleans())
    def two_at_once(self, commits: int | None, durable: bool) -> None:
        async def both() -> tuple[list[Asked], list[Asked]]:
            dying = self.worked("first", commits=commits, after_it=durable, concurrency=2)
            return await asyncio.gather(dying, self.worked("second", concurrency=2))

        asked = asyncio.run(both())

        assert self.durable.isdisjoint([*asked[0], *asked[1]])
        self.note_end()

    @invariant()
    def nothing_durable_is_lost_or_paid_again(self) -> None:
        stored = self.ask("SELECT key, count(*) FROM model_call GROUP BY key, item_id")
        assert all(number == 1 for _, number in stored)
        assert self.durable == self.stored_answers()

    @invariant()
    def each_item_is_done_with_its_text_once(self) -> None:
        for edition, version in self.versions().items():
            known = dict(self.ask("SELECT item_id, content_hash FROM enrichment WHERE version_id = ?", version))
            assert {item: TITLES[text] for item, text in known.items()} == self.done[edition]

    async def worked(
        self, owner: str = "only", *, commits: int | None = None, after_it: bool = False, concurrency: int
    ) -> list[Asked]:
        """Work the rows off as one process, which may die; return what it asked."""
        model = Asking(self.edition)
        with open_database(self.url) as database:
            context, _ = context_of(self.folder, database, [PICK], capabilities=NO_CAPABILITIES)
            with database.writing() as session:
                provenance = PROVENANCE.model_copy(update={"max_revisions": self.edition})
                version = version_for(session, provenance)
            if commits is not None:
                mortal(database, commits, durable=after_it)
            ledger = Ledger(database)
            context = replace(
                context,
                model=Interviewer(model, ledger),
                prompts=edition_of_prompts(self.edition),
                provenance=provenance,
            )
            work = BatchSettings(version, owner, concurrency=concurrency, claim_size=2, lease_seconds=LEASE)
            batch = Batch(GRAPH, context, database, ledger, settings=work, clock=lambda: self.now)
            items = [CatalogItem(id=item, title=title_of(size)) for item, size in self.rows.items()]
            try:
                outcomes = [outcome async for outcome in batch.outcomes(items)]
            except Killed:
                assert commits is not None
                self.now += 2 * LEASE  # the others wait until its leases have ended
                return model.asked
            finally:
                await ledger.close()
        ended = [
            o.item.id if isinstance(o, Enriched) else o.item_id for o in outcomes if isinstance(o, Enriched | Skipped)
        ]
        assert sorted(ended) == sorted(self.rows)
        return model.asked

    def note_end(self) -> None:
        """Every row is done, with an answer that is durable."""
        self.now += 2 * LEASE
        self.durable |= {(self.edition, title_of(size)) for item, size in self.rows.items() if not self.is_done(item)}
        self.done[self.edition] |= {item: title_of(size) for item, size in self.rows.items()}

    def note_crash(self, asked: Sequence[Asked]) -> None:
        """Some of what was asked is durable, nothing that was durable before is lost."""
        self.now += 2 * LEASE
        stored = self.stored_answers()
        assert self.durable <= stored <= self.durable | set(asked)
        self.durable = stored
        for edition, version in self.versions().items():
            done = self.ask(
                "SELECT item_id, content_hash FROM work WHERE version_id = ? AND state = 'enriched'", version
            )
            stored_too = {item: TITLES[text] for item, text in done}
            assert edition == self.edition or stored_too == self.done[edition]
            self.done[edition] = stored_too

    def is_done(self, item: str) -> bool:
        return self.done[self.edition].get(item) == title_of(self.rows[item])

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'kb.db'}"

    def stored_answers(self) -> set[Asked]:
        stored = self.ask("SELECT prompt_fingerprint, messages FROM model_call WHERE outcome = 'answered'")
        editions = {edition_of_prompts(n).get("attribute_extractor").fingerprint: n for n in (0, 1)}
        return {(editions[fingerprint], title_in(messages)) for fingerprint, messages in stored}

    def versions(self) -> dict[int, int]:
        return dict(self.ask("SELECT json_extract(provenance, '$.max_revisions'), id FROM version"))

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "kb.db")) as connection:
            return connection.execute(query, values).fetchall()

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _unheard(caplog: pytest.LogCaptureFixture) -> None:
    """Do not format what dying processes log."""
    caplog.set_level(logging.CRITICAL)


def test_a_short_history_keeps_every_promise() -> None:
    run_state_machine_as_test(Histories, settings=settings(max_examples=6, stateful_step_count=10, deadline=None))


@pytest.mark.faults
@pytest.mark.scenario("P1", "I1 I2")
def test_any_history_keeps_every_promise() -> None:
    run_state_machine_as_test(Histories, settings=settings(max_examples=60, stateful_step_count=25, deadline=None))
