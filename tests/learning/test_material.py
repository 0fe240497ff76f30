"""What a ranker may read: arms, what is left without an attribute, and the moments that are asked about."""

import numpy as np
import pytest

from learning.material import TITLE, Arm, Material, rows_of
from memory.behaviors.sequences import Sequences
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
