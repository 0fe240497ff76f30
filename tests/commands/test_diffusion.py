"""`reaseq diffusion`: trained on a small log, judged, and imagining behaviours that are stored, resumed and shown."""

import json
import os
import re
import shutil
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from commands import diffusion_generation
from diffusion.folder import load_diffusion
from diffusion.imagination import Imagination
from learning.material import Material
from learning.weights import CONFIG, METRICS, WEIGHTS
from memory.behaviors.generated import GeneratedBehaviors, generated_of, generations
from memory.behaviors.sequences import Sequences
from memory.behaviors.store import behaviors_of
from memory.database import open_existing_database
from tests.commands.command_line import Ran, reaseq, reaseq_process
from tests.commands.test_imagined import first_user

KB = ("--kb", "sqlite:///shop.db")
SMALL = "epochs = 2\nwidth = 16\nlayers = 1\nbatch_size = 32\nnegatives = 0\ndropout = 0.0\n"


@pytest.fixture(scope="module")
def trained_folder(stocked_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder of the shop; not to be written to."""
    folder, work = tmp_path_factory.mktemp("trained") / "model", tmp_path_factory.mktemp("work")
    shutil.copy(stocked_shop / "shop.db", work)
    (work / "diffusion.toml").write_text(SMALL, encoding="utf-8")

    settings = ("--config", work / "diffusion.toml", "--kb", f"sqlite:///{work}/shop.db")
    ran = reaseq("diffusion", "train", *settings, "--held-out", 3, "--out", folder)

    assert ran.code == 0, ran.all
    assert "epoch 2" in ran.errors
    return folder


@pytest.fixture
def trained(shop: str, trained_folder: Path, folder: Path) -> str:
    """The shop with a model in diffusion-model."""
    shutil.copytree(trained_folder, folder / "diffusion-model")
    (folder / "diffusion.toml").write_text(SMALL, encoding="utf-8")
    return shop


def generate(*options: object) -> Ran:
    return reaseq("diffusion", "generate", *options, *KB)


def of_some_users_nothing() -> dict[str, Any]:
    """Imagine one behaviour of each user, and again with as much demand for it as half of these have."""
    generate("--count", 1, "--chains", 1)
    with open_existing_database("sqlite:///shop.db") as database, database.session() as session:
        half = float(np.nanmedian(generated_of(session).demand_cosine))
    again = generate("--count", 1, "--chains", 1, "--least-demand", half + 1e-3, "--again", "--json").document
    return dict(again)


def stored() -> dict[str, set[str]]:
    """Return the imagined items of each user."""
    with open_existing_database("sqlite:///shop.db") as database, database.session() as session:
        found = generated_of(session)
    return {
        user: {item for own, item in zip(found.user, found.item, strict=True) if own == user} for user in found.user
    }


def log() -> Sequences:
    with open_existing_database("sqlite:///shop.db") as database, database.session() as session:
        return Sequences.of(behaviors_of(session))


def test_training_writes_a_model_that_equal_seeds_make_again(trained: str, trained_folder: Path) -> None:
    settings = ("--config", "diffusion.toml", "--held-out", 3, *KB)
    ran = reaseq("diffusion", "train", *settings, "--out", "again", "--json")
    other = reaseq("diffusion", "train", *settings, "--seed", "7", "--out", "other")

    assert (ran.code, other.code) == (0, 0), ran.all + other.all
    assert ran.document["metrics"]["selection NDCG@10"] > 0
    assert {path.name for path in Path("again").iterdir()} >= {WEIGHTS, CONFIG, METRICS}
    weights = [(folder / WEIGHTS).read_bytes() for folder in (trained_folder, Path("again"), Path("other"))]
    assert weights[0] == weights[1] != weights[2]


def test_what_is_imagined_is_new_to_each_user_and_has_reasons(trained: str) -> None:
    ran = generate("--json")

    assert ran.code == 0, ran.all
    known, found = log(), stored()
    assert ran.document["users"] == len([user for user in known.users if len(known.of_user(user))])
    assert ran.document["behaviors"] == sum(len(own) for own in found.values()) > 0
    for user, items in found.items():
        assert not items & {known.items[row] for row in known.of_user(user)}
        assert len(items) <= 8
    user = next(iter(found))
    document = reaseq("diffusion", "show", user, *KB, "--json").document
    assert all(0 < one["confidence"] <= 1 for one in document["imagined"])
    assert any(one["near_item"] for one in document["imagined"])
    assert any(one["demand"] for one in document["imagined"])
    assert document["model_version"] == ran.document["model_version"]


def test_users_who_were_asked_about_are_not_asked_again_unless_that_is_wanted(trained: str) -> None:
    first = of_some_users_nothing()
    done = stored()

    second = generate("--json").document
    again = generate("--users", next(iter(done)), "--again", "--json").document

    assert first["before"] == 0
    assert 0 < len(done) < first["users"]
    assert (second["users"], second["before"]) == (0, first["users"])
    assert stored().keys() >= done.keys()
    assert (again["users"], again["before"]) == (1, 0)


def test_of_whom_nothing_was_imagined_that_is_said(trained: str) -> None:
    asked = of_some_users_nothing()

    nobody = next(user for user in log().users if user not in stored())
    ran = reaseq("diffusion", "show", nobody, *KB)

    assert ran.code == 1
    assert f"{asked['model_version']} was asked about user {nobody!r}" in ran.errors


def test_a_finished_training_that_is_asked_for_again_says_the_same(trained: str) -> None:
    settings = ("--config", "diffusion.toml", "--held-out", 3, *KB, "--out", "diffusion-model", "--json")
    before = json.loads(Path("diffusion-model", METRICS).read_bytes())

    ran = reaseq("diffusion", "train", *settings)

    assert "epoch" not in ran.errors
    assert ran.document["metrics"] == before == json.loads(Path("diffusion-model", METRICS).read_bytes())
    assert before["selection NDCG@10"] > 0


def test_what_is_held_out_says_nothing_of_what_keeps_company(trained: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def watched(folder: Path, material: Material) -> Imagination:
        read.append(len(material.behaviors.item))
        return load_diffusion(folder, material)

    monkeypatch.setattr(diffusion_generation, "load_diffusion", watched)
    ran = generate("--held-out", "3")

    assert ran.code == 0, ran.all
    assert read == [len(log().without_repeats().without_last(3).item)]


@pytest.mark.parametrize("given", [("--held-out", 4), ("--as-of", "2020-01-01")])
def test_a_model_that_has_seen_what_is_to_come_is_not_asked(trained: str, given: tuple[object, ...]) -> None:
    ran = generate(*given)

    assert (ran.code, stored()) == (1, {})
    assert "reaseq diffusion train" in ran.errors


def test_a_model_from_before_a_moment_may_be_asked_what_was_imagined_then(trained: str) -> None:
    moment = datetime.fromtimestamp(float(np.median(log().time)) / 1000, UTC).strftime("%Y-%m-%d")
    reaseq("diffusion", "train", "--config", "diffusion.toml", "--as-of", moment, "--out", "earlier", *KB)

    ran = generate("--as-of", moment, "--diffusion", "earlier", "--json")

    assert ran.code == 0, ran.all
    assert ran.document["behaviors"] > 0


@pytest.mark.parametrize(
    ("content", "problem"), [(b"\xff\xfe\x00bad", "holds no ids"), (b"", "no user that is asked for")]
)
def test_a_file_without_ids_is_refused(trained: str, content: bytes, problem: str) -> None:
    Path("users.txt").write_bytes(content)

    ran = generate("--users", "users.txt")

    assert (ran.code, problem in ran.errors) == (1, True), ran.all


def test_more_users_may_be_typed_than_a_file_name_has_letters(trained: str) -> None:
    ran = generate("--users", ",".join([first_user(), *(f"stranger{number}" for number in range(100))]), "--json")

    assert (ran.code, ran.document["users"]) == (0, 1), ran.all


def test_another_model_imagines_anew(trained: str) -> None:
    generate("--users", first_user())
    reaseq("diffusion", "train", "--config", "diffusion.toml", "--seed", "7", "--out", "other", *KB)

    ran = generate("--users", first_user(), "--diffusion", "other", "--json")

    assert (ran.document["users"], ran.document["before"]) == (1, 0)


def test_of_who_switched_inference_off_nothing_is_imagined(trained: str) -> None:
    user = first_user()
    reaseq("diffusion", "forget", user, *KB)

    ran = generate("--json")

    assert ran.document["off"] == 1
    assert user not in stored()


def test_what_is_held_out_is_not_read_and_counts_as_known_from_then_on(trained: str) -> None:
    ran = generate("--held-out", "3")

    known = log().without_repeats()
    with open_existing_database("sqlite:///shop.db") as database, database.session() as session:
        found = generations(session)
    assert ran.code == 0, ran.all
    for user, generation in found.items():
        row = known.user_rows[user]
        assert generation.as_of == known.time[known.offsets[row + 1] - 3]
    assert found


def test_users_may_stand_in_a_file_and_strangers_are_told(trained: str) -> None:
    Path("users.txt").write_text(f"{first_user()}\nstranger\n\n", encoding="utf-8")

    ran = generate("--users", "users.txt", "--json")
    nobody = generate("--users", "stranger,somebody")

    assert ran.document["users"] == 1
    assert "'stranger'" in ran.errors
    assert (nobody.code, "reaseq behaviors show" in nobody.errors) == (1, True)


def test_slots_and_numbers_are_those_that_were_asked_for(trained: str) -> None:
    generate("--slots", "future", "--count", "2", "--expires", "9", "--held-out", "1")

    found = stored()
    document = reaseq("diffusion", "show", next(iter(found)), *KB, "--json").document
    assert {one["slot"] for one in document["imagined"]} == {"future"}
    assert {len(items) for items in found.values()} <= {1, 2}
    assert document["expires"] > time.time() * 1000


def test_the_likeliest_next_behaviours_are_stored_and_shown(trained: str) -> None:
    generate("--slots", "next", "--count", "6", "--users", first_user())

    document = reaseq("diffusion", "show", first_user(), *KB, "--json").document["imagined"]
    shown = reaseq("diffusion", "show", first_user(), *KB, "--svg", "u.svg")
    sure = [one["confidence"] for one in document]
    assert [(one["slot"], one["position"]) for one in document] == [("next", 1)] * 6
    assert sure == sorted(sure, reverse=True)
    assert sum(sure) <= 1
    assert all(one["near_item"] for one in document)
    drawing = Path("u.svg").read_text(encoding="utf-8")
    assert "chains" not in drawing
    assert drawing.count('class="box future"') == 7  # six, and the legend's
    assert set(re.findall(r'class="box (\w+)"', drawing)) <= {"logged", "gap", "future"}  # the style has no others
    assert shown.all.count("◇ next") == 6


@pytest.mark.parametrize("slots", ["next,gaps", "nowhere", ""])
def test_slots_that_there_are_not_and_next_beside_others_are_refused(trained: str, slots: str) -> None:
    ran = generate("--slots", slots)

    assert (ran.code, "or next, which draws nothing, alone" in " ".join(ran.errors.split())) == (2, True)


def test_other_slots_than_those_that_are_stored_are_told_of(trained: str) -> None:
    users = ("--users", first_user(), "--count", "2")
    generate(*users, "--slots", "future")

    ran = generate(*users, "--slots", "gaps")

    assert ran.code == 0
    assert "no behaviours of the kind gap: --again" in ran.errors


def test_an_interrupted_run_keeps_whole_pieces_and_goes_on(trained: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion_generation, "AT_ONCE", 20)
    pieces: list[object] = []

    def stopping(begun: diffusion_generation.Begun, rows: NDArray[np.int64]) -> GeneratedBehaviors:
        if len(pieces) == 2:
            raise KeyboardInterrupt
        pieces.append(rows)
        return whole(begun, rows)

    whole = diffusion_generation.Begun.imagine
    monkeypatch.setattr(diffusion_generation.Begun, "imagine", stopping)
    halved = generate("--held-out", "1")
    kept = stored()
    monkeypatch.setattr(diffusion_generation.Begun, "imagine", whole)
    done = generate("--held-out", "1", "--json").document

    assert halved.code == 130
    assert "40 of" in halved.errors
    assert done["before"] == 40
    assert len(kept) > 0
    assert kept.items() <= stored().items()


@pytest.mark.parametrize("task", ["next-item", "completion"])
def test_ours_is_judged_beside_simple_ways_and_an_equal_twin(trained: str, task: str) -> None:
    ran = reaseq(
        "diffusion", "evaluate", "--task", task, "--config", "diffusion.toml", "--html", "page.html", *KB, "--json"
    )

    assert ran.code == 0, ran.all
    labels = [own["label"] for own in ran.document["systems"]]
    expected = {"popularity", "item-kNN", "autoregressive twin", "ours, masked diffusion"}
    assert set(labels) >= expected
    assert ("ours, masked diffusion, gap known" in labels) == (task == "completion")
    assert all(own["metrics"]["HR@10"]["mean"] > 0 for own in ran.document["systems"])
    assert Path("page.html").stat().st_size > 1000


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (["generate", "--diffusion", "nowhere"], "nowhere"),
        (["train", "--config", "broken.toml"], "broken.toml"),
        (["show", "nobody"], "reaseq diffusion generate"),
        (["train", "--config", "."], "holds no settings of a diffusion model"),
    ],
)
def test_what_a_user_can_mend_is_told(shop: str, command: list[str], problem: str) -> None:
    Path("broken.toml").write_text("epochs = -1\n", encoding="utf-8")

    ran = reaseq("diffusion", *command, *KB)

    assert ran.code == 1
    assert problem in ran.errors
    assert "Traceback" not in ran.all


@pytest.mark.parametrize("command", ["forget", "allow"])
def test_nobody_has_no_switch(shop: str, command: str) -> None:
    ran = reaseq("diffusion", command, " ", *KB)

    assert (ran.code, "names nobody" in ran.errors) == (2, True), ran.all


def test_a_killed_training_goes_on_to_the_same_weights(trained: str) -> None:
    Path("long.toml").write_text(SMALL.replace("epochs = 2", "epochs = 6\npatience = 6"), encoding="utf-8")
    options = ("diffusion", "train", "--config", "long.toml", *KB, "--out")
    process = reaseq_process(*options, "halved", env=dict(os.environ))
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(b"epoch 2"):
            process.send_signal(signal.SIGKILL)
            break
    process.communicate()

    went_on, whole = reaseq(*options, "halved"), reaseq(*options, "whole")

    assert (went_on.code, whole.code) == (0, 0), went_on.all
    assert "epoch 1:" not in went_on.errors
    assert json.loads(Path("halved", METRICS).read_bytes()) == json.loads(Path("whole", METRICS).read_bytes())
    assert Path("halved", WEIGHTS).read_bytes() == Path("whole", WEIGHTS).read_bytes()
