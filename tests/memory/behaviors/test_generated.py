"""Imagined behaviours: stored with their reasons, replaced by newer ones, read until they expire, switched off."""

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import select

from memory.behaviors import generated as generated_module
from memory.behaviors.generated import (
    GeneratedBehaviors,
    Generation,
    generated_of,
    generations,
    inference_is_off,
    set_inference,
    store_generated,
)
from memory.behaviors.imports import imports
from memory.behaviors.joining import MANY
from memory.behaviors.overview import last_deeds
from memory.behaviors.schema import Clock, Source
from memory.behaviors.segments import Segment
from memory.behaviors.store import OtherClock, add_behaviors, behaviors_of, delete_behaviors
from memory.behaviors.tables import BehaviorSegmentRow
from memory.database import Database, open_database
from tests.databases import fresh_url
from tests.memory.behaviors.test_store import LOG
from tests.memory.test_migrations import create_at, url_of

DAY = 86_400_000


@pytest.fixture
def knowledge() -> Iterator[Database]:
    with open_database(fresh_url()) as database:
        yield database


def imagined(*pairs: tuple[str, str], moment: int = 10) -> GeneratedBehaviors:
    """Return imagined behaviours of (user, item), each of which another figure belongs to."""
    count = len(pairs)
    steps = np.arange(1, count + 1, dtype=np.float32)
    return GeneratedBehaviors(
        user=tuple(user for user, _ in pairs),
        item=tuple(item for _, item in pairs),
        time=np.full(count, moment, dtype=np.int64),
        slot=("future", "gap", *("future",) * count)[:count],
        position=np.arange(1, count + 1, dtype=np.int32),
        log_p=-steps,
        agreement=(steps / count).astype(np.float32),
        confidence=(steps / (count + 1)).astype(np.float32),
        near_item=("mug", "", *("pot",) * count)[:count],
        near_cosine=np.where(np.arange(count) == 1, np.nan, steps / 10).astype(np.float32),
        demand=("camping", *("",) * count)[:count],
        demand_cosine=np.where(np.arange(count) == 0, 0.5, np.nan).astype(np.float32),
    )


def store(
    database: Database, generated: GeneratedBehaviors, as_of: int = 5, expires: int | None = None, version: str = "m1"
) -> int:
    with database.writing() as session:
        return store_generated(session, generated, as_of=as_of, model_version=version, expires=expires).rows


def pairs(database: Database, at: int | None = None) -> list[tuple[str, str]]:
    with database.session() as session:
        found = generated_of(session, at=at)
    return list(zip(found.user, found.item, strict=True))


def test_imagined_behaviours_come_back_with_all_their_reasons(knowledge: Database) -> None:
    given = imagined(("u1", "lamp"), ("u1", "tent"), ("u2", "lamp"))

    stored = store(knowledge, given)

    with knowledge.session() as session:
        found = generated_of(session)
    assert stored == 3
    for field in fields(GeneratedBehaviors):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(given, field.name), err_msg=field.name)


def test_they_are_told_from_the_log_by_their_source(knowledge: Database) -> None:
    with knowledge.writing() as session:
        add_behaviors(session, LOG)
    store(knowledge, imagined(("u1", "lamp")))

    with knowledge.session() as session:
        logged, every = behaviors_of(session), behaviors_of(session, sources=list(Source))

    assert logged.equals(LOG)
    assert every.filter(every["source"] == "diffusion").select("user", "item", "time").rows() == [("u1", "lamp", 10)]


def test_a_newer_generation_takes_the_place_of_the_older_one_of_the_same_user_alone(knowledge: Database) -> None:
    store(knowledge, imagined(("u1", "lamp"), ("u2", "lamp")))

    store(knowledge, imagined(("u1", "tent")), as_of=7, version="m2")

    with knowledge.session() as session:
        known = generations(session)
    assert pairs(knowledge) == [("u1", "tent"), ("u2", "lamp")]
    assert known == {"u1": Generation(1, 7, "m2", None), "u2": Generation(1, 5, "m1", None)}


def test_of_who_nothing_is_imagined_any_more_nothing_older_is_left(knowledge: Database) -> None:
    store(knowledge, imagined(("u1", "lamp"), ("u2", "lamp")))

    with knowledge.writing() as session:
        store_generated(
            session, imagined(("u1", "tent")), as_of=7, model_version="m2", expires=None, users=["u1", "u2"]
        )

    assert pairs(knowledge) == [("u1", "tent")]


