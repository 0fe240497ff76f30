"""Splits by time, by user and by event: what is known for a behaviour happened strictly before it."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.behaviors.schema import COLUMNS, Kind
from memory.behaviors.sequences import Sequences
from memory.behaviors.splits import Split, leave_last_out, per_event, temporal_split

TIMES = st.integers(0, 12)  # few, so that many are equal
ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), TIMES, st.sampled_from([kind.value for kind in Kind])),
    max_size=40,
)
Row = tuple[str, str, int, str]


def frame(rows: list[Row]) -> pl.DataFrame:
    """A log whose sessions number its rows, so that each can be told from all others."""
    behaviors = [(u, i, time, kind, "log", str(number)) for number, (u, i, time, kind) in enumerate(rows)]
    return pl.DataFrame(behaviors, schema=COLUMNS, orient="row")


def numbers(*parts: pl.DataFrame) -> list[str]:
    return sorted(number for part in parts for number in part["session"])


def last_time(part: pl.DataFrame, user: str) -> int:
    return max(part.filter(pl.col("user") == user)["time"].to_list(), default=-1)


def times(part: pl.DataFrame, user: str) -> list[int]:
    return part.filter(pl.col("user") == user)["time"].to_list()


def strictly_ordered(split: Split) -> bool:
    return all(
        last_time(earlier, user) < time
        for user in "abc"
        for earlier, later in ((split.train, split.valid), (split.train, split.test), (split.valid, split.test))
        for time in times(later, user)
    )


@given(ROWS, TIMES, TIMES)
def test_a_temporal_split_parts_all_behaviours_by_time(rows: list[Row], one: int, other: int) -> None:
    log = frame(rows)
    valid_from, test_from = sorted((one, other))

    split = temporal_split(log, valid_from, test_from)

    assert numbers(split.train, split.valid, split.test) == numbers(log)
    assert all(time < valid_from for time in split.train["time"])
    assert all(valid_from <= time < test_from for time in split.valid["time"])
    assert all(time >= test_from for time in split.test["time"])


def test_a_validation_that_would_begin_after_the_test_is_refused() -> None:
    with pytest.raises(ValueError, match="after the test"):
        temporal_split(frame([]), 2, 1)


@given(ROWS, st.integers(1, 3))
def test_no_input_of_a_held_out_behaviour_is_at_its_time_or_after(rows: list[Row], held_out: int) -> None:
    log = frame(rows)

    split = leave_last_out(log, held_out)

    assert strictly_ordered(split)
    assert len(split.train) + len(split.valid) + len(split.test) + split.tied == len(log)
    assert set(numbers(split.train, split.valid, split.test)) <= set(numbers(log))
    assert split.train.schema == COLUMNS


@given(ROWS, st.integers(1, 3))
def test_a_user_is_held_out_where_enough_happened_before(rows: list[Row], held_out: int) -> None:
    log = frame(rows)

    split = leave_last_out(log, held_out)

    for user in set(log["user"]):
        enough = len(set(times(log, user))) > held_out
        assert len(times(split.test, user)) == enough
        assert len(times(split.valid, user)) == (held_out - 1) * enough
        assert times(split.train, user)
        if not enough:
            assert len(times(split.train, user)) == len(times(log, user))


def test_the_last_of_the_file_is_held_out_of_equal_times() -> None:
    split = leave_last_out(frame([("a", "x", 1, "view"), ("a", "y", 2, "view"), ("a", "z", 2, "buy")]), 1)

    assert (split.test["item"].to_list(), split.train["item"].to_list(), split.tied) == (["z"], ["x"], 1)


@given(ROWS, TIMES, TIMES)
def test_what_is_known_for_an_event_is_all_that_was_strictly_before_it(rows: list[Row], one: int, other: int) -> None:
    sequences = Sequences.of(frame(rows))
    from_time, to_time = sorted((one, other))

    events = per_event(sequences, from_time=from_time, to_time=to_time, kinds=(Kind.BUY, Kind.CART))

    wanted = [row for row in rows if from_time <= row[2] < to_time and row[3] in ("buy", "cart")]
    assert len(events.position) == len(wanted)
    for position, user, start, end in zip(events.position, events.user, events.start, events.end, strict=True):
        time, name = sequences.time[position], sequences.users[user]
        known = sorted(sequences.time[start:end].tolist())
        assert known == sorted(row[2] for row in rows if row[0] == name and row[2] < time)
        assert sequences.offsets[user] <= position < sequences.offsets[user + 1]


@given(ROWS, TIMES)
def test_a_cut_of_the_sequences_is_the_sequences_of_the_cut(rows: list[Row], as_of: int) -> None:
    log = frame(rows)
    items = sorted(set(log["item"]))

    cut = Sequences.of(log, items).before(as_of)

    direct = Sequences.of(log.filter(pl.col("time") < as_of), items)
    for user in cut.users:
        assert cut.of_user(user).tolist() == direct.of_user(user).tolist()
    assert np.all(cut.time < as_of)
