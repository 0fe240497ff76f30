"""`reaseq diffusion show | forget | allow` and `reaseq ranker … --imagined`, on behaviours as if imagined."""

import csv
import json
import re
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from memory.behaviors.generated import GeneratedBehaviors, generated_of, store_generated
from memory.behaviors.sequences import Sequences
from memory.behaviors.store import behaviors_of
from memory.database import open_existing_database
from memory.items import save_item
from memory.schema import CatalogItem
from tests.commands.command_line import Ran, reaseq

KB = ("--kb", "sqlite:///shop.db")
EVIL = "kettle \x1b[31mred\x1b[0m <script>alert(1)</script> & \N{RIGHT-TO-LEFT OVERRIDE}x"
DAY = 86_400_000


def first_user() -> str:
    with Path("log.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.DictReader(file))["user"]


def one_user(user: str, items: tuple[str, ...], near: str, moment: int) -> GeneratedBehaviors:
    """Return behaviours imagined of a user: the first in a gap, the others next."""
    count = len(items)
    sure = np.linspace(0.9, 0.3, count).astype(np.float32)
    return GeneratedBehaviors(
        user=(user,) * count,
        item=items,
        time=moment + np.arange(count, dtype=np.int64) * DAY,
        slot=("gap", *("future",) * (count - 1)),
        position=np.arange(1, count + 1, dtype=np.int32),
        log_p=-sure,
        agreement=sure,
        confidence=sure,
        near_item=(near, *("",) * (count - 1)),
        near_cosine=np.array([0.7, *[np.nan] * (count - 1)], dtype=np.float32),
        demand=("boiling water quickly", *("",) * (count - 1)),
        demand_cosine=np.array([0.6, *[np.nan] * (count - 1)], dtype=np.float32),
    )


def imagined_of(user: str, kb: str) -> None:
    """Store some behaviours as if they had been imagined of a user."""
    with open_existing_database(kb) as database, database.writing() as session:
        found = one_user(user, ("S00", "S05"), "S01", 5)
        store_generated(session, found, as_of=5, model_version="m", expires=None)


@pytest.fixture
def told(shop: str) -> str:
    """Store what was imagined of the first user of the log; return the user."""
    user = first_user()
    with open_existing_database(shop) as database:
        with database.session() as session:
            log = Sequences.of(behaviors_of(session, users=[user]))
        near, last = log.items[int(log.item[-1])], int(log.time[-1])
        with database.writing() as session:
            save_item(session, CatalogItem(id="EVIL", title=EVIL, description="", fields=()))
            found = one_user(user, ("S00", "EVIL", "S05"), near, last - DAY)
            store_generated(session, found, as_of=last + 1, model_version="m1", expires=None)
    return user


def shown(*arguments: object) -> Ran:
    return reaseq("diffusion", "show", *arguments, *KB)


def test_each_imagined_behaviour_is_shown_with_its_reasons(told: str) -> None:
    ran = shown(told, "--last", 3)

    assert ran.code == 0, ran.all
    assert "boiling water quickly" in ran.output
    assert len(re.findall("●", ran.output)) == 3
    assert len(re.findall("◇ future", ran.output)) == 2
    assert len(re.findall("◇ gap", ran.output)) == 1


def test_as_data_nothing_is_lost(told: str) -> None:
    document = shown(told, "--json").document

    first = next(one for one in document["imagined"] if one["slot"] == "gap")
    assert (document["user"], document["model_version"], document["expires"]) == (told, "m1", None)
    assert (first["item"], first["demand"], round(first["near_cosine"], 2)) == ("S00", "boiling water quickly", 0.7)
    assert {one["near_cosine"] for one in document["imagined"] if one["slot"] == "future"} == {None}
    assert [one["time"] for one in document["imagined"]] == sorted(one["time"] for one in document["imagined"])


def test_titles_cannot_steer_the_terminal_or_the_pictures(told: str) -> None:
    ran = shown(told, "--svg", "line.svg", "--html", "page.html")

    assert ran.code == 0, ran.all
    page, picture = (Path(name).read_text(encoding="utf-8") for name in ("page.html", "line.svg"))
    for text in (ran.output, page, picture):
        assert "\x1b[31m" not in text
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in text
    assert "<script" not in page + picture
    assert "&lt;script&gt;" in page
    assert "EVIL" in picture


def test_the_picture_is_a_drawing_with_a_row_for_each_behaviour(told: str) -> None:
    shown(told, "--last", 4, "--svg", "line.svg")

    root = ET.parse("line.svg").getroot()
    space = {"s": "http://www.w3.org/2000/svg"}
    kinds = [dot.get("class", "") for dot in root.findall(".//s:circle", space)]
    assert root.tag.endswith("svg")
    assert len(kinds) == 7
    assert sum("gap" in kind for kind in kinds) == 1
    assert len(root.findall("s:path", space)) == 1  # to the nearest of the history


def test_who_forgets_loses_what_was_inferred_and_who_allows_may_be_imagined_again(told: str) -> None:
    forgotten = reaseq("diffusion", "forget", told, *KB)
    again = shown(told)
    twice = reaseq("diffusion", "forget", told, *KB, "--json").document
    allowed = reaseq("diffusion", "allow", told, *KB, "--json").document
    after = shown(told)

    assert "3 imagined behaviours are deleted" in forgotten.errors
    assert (again.code, "switched inference off" in again.errors) == (1, True)
    assert (twice["allowed"], twice["deleted"], allowed["allowed"]) == (False, 0, True)
    assert "reaseq diffusion generate" in after.errors
    with open_existing_database("sqlite:///shop.db") as database, database.session() as session:
        assert len(generated_of(session)) == 0
        assert len(behaviors_of(session, users=[told]))


def test_what_has_expired_is_not_shown(shop: str) -> None:
    user = first_user()
    with open_existing_database(shop) as database, database.writing() as session:
        old = one_user(user, ("S00", "S05"), "S01", 5)
        store_generated(session, old, as_of=5, model_version="m", expires=time.time_ns() // 1_000_000 - 1)

    ran = shown(user)

    assert ran.code == 1
    assert "has not expired" in ran.errors


@pytest.fixture
def prophecy(shop: str) -> str:
    """Store the last three behaviours of everybody as if they had been imagined before them."""
    with open_existing_database(shop) as database:
        with database.session() as session:
            log = Sequences.of(behaviors_of(session)).without_repeats()
        some = np.flatnonzero(log.lengths > 3)
        place = (log.offsets[some + 1, None] - np.array([3, 2, 1])).ravel()
        user = tuple(log.users[row] for row in np.repeat(some, 3))
        one = one_user("", ("",) * len(user), "", 0)
        found = GeneratedBehaviors(
            **(vars(one) | {"user": user, "item": tuple(log.items[row] for row in log.item[place])})
        )
        as_of = {log.users[row]: int(log.time[log.offsets[row + 1] - 3]) for row in some}
        with database.writing() as session:
            store_generated(session, found, as_of=as_of, model_version="m", expires=None)
    return shop


def test_a_ranker_is_judged_with_and_without_what_was_imagined(prophecy: str) -> None:
    ran = reaseq("ranker", "evaluate", "--imagined", "--config", "small.toml", *KB, "--json", "--html", "page.html")

    assert ran.code == 0, ran.all
    areas = {own["label"]: own["metrics"]["AUC"]["mean"] for own in ran.document["systems"]}
    assert list(areas) == ["without imagined", "with imagined", "placebo: another user's", "random items"]
    assert {(one["before"], one["after"]) for one in ran.document["differences"]} >= {
        ("without imagined", "with imagined"),
        ("without imagined", "placebo: another user's"),
    }
    assert Path("page.html").stat().st_size > 1000


def test_without_anything_imagined_that_comparison_says_where_it_comes_from(shop: str) -> None:
    ran = reaseq("ranker", "evaluate", "--imagined", "--config", "small.toml", *KB)

    assert ran.code == 1
    assert "reaseq diffusion generate --held-out 3" in ran.errors


def test_a_ranker_learns_from_stored_behaviours_and_reads_them_when_it_ranks(prophecy: str) -> None:
    config = Path("long.toml")
    config.write_text("[next_item]\ncandidates = 10\nepochs = 1\n[click_through]\nepochs = 3\n", encoding="utf-8")
    trained = reaseq("ranker", "train", "--config", config, "--hold-out", "0", *KB)
    user = first_user()
    asked = ("ranker", "rank", "--user", user, "--candidates", "S00,S01,S02,S03,S04,S05", *KB, "--json")

    told = reaseq(*asked).document
    reaseq("diffusion", "forget", user, *KB)
    without = reaseq(*asked).document

    assert trained.code == 0, trained.all
    shape = json.loads(Path("ranker-model", "click-through", "config.json").read_bytes())["shape"]
    assert shape["imagined"] > 0
    assert [one["score"] for one in told] != [one["score"] for one in without]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--slots", "tomorrow"], "future, gaps"),
        (["--slots", ","], "future, gaps"),
        (["--held-out", "3", "--as-of", "2026-01-01"], "--as-of"),
        (["--chains", "0"], "--chains"),
    ],
)
def test_what_cannot_be_imagined_is_refused_before_anything_is_read(options: list[str], problem: str) -> None:
    ran = reaseq("diffusion", "generate", *options)

    assert ran.code == 2
    assert problem in ran.errors