def test_the_same_generation_can_be_stored_again_after_it_was_forgotten(knowledge: Database) -> None:
    store(knowledge, imagined(("u1", "lamp")))
    with knowledge.writing() as session:
        delete_behaviors(session, user="u1", source=Source.DIFFUSION)

    again = store(knowledge, imagined(("u1", "lamp")))

    assert again == 1
    assert pairs(knowledge) == [("u1", "lamp")]


def test_additions_that_nothing_is_left_of_are_not_listed(knowledge: Database) -> None:
    with knowledge.writing() as session:
        add_behaviors(session, LOG, origin="log.csv")
    for version in ("m1", "m2", "m3"):
        store(knowledge, imagined(("u1", "lamp")), version=version)

    with knowledge.session() as session:
        listed = [made.origin for made in imports(session)]

    assert listed == ["log.csv", "diffusion m3"]


@pytest.mark.parametrize(("at", "is_read"), [(4, False), (5, True), (99, True), (100, False)])
def test_they_are_read_from_what_they_rest_on_to_when_they_expire(
    knowledge: Database, at: int, *, is_read: bool
) -> None:
    store(knowledge, imagined(("u1", "lamp")), as_of=5, expires=100)

    assert pairs(knowledge, at) == [("u1", "lamp")] * is_read


def test_what_has_expired_by_now_is_not_read_by_anyone(knowledge: Database) -> None:
    now = time.time_ns() // 1_000_000
    store(knowledge, imagined(("u1", "lamp")), expires=now - 1)
    store(knowledge, imagined(("u2", "lamp")), expires=now + DAY)

    with knowledge.session() as session:
        deeds = [(user, deed.item) for user in ("u1", "u2") for deed in last_deeds(session, user, 5)]

    assert pairs(knowledge) == [("u2", "lamp")]
    assert deeds == [("u2", "lamp")]


def test_each_user_may_have_a_moment_of_their_own(knowledge: Database) -> None:
    with knowledge.writing() as session:
        moments = {"u1": 3, "u2": 8}
        store_generated(
            session, imagined(("u1", "lamp"), ("u2", "lamp")), as_of=moments, model_version="m", expires=None
        )

    assert pairs(knowledge, 5) == [("u1", "lamp")]


def test_a_user_who_switches_inference_off_loses_what_was_inferred(knowledge: Database) -> None:
    with knowledge.writing() as session:
        add_behaviors(session, LOG)
    store(knowledge, imagined(("u1", "lamp"), ("u1", "tent"), ("u2", "lamp")))

    with knowledge.writing() as session:
        gone = set_inference(session, "u1", allowed=False)

    with knowledge.session() as session:
        contents = [
            row.content for row in session.exec(select(BehaviorSegmentRow)) if row.source == Source.DIFFUSION.value
        ]
        logged = behaviors_of(session)
    assert gone == 2
    assert pairs(knowledge) == [("u2", "lamp")]
    assert logged.equals(LOG)
    assert not any(b"tent" in content for content in contents)


def test_nothing_new_is_stored_of_a_user_who_switched_inference_off(knowledge: Database) -> None:
    with knowledge.writing() as session:
        set_inference(session, "u1", allowed=False)
        set_inference(session, "u1", allowed=False)

    stored = store(knowledge, imagined(("u1", "lamp"), ("u2", "lamp")))
    nothing = store(knowledge, imagined(("u1", "lamp")))

    with knowledge.session() as session:
        off = inference_is_off(session, ["u1", "u2", *(f"x{number}" for number in range(2000))])
    assert (stored, nothing, off) == (1, 0, {"u1"})
    assert pairs(knowledge) == [("u2", "lamp")]


def test_a_user_may_allow_it_again(knowledge: Database) -> None:
    with knowledge.writing() as session:
        set_inference(session, "u1", allowed=False)
        gone = set_inference(session, "u1", allowed=True)

    assert gone == 0
    assert store(knowledge, imagined(("u1", "lamp"))) == 1


def test_they_have_the_clock_of_the_log(knowledge: Database) -> None:
    with knowledge.writing() as session:
        add_behaviors(session, LOG, clock=Clock.ORDER)

    assert store(knowledge, imagined(("u1", "lamp"))) == 1
    with pytest.raises(OtherClock), knowledge.writing() as session:
        store_generated(session, imagined(("u1", "lamp")), as_of=1, model_version="m", expires=None, clock=Clock.TIME)


def asked_for_nothing(database: Database, *users: str, expires: int | None = None, as_of: int = 5) -> None:
    """Store that a model was asked about users of whom it imagined nothing."""
    with database.writing() as session:
        store_generated(session, imagined(), as_of=as_of, model_version="m", expires=expires, users=users)


def known_generations(database: Database, at: int | None = None) -> dict[str, Generation]:
    with database.session() as session:
        return generations(session, at=at)


