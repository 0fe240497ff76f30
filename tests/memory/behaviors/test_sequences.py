"""Behaviours as arrays: whose are where, in which order, and what a cut leaves."""

import numpy as np
import polars as pl
import pytest

from memory.behaviors.schema import COLUMNS, Kind, Source
from memory.behaviors.sequences import Sequences

LOG = (
    ("u2", "kettle", 30, "buy"),
    ("u1", "mug", 20, "click"),
    ("u1", "kettle", 10, "view"),
    ("u2", "mug", 30, "click"),
    ("u2", "drill", 5, "cart"),
)


def frame(*rows: tuple[str, str, int, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [(user, item, time, kind, "log", None) for user, item, time, kind in rows], schema=COLUMNS, orient="row"
    )


def items_of(sequences: Sequences, user: str) -> list[str]:
    return [sequences.items[row] for row in sequences.of_user(user)]


def test_each_user_has_their_items_oldest_first() -> None:
    sequences = Sequences.of(frame(*LOG))

    assert sequences.users == ("u1", "u2")
    assert items_of(sequences, "u1") == ["kettle", "mug"]
    assert items_of(sequences, "u2") == ["drill", "kettle", "mug"]
    assert sequences.time.tolist() == [10, 20, 5, 30, 30]


def test_equal_times_keep_the_order_of_the_file() -> None:
    turned = Sequences.of(frame(*reversed(LOG)))

    assert items_of(turned, "u2") == ["drill", "mug", "kettle"]


def test_the_catalog_fixes_the_numbering_and_unseen_items_follow() -> None:
    sequences = Sequences.of(frame(*LOG), items=["mug", "lamp"])

    assert sequences.items == ("mug", "lamp", "drill", "kettle")
    assert items_of(sequences, "u1") == ["kettle", "mug"]


def test_a_catalog_that_names_an_item_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="'mug'"):
        Sequences.of(frame(*LOG), items=["mug", "mug"])


def test_kinds_and_sources_are_their_positions() -> None:
    sequences = Sequences.of(frame(*LOG))

    assert [list(Kind)[code] for code in sequences.kind] == ["view", "click", "cart", "buy", "click"]
    assert {list(Source)[code] for code in sequences.source} == {Source.LOG}


def test_the_arrays_have_the_types_that_are_promised() -> None:
    sequences = Sequences.of(frame(*LOG))

    types = [a.dtype for a in (sequences.offsets, sequences.item, sequences.time, sequences.kind, sequences.source)]
    assert types == [np.int64, np.int32, np.int64, np.int8, np.int8]


def test_what_happens_at_a_time_is_not_before_it() -> None:
    earlier = Sequences.of(frame(*LOG)).before(30)

    assert earlier.users == ("u1", "u2")
    assert items_of(earlier, "u2") == ["drill"]
    assert earlier.offsets.tolist() == [0, 2, 3]


def test_leaving_out_the_last_leaves_users_with_little_nothing() -> None:
    shorter = Sequences.of(frame(*LOG)).without_last(2)

    assert items_of(shorter, "u1") == []
    assert items_of(shorter, "u2") == ["drill"]
    assert shorter.lengths.tolist() == [0, 1]


def test_an_unknown_user_has_done_nothing() -> None:
    assert Sequences.of(frame(*LOG)).of_user("nobody").tolist() == []


def test_no_behaviours_are_no_sequences() -> None:
    empty = Sequences.of(frame(), items=["mug"])

    assert (empty.users, empty.items, empty.offsets.tolist()) == ((), ("mug",), [0])
    assert empty.before(10).offsets.tolist() == [0]
    assert empty.without_last(1).item.dtype == np.int32


def test_without_repeats_each_users_first_behaviour_with_an_item_is_left() -> None:
    log = (*LOG, ("u1", "kettle", 40, "buy"), ("u1", "drill", 50, "buy"), ("u2", "drill", 60, "buy"))

    first = Sequences.of(frame(*log)).without_repeats()

    assert items_of(first, "u1") == ["kettle", "mug", "drill"]
    assert items_of(first, "u2") == ["drill", "kettle", "mug"]
    assert first.time.tolist() == [10, 20, 50, 5, 30, 30]
    assert [list(Kind)[code] for code in first.kind][:3] == ["view", "click", "buy"]
    assert first.without_repeats().item.tolist() == first.item.tolist()


def test_of_nothing_there_are_no_repeats() -> None:
    assert Sequences.of(frame()).without_repeats().offsets.tolist() == [0]


def test_some_behaviours_can_be_taken_out_of_the_middle() -> None:
    left = Sequences.of(frame(*LOG)).without(np.array([0, 3]))

    assert left.users == ("u1", "u2")
    assert items_of(left, "u1") == ["mug"]
    assert items_of(left, "u2") == ["drill", "mug"]
