"""Nothing leaks: neither labels, nor what happened later, nor the log into what is known of the items."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from numpy.typing import NDArray

from commands.ranker_evaluation import answered, exam_of
from commands.vector_alignment import aligned_set
from learning.material import TITLE, Material
from memory.behaviors.schema import COLUMNS
from memory.behaviors.sequences import Sequences
from memory.behaviors.store import add_behaviors
from memory.database import Database, open_database
from memory.item_vectors.building import build_vectors
from memory.item_vectors.knowledge_table import KnowledgeTable
from memory.versions import version_for
from ranker import click_fitting
from ranker.click_fitting import Parts, groups_of, parts_of, train_ranker, views
from ranker.config import ClickThroughConfig, NextItemConfig, RankerConfig
from ranker.next_item_folder import fit_next_item, load_next_item, save_next_item
from tests.memory.counting_encoder import CountingEncoder
from tests.memory.item_vectors.item_samples import keep, red_drill, stored_at
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched
from tests.ranker.shop import ITEMS, brands, sequences, two_tastes, vectors

torch.set_num_threads(1)
CLICKS = ClickThroughConfig(epochs=4, batch_size=32, learning_rate=5e-3, negatives="uniform")
NEXT_ITEM = NextItemConfig(candidates=20, folds=2, epochs=1)
MOMENT = 1_000
HISTORY = np.array([0, 2, 4], dtype=np.int32)
Interval = tuple[float, float]


def shop(log: Sequences) -> Material:
    return Material(log, brands(), {TITLE: vectors().numpy()})


def parts_for(material: Material) -> Parts:
    seen = material.behaviors.without_last(3)
    return parts_of(material, views(material, seen, groups_of(material)), seen, CLICKS)


def area(material: Material) -> Interval:
    """Return the 99 % interval of the mean over users of the AUC on their last behaviour, after training."""
    parts = parts_for(material)
    chances = click_fitting.tested_probabilities(train_ranker(material, parts, CLICKS), parts)
    below = (chances[:, :1] > chances[:, 1:]).mean(axis=1) + 0.5 * (chances[:, :1] == chances[:, 1:]).mean(axis=1)
    margin = 2.576 * float(below.std(ddof=1)) / len(below) ** 0.5
    return float(below.mean()) - margin, float(below.mean()) + margin


def drawn_at_random(users: int, length: int = 7) -> Sequences:
    """Return a log without taste: any item follows any other."""
    chance = np.random.default_rng(8)
    return sequences(*(chance.permutation(ITEMS)[:length].tolist() for _ in range(users)))


def another_last_item(log: Sequences) -> Sequences:
    """Return the log with another last behaviour for everybody: one that the user never had."""
    rows = [log.item[start:end].tolist() for start, end in zip(log.offsets[:-1], log.offsets[1:], strict=True)]
    return sequences(*([*row[:-1], next(item for item in range(ITEMS) if item not in row)] for row in rows))


def frame(log: Sequences, times: NDArray[np.int64]) -> pl.DataFrame:
    """Return a log as a frame, with times of its own."""
    users = np.repeat(np.array(log.users), log.lengths)
    rows = zip(users.tolist(), log.item.tolist(), times.tolist(), strict=True)
    return pl.DataFrame(
        [(user, f"i{item}", time, "click", "log", None) for user, item, time in rows], schema=COLUMNS, orient="row"
    )


def before_the_moment(log: Sequences) -> pl.DataFrame:
    return frame(log, MOMENT - len(log.item) + np.arange(len(log.item)))


def with_a_future(log: Sequences) -> Sequences:
    """Return a log whose users all turn to the other brand at `MOMENT` and later; its own behaviours are before it."""
    turned = sequences(*([int(9 - item % 2 + 10 * place) for place, item in enumerate(own[:3])] for own in rows(log)))
    later = frame(turned, MOMENT + np.arange(len(turned.item)) // 2)
    return Sequences.of(pl.concat([before_the_moment(log), later]), log.items)


def rows(log: Sequences) -> list[list[int]]:
    return [log.item[start:end].tolist() for start, end in zip(log.offsets[:-1], log.offsets[1:], strict=True)]


def test_with_labels_at_random_the_area_is_a_half_and_with_tastes_it_is_not() -> None:
    random, real = area(shop(drawn_at_random(500))), area(shop(two_tastes(200)))

    assert random[0] < 0.5 < random[1]
    assert random[1] - random[0] < 0.1
    assert real[0] > 0.6


def test_what_is_asked_last_changes_neither_what_is_learned_nor_what_is_counted() -> None:
    log = two_tastes()
    asked, other = shop(log), shop(another_last_item(log))

    one, two = parts_for(asked), parts_for(other)
    models = [train_ranker(material, parts, CLICKS) for material, parts in ((asked, one), (other, two))]

    for part in ("train", "select"):
        first, second = getattr(one, part), getattr(two, part)
        assert np.array_equal(first.behind.candidates, second.behind.candidates)
        assert np.array_equal(first.features, second.features)
    assert np.array_equal(one.test.behind.history, two.test.behind.history)
    assert not np.array_equal(one.test.behind.candidates[:, 0], two.test.behind.candidates[:, 0])
    weights = [model.state_dict() for model in models]
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())


@pytest.mark.parametrize("refit", [False, True])
def test_what_is_asked_last_changes_no_score_of_the_next_item(refit: bool) -> None:
    log, config = two_tastes(), RankerConfig(refit=refit)
    exams = [exam_of(shop(own), config) for own in (log, another_last_item(log))]

    one, other = [fit_next_item(exam.material, NEXT_ITEM).score(exam.questions.histories) for exam in exams]

    assert np.array_equal(one, other)
    assert not np.array_equal(exams[0].questions.true, exams[1].questions.true)
    first, second = [answered(exam, lambda histories: one) for exam in exams]
    assert not np.array_equal(first, second)  # the true items stand elsewhere in equal scores


def test_behaviours_of_the_future_change_no_score_of_the_next_item(tmp_path: Path) -> None:
    log = two_tastes()
    planted = with_a_future(log)
    past, cut = shop(Sequences.of(before_the_moment(log), log.items)), shop(planted.before(MOMENT))
    save_next_item(tmp_path, fit_next_item(past, NEXT_ITEM), {})

    fitted, loaded = fit_next_item(cut, NEXT_ITEM), load_next_item(tmp_path, cut)

    expected = load_next_item(tmp_path, past).score([HISTORY])
    assert np.array_equal(fitted.score([HISTORY]), expected)
    assert np.array_equal(loaded.score([HISTORY]), expected)
    assert not np.array_equal(load_next_item(tmp_path, shop(planted)).score([HISTORY]), expected)  # they would matter


def test_a_history_ends_strictly_before_the_moment_that_is_asked() -> None:
    material = shop(with_a_future(two_tastes()))

    questions = material.last_questions()

    own = material.behaviors
    for place, history in enumerate(questions.histories):
        user = questions.user[place]
        span = slice(own.offsets[user], own.offsets[user + 1])
        time = own.time[span][own.item[span] == questions.true[place]].max()
        assert history.tolist() == own.item[span][own.time[span] < time].tolist()
    assert len(questions.true) == 120


@pytest.fixture
def database() -> Iterator[Database]:
    """Twelve drills, stored before the moments that the tests ask about."""
    with open_database("sqlite://") as opened:
        with opened.writing() as session:
            assert version_for(session, PROVENANCE) == 1
            keep(session, *red_drill("i0"))
            for number in range(1, 12):
                other = drill(f"i{number}", f"Drill {chr(97 + number) * 3}")
                keep(session, other, enriched(other, []))
            for number in range(12):
                stored_at(session, f"i{number}", datetime(2020, 1, 1, tzinfo=UTC))
        yield opened


def shoppers(step: int, users: str, since: int) -> pl.DataFrame:
    """Return a log in which who has an item has the `step`-th one after it next."""
    log = sequences(*([item, (item + step) % 12, (item + 2 * step) % 12] for item in range(12)), items=12)
    named = replace(log, users=tuple(f"{users}{number}" for number in range(12)))
    return frame(named, since + np.arange(len(log.item)))


def test_vectors_and_knowledge_are_the_same_whatever_log_is_imported(database: Database) -> None:
    known = []
    for step in (0, 1, 5):
        if step:
            with database.writing() as session:
                add_behaviors(session, shoppers(step, f"test user {step}-", 1_000))
        vectors = build_vectors(database, CountingEncoder())
        with database.session() as session:
            table = KnowledgeTable.of(session)
        known.append((vectors.ids, vectors.vectors.tobytes(), table.features, table.feature.tolist(), table.titles))

    assert known[0] == known[1] == known[2]


def test_aligned_vectors_use_the_pairs_before_the_moment_alone(database: Database) -> None:
    moment = int(datetime(2021, 1, 1, tzinfo=UTC).timestamp() * 1000)
    build_vectors(database, CountingEncoder(), as_of=moment)
    with database.writing() as session:
        add_behaviors(session, shoppers(1, "early", moment - 1_000))

    before, told = aligned_set(database, "items", moment, epochs=2, seed=0)
    with database.writing() as session:
        add_behaviors(session, shoppers(5, "late", moment))
    after, told_after = aligned_set(database, "items", moment, epochs=2, seed=0)
    later, told_later = aligned_set(database, "items", moment + 1_000, epochs=2, seed=0)

    assert np.array_equal(before.vectors, after.vectors)
    assert (told.pairs, after.encoder) == (told_after.pairs, before.encoder)
    assert told_later.pairs > told.pairs
    assert not np.array_equal(later.vectors, before.vectors)