def test_it_is_kept_that_a_model_was_asked_and_imagined_nothing(knowledge: Database) -> None:
    asked_for_nothing(knowledge, "u1", "u2")

    store(knowledge, imagined(("u1", "lamp")), as_of=7)

    assert known_generations(knowledge) == {"u1": Generation(1, 7, "m1", None), "u2": Generation(0, 5, "m", None)}
    assert pairs(knowledge) == [("u1", "lamp")]


def test_that_nothing_was_imagined_expires_and_has_its_moment(knowledge: Database) -> None:
    asked_for_nothing(knowledge, "u1", expires=100)
    asked_for_nothing(knowledge, "u2", as_of=60)

    assert set(known_generations(knowledge)) == {"u2"}
    assert set(known_generations(knowledge, at=50)) == {"u1"}
    assert set(known_generations(knowledge, at=100)) == {"u2"}


@pytest.mark.parametrize("how", ["forgotten", "deleted"])
def test_of_who_goes_it_is_not_even_kept_that_a_model_was_asked(knowledge: Database, how: str) -> None:
    asked_for_nothing(knowledge, "u1", "u2")

    with knowledge.writing() as session:
        if how == "forgotten":
            set_inference(session, "u1", allowed=False)
        else:
            delete_behaviors(session, user="u1")
    asked_for_nothing(knowledge, *(["u1"] if how == "forgotten" else []))

    assert set(known_generations(knowledge)) == {"u2"}


def test_deleting_what_was_logged_keeps_what_was_inferred(knowledge: Database) -> None:
    asked_for_nothing(knowledge, "u1")

    with knowledge.writing() as session:
        delete_behaviors(session, user="u1", source=Source.LOG)

    assert set(known_generations(knowledge)) == {"u1"}


def segments(database: Database) -> list[tuple[str | None, int]]:
    with database.session() as session:
        return [(row.model_version, row.rows) for row in session.exec(select(BehaviorSegmentRow))]


def test_many_small_additions_of_one_model_become_one(knowledge: Database) -> None:
    given = [(f"u{number:02}", item) for number in range(MANY) for item in ("tent", "lamp")]
    store(knowledge, imagined(("v", "mug")), version="another")

    for user in dict.fromkeys(user for user, _ in given):
        store(knowledge, imagined((user, "tent"), (user, "lamp")))

    with knowledge.session() as session:
        made = [(one.origin, one.rows) for one in imports(session)]
    assert sorted(segments(knowledge)) == [("another", 1), ("m1", 2 * MANY)]
    assert made == [("diffusion another", 1), ("diffusion m1", 2 * MANY)]
    assert pairs(knowledge) == [*given, ("v", "mug")]


def test_who_is_forgotten_is_gone_from_what_was_joined(knowledge: Database) -> None:
    for number in range(MANY):
        store(knowledge, imagined((f"u{number:02}", "lamp")))

    with knowledge.writing() as session:
        gone = set_inference(session, "u03", allowed=False)

    assert (gone, segments(knowledge)) == (1, [("m1", MANY - 1)])


def test_a_failure_halfway_keeps_what_the_user_had(knowledge: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store(knowledge, imagined(("u1", "lamp")))

    def broken(*_: object) -> list[Segment]:
        raise OSError("no space left")

    monkeypatch.setattr(generated_module, "packed", broken)
    with pytest.raises(OSError, match="no space"):
        store(knowledge, imagined(("u1", "tent")))

    assert pairs(knowledge) == [("u1", "lamp")]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"confidence": np.array([0.0], dtype=np.float32)}, "confidence"),
        ({"confidence": np.array([1.5], dtype=np.float32)}, "confidence"),
        ({"confidence": np.array([np.nan], dtype=np.float32)}, "confidence"),
        ({"slot": ("yesterday",)}, "yesterday"),
        ({"item": ("a", "b")}, "equally long"),
    ],
)
def test_what_is_no_imagined_behaviour_is_refused(change: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        replace(imagined(("u1", "lamp")), **change)  # type: ignore[arg-type]


@pytest.mark.sqlite
def test_a_switch_of_its_first_revision_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    create_at(path, "0011_inference_off")

    with open_database(url_of(path)) as opened, opened.session() as session:
        off = inference_is_off(session, ["u1", "u9"])

    assert off == {"u9"}


@pytest.mark.sqlite
def test_a_knowledge_base_from_before_the_switch_gets_one(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    create_at(path, "0010_item_vectors")

    with open_database(url_of(path)) as opened, opened.writing() as session:
        set_inference(session, "u1", allowed=False)

    with sqlite3.connect(path) as rows:
        assert rows.execute("SELECT user_id FROM inference_off").fetchall() == [("u1",)]
