"""What a ranker may read: arms, what is left without an attribute, and the moments that are asked about."""

import numpy as np
import pytest

from learning.material import TITLE, Arm, Imagined, Material, rows_of
from memory.behaviors.sequences import Sequences
from tests.memory.behaviors.test_generated import imagined
from tests.ranker.shop import brands, sequences, two_tastes, vectors


def shop(log: Sequences | None = None) -> Material:
    one = vectors().numpy()
    return Material(log or two_tastes(), brands(), {TITLE: one, "knowledge": -one})


def test_each_arm_has_what_the_one_before_has() -> None:
    log, title, knowledge = (shop().of_arm(arm) for arm in Arm)

    assert (set(log.titles), log.knowledge, set(log.vectors)) == ({""}, None, set())
    assert (title.titles[1], title.knowledge, set(title.vectors)) == ("item 1", None, {TITLE})
    assert (knowledge.titles[1], set(knowledge.vectors)) == ("item 1", {TITLE, "knowledge"})
    assert knowledge.knowledge is knowledge.known


def test_without_an_attribute_no_vectors_tell_it() -> None:
    poorer = shop().without("brand")

    assert poorer.known.groups() == ()
    assert set(poorer.vectors) == {TITLE}


def test_a_moment_is_asked_about_when_something_happened_strictly_before() -> None:
    log = sequences([0, 1], [2], [3, 4, 5])
    log.time[:] = [1, 1, 5, 6, 7, 7]  # the first user did both at once

    questions = shop(log).last_questions()

    assert questions.user.tolist() == [2]
    assert questions.true.tolist() == [5]
    assert [own.tolist() for own in questions.histories] == [[3]]


def test_rows_are_those_of_the_log() -> None:
    log = two_tastes()

    assert rows_of(log, ["i3", "i0"]).tolist() == [3, 0]
    assert rows_of(log, []).dtype == np.int32
    with pytest.raises(KeyError):
        rows_of(log, ["i99"])


def test_what_was_imagined_stands_in_the_rows_of_users_and_items_the_surest_first() -> None:
    log = sequences([0, 1], [2], [3])
    stored = imagined(("u2", "i5"), ("u2", "i6"), ("u2", "gone"), ("u0", "i7"), ("stranger", "i8"))

    found = Imagined.of(stored, {"u2": 9, "u0": 4, "stranger": 1}, log)

    assert found is not None
    assert found.items.tolist() == [[7, -1], [-1, -1], [6, 5]]
    assert np.allclose(found.confidence, np.array([[4 / 6, 0], [0, 0], [2 / 6, 1 / 6]]))
    assert [len(found.of_user(row)[0]) for row in (0, 1, 2, None)] == [1, 0, 2, 0]
    assert Imagined.of(stored, {"u2": 9, "u0": 4, "stranger": 1}, sequences([0], items=3)) is None


def test_what_knew_of_a_label_is_not_shown_with_it() -> None:
    told = Imagined(np.array([[7, 8]], np.int32), np.array([[0.9, 0.5]], np.float32), np.array([10]))

    items, confidence = told.before(np.array([0, 0, 0]), np.array([9, 10, 11]))

    assert items.tolist() == [[-1, -1], [7, 8], [7, 8]]
    assert (confidence > 0).tolist() == [[False, False], [True, True], [True, True]]
