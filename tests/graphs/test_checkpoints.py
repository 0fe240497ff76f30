"""Checkpoints of single items: read back as they were, and unable to run anything that a changed file names."""

import json
import sqlite3
from pathlib import Path

import ormsgpack
import pytest

from graphs.checkpoint_serializer import KIND, CheckpointUnreadable, ItemSerializer
from graphs.checkpoints import FILE, CheckpointsUnusable, drop_threads, with_checkpoints
from graphs.enrichment import build_enrichment_graph
from graphs.replay import replay_item
from graphs.single_item import Step
from memory.corrections import Corrections
from memory.database import open_database
from memory.schema import CatalogItem, Decision, Reason
from tests.databases import fresh_url
from tests.graphs.bench_of_bottles import ITEM, context_of, looping_answers
from tests.graphs.test_replay import NODES, told, traced
from tests.memory.knowledge_samples import drill, quoted
from tests.memory.traces_of_drills import verdict

DRILL = drill()
CLAIM = quoted(DRILL, "c1", "brand", "Acme")


def test_each_value_of_a_state_comes_back_as_it_was() -> None:
    refused = verdict("c1", Decision.REVISE, Reason.UNSUPPORTED)
    corrections = Corrections(failed=((CLAIM, refused),), settled=frozenset({("brand", "acme")}))
    state = {
        "item": DRILL,
        "claims": (CLAIM,),
        "corrections": corrections,
        "round": 1,
        "note": "\0 \ud800",
        "none": None,
    }
    serializer = ItemSerializer(DRILL)

    assert serializer.loads_typed(serializer.dumps_typed(state)) == state


@pytest.mark.parametrize(
    "stored",
    [
        ["os.system", "touch run"],
        ["Path", ["run"]],
        ["ModelCall", {}],
        ["Claim", {"id": "c1"}],
        ["dict", [["list"]]],
        ["list"],
        ["Claim", CLAIM.model_copy(update={"evidence": None}).model_dump(mode="json")],
    ],
)
def test_what_is_no_part_of_a_state_is_refused(stored: object) -> None:
    with pytest.raises(CheckpointUnreadable):
        ItemSerializer(DRILL).loads_typed((KIND, json.dumps(stored).encode()))


@pytest.mark.parametrize("kind", ["pickle", "msgpack", "json"])
def test_no_other_way_of_writing_is_read(kind: str) -> None:
    with pytest.raises(CheckpointUnreadable, match=kind):
        ItemSerializer(DRILL).loads_typed((kind, b"cos\nsystem\n(S'touch run'\ntR."))


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(CheckpointUnreadable):
        ItemSerializer(DRILL).loads_typed((KIND, b'["list",[' * 100_000))


def test_a_claim_about_words_that_the_item_does_not_have_is_refused() -> None:
    of_another = ItemSerializer(DRILL).dumps_typed((CLAIM,))

    with pytest.raises(CheckpointUnreadable, match="is not 'Acme'"):
        ItemSerializer(CatalogItem(id="d1", title="Nova drill")).loads_typed(of_another)


async def test_a_file_that_was_changed_runs_nothing_and_the_replay_goes_by_the_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bomb = ormsgpack.packb(ormsgpack.Ext(0, ormsgpack.packb(("os", "system", "touch run"))))
    with open_database(fresh_url()) as database:
        context, _ = context_of(tmp_path, database, looping_answers())
        async with with_checkpoints(build_enrichment_graph(), tmp_path, ITEM) as graph:
            trace = await traced(graph, context)
        with sqlite3.connect(tmp_path / FILE) as file:
            file.execute("UPDATE checkpoints SET type = 'msgpack', checkpoint = ?", (bomb,))
            file.execute("UPDATE writes SET type = 'msgpack', value = ?", (bomb,))

        async with with_checkpoints(build_enrichment_graph(), tmp_path, ITEM) as graph:
            found = [step async for step in replay_item(graph, trace, 3, context)]

    assert [step.node for step in found if isinstance(step, Step)] == NODES[2:]
    assert not (tmp_path / "run").exists()


async def test_a_checkpoint_that_says_something_else_than_the_trace_is_not_used(tmp_path: Path) -> None:
    with open_database(fresh_url()) as database:
        context, _ = context_of(tmp_path, database, looping_answers())
        async with with_checkpoints(build_enrichment_graph(), tmp_path, ITEM) as graph:
            trace = await traced(graph, context)
            with sqlite3.connect(tmp_path / FILE) as file:
                file.execute("""UPDATE checkpoints SET checkpoint = replace(checkpoint, '"water"', '"WATER"')""")

            found = [step async for step in replay_item(graph, trace, 5, context)]

    assert told(found[-1] if not isinstance(found[-1], Step) else None) == told(trace.enrichment)


async def test_dropped_threads_are_gone_and_the_others_stay(tmp_path: Path) -> None:
    with open_database(fresh_url()) as database:
        context, _ = context_of(tmp_path, database, looping_answers())
        async with with_checkpoints(build_enrichment_graph(), tmp_path, ITEM) as graph:
            first, second = await traced(graph, context), await traced(graph, context)

    await drop_threads(tmp_path, [first.thread])

    with sqlite3.connect(tmp_path / FILE) as file:
        held = {row[0] for table in ("checkpoints", "writes") for row in file.execute(f"SELECT thread_id FROM {table}")}
    assert held == {second.thread}


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("no database, but long enough to be taken for one" * 100, encoding="utf-8")

    with pytest.raises(CheckpointsUnusable, match=f"{FILE} cannot be used .* safe to delete"):
        await drop_threads(tmp_path, ["t"])
