"""`reaseq ranker`: trained on a simulated log over a small shop, judged, asked, taken apart."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from learning.training import CHECKPOINT
from learning.weights import CONFIG, METRICS, WEIGHTS
from ranker.click_fitting import CLICK_THROUGH
from ranker.next_item_folder import NEXT_ITEM
from ranker.onnx_ranker import OnnxRanker
from tests.commands.command_line import ROOT, Ran, reaseq, reaseq_process

SMALL = ("--config", "small.toml", "--kb", "sqlite:///shop.db")
FLOORS = {
    "popularity",
    "item-kNN",
    "Markov",
    "TF-IDF of the title",
    "kNN + TF-IDF",
    "whitened MiniLM",
    "Markov + kNN + MiniLM",
}


def log() -> list[dict[str, str]]:
    with Path("log.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def log_of(user: str) -> set[str]:
    return {row["item"] for row in log() if row["user"] == user}


def ranked(*arguments: object) -> Ran:
    return reaseq("ranker", "rank", *arguments, "--kb", "sqlite:///shop.db")


def lasting(name: str, epochs: int) -> None:
    """Write settings of a training by clicks that does not end before so many epochs."""
    text = Path("small.toml").read_text(encoding="utf-8")
    Path(name).write_text(text.replace("epochs = 2", f"epochs = {epochs}\npatience = {epochs}"), encoding="utf-8")


def metrics(ran: Ran) -> dict[str, dict[str, float]]:
    systems = ran.document["systems"]
    return {own["label"]: {name: found["mean"] for name, found in own["metrics"].items()} for own in systems}


def test_training_writes_both_rankers_and_tells_how_it_goes(shop: str) -> None:
    ran = reaseq("ranker", "train", *SMALL, "--out", "mine")

    assert ran.code == 0, ran.all
    assert "epoch 2: loss" in ran.errors
    assert "mine: selection AUC 0." in ran.errors
    assert {path.name for path in Path("mine").iterdir()} == {NEXT_ITEM, CLICK_THROUGH}
    assert json.loads(Path("mine", CLICK_THROUGH, "metrics.json").read_bytes())["selection AUC"] > 0
    assert "implicitly disabled" not in ran.all


def test_equal_seeds_write_equal_weights_and_others_do_not(shop: str) -> None:
    for folder, seed in (("one", 3), ("two", 3), ("other", 4)):
        assert reaseq("ranker", "train", *SMALL, "--seed", seed, "--out", folder).code == 0

    for ranker in (NEXT_ITEM, CLICK_THROUGH):
        one, two, other = (Path(folder, ranker, WEIGHTS).read_bytes() for folder in ("one", "two", "other"))
        assert one == two
        assert one != other


def test_options_go_before_the_file_of_settings_and_it_before_the_defaults(shop: str) -> None:
    text = Path("small.toml").read_text(encoding="utf-8")
    Path("small.toml").write_text("held_out = 1\n" + text.replace("folds = 2", "folds = 2\nseed = 7"), "utf-8")

    own = reaseq("ranker", "train", *SMALL, "--out", "own")
    given = reaseq("ranker", "train", *SMALL, "--out", "given", "--seed", 9, "--hold-out", 2)

    seeds = [json.loads(Path(folder, NEXT_ITEM, CONFIG).read_bytes())["seed"] for folder in ("own", "given")]
    learned = [int(ran.errors.split("learning from ")[1].split()[0]) for ran in (own, given)]
    assert seeds == [7, 9]
    assert learned[0] > learned[1]


@pytest.mark.usefixtures("trained")
def test_the_best_of_the_catalog_are_new_to_the_user_and_have_reasons() -> None:
    user = log()[0]["user"]

    found = ranked("--user", user, "--top", 5, "--json").document

    assert len(found) == 5
    assert not {one["item"] for one in found} & log_of(user)
    assert [one["score"] for one in found] == sorted((one["score"] for one in found), reverse=True)
    assert all(one["because_item"] in log_of(user) for one in found)
    assert ["category", "Clothing > Tops > T-Shirts"] in [pair for one in found for pair in one["shared"]]


@pytest.mark.usefixtures("trained")
def test_no_more_are_ranked_than_there_are() -> None:
    user = log()[0]["user"]

    found = ranked("--user", user, "--top", 100, "--json").document

    assert len(found) == 24 - len(log_of(user))


@pytest.mark.usefixtures("trained")
def test_candidates_are_ranked_by_the_chance_of_a_click() -> None:
    found = ranked("--user", log()[0]["user"], "--candidates", "S00, S01 ,S12", "--json").document

    assert {one["item"] for one in found} == {"S00", "S01", "S12"}
    assert all(0 < one["score"] < 1 for one in found)
    assert [one["score"] for one in found] == sorted((one["score"] for one in found), reverse=True)


@pytest.mark.usefixtures("trained")
def test_somebody_unknown_gets_what_most_users_chose_and_is_told_so() -> None:
    users_of = {item: len({row["user"] for row in log() if row["item"] == item}) for item in {r["item"] for r in log()}}

    best = ranked("--user", "nobody", "--top", 3, "--json")
    clicked = ranked("--user", "nobody", "--candidates", "S00,S01", "--json")

    assert "nothing is stored of user 'nobody'" in best.errors
    chosen = [users_of[one["item"]] for one in best.document]
    assert chosen == sorted(users_of.values(), reverse=True)[:3]
    assert all(one["because"] == "" for one in best.document + clicked.document)


@pytest.mark.usefixtures("trained")
def test_what_is_typed_and_what_a_title_holds_cannot_steer_the_terminal() -> None:
    Path("more.csv").write_text("sku,name\nX1,\x1b[31mAcme kettle [bold]\u202e red\n", encoding="utf-8")
    assert reaseq("enrich", "more.csv", "--kb", "sqlite:///shop.db").code == 0

    ran = ranked("--user", "no\x1b[2Jbody\u202e", "--candidates", "X1")

    assert ran.code == 0, ran.all
    assert "[bold]" in ran.output
    assert not {"\x1b", "\u202e"} & set(ran.all)


@pytest.mark.usefixtures("trained")
def test_an_item_that_came_after_training_is_ranked() -> None:
    Path("more.csv").write_text("sku,name,brand\nX1,Acme steel kettle 1.7 l orange,Acme\n", encoding="utf-8")
    reaseq("enrich", "more.csv", "--kb", "sqlite:///shop.db")
    user = log()[0]["user"]

    by_click = ranked("--user", user, "--candidates", "X1,S00", "--json")
    of_all = ranked("--user", user, "--top", 25, "--json")

    assert (by_click.code, of_all.code) == (0, 0), by_click.all + of_all.all
    assert "X1" in {one["item"] for one in by_click.document}
    assert "X1" in {one["item"] for one in of_all.document}


@pytest.mark.usefixtures("shop")
def test_a_log_in_a_file_takes_the_place_of_the_stored_one_and_its_bad_rows_are_told() -> None:
    rows = ["user,item,time", *(f"{row['user']},{row['item']},{row['time']}" for row in log()), "ann,S00,tomorrow"]
    Path("other.csv").write_text("\n".join(rows), encoding="utf-8")
    reaseq("behaviors", "delete", "--user", log()[0]["user"], "--kb", "sqlite:///shop.db")

    ran = reaseq("ranker", "evaluate", *SMALL, "--data", "other.csv", "--json")

    assert ran.code == 0, ran.all
    assert "1 rows of other.csv are no behaviours, such as line" in ran.errors
    assert ran.document["protocol"]["users"] > 50


@pytest.mark.usefixtures("shop")
def test_ours_is_judged_beside_the_simple_ones_and_a_page_is_written() -> None:
    ran = reaseq("ranker", "evaluate", *SMALL, "--seeds", 2, "--html", "page.html", "--json")

    assert ran.code == 0, ran.all
    found = metrics(ran)
    assert set(found) == FLOORS | {"SASRec", "ours"}
    assert all(0 <= value <= 1 for own in found.values() for value in own.values())
    assert found["item-kNN"]["HR@10"] > 10 / 24  # chance
    assert ran.document["floor"] in FLOORS | {"SASRec"}
    assert "SASRec" in Path("page.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("options", [["--refit"], ["--repeats"]])
def test_other_protocols_are_named_in_the_report(options: list[str]) -> None:
    told = reaseq("ranker", "evaluate", *SMALL, *options, "--json").document["protocol"]

    assert ("without it" in told["split"]) == ("--refit" in options)
    assert ("own history left out" in told["candidates"]) == ("--repeats" not in options)


@pytest.mark.usefixtures("shop")
def test_click_through_is_judged_beside_the_reference_models() -> None:
    ran = reaseq("ranker", "evaluate", *SMALL, "--task", "click-through", "--json")

    assert ran.code == 0, ran.all
    assert set(metrics(ran)) == {"lr", "dcn-v2", "din", "sim", "ours"}
    assert [pair["before"] for pair in ran.document["differences"]] == ["din", "din"]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("task", ["next-item", "click-through"])
def test_an_ablation_says_what_each_attribute_gains(task: str) -> None:
    ran = reaseq("ranker", "ablate", *SMALL, "--task", task, "--attributes", 2)
    document = reaseq("ranker", "ablate", *SMALL, "--task", task, "--attributes", 1, "--json").document

    assert ran.code == 0, ran.all
    assert "ours, log" in ran.output
    assert "Attributes: what" in ran.output
    assert {"ours, log", "ours, title", "ours, knowledge"} <= {own["label"] for own in document["systems"]}
    assert [effect["items"] for effect in document["attributes"]] == [24]


@pytest.mark.usefixtures("shop")
def test_an_ablation_of_the_next_item_compares_attributes_without_vectors_that_tell_them_all() -> None:
    ran = reaseq("ranker", "ablate", *SMALL, "--attributes", 1)

    assert "ours, knowledge without its vectors" in ran.errors


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("task", ["next-item", "click-through"])
def test_what_happened_later_does_not_count_as_of_a_moment(task: str) -> None:
    """The titles and the knowledge of the shop were stored later, too: the log alone is left."""
    judged = ("ranker", "evaluate", *SMALL, "--task", task, "--as-of", "2025-03-15", "--json")
    before = reaseq(*judged)
    planted = [
        f"{user},{item},2025-03-1{place + 5}"
        for user in ("a new user", *{row["user"] for row in log()})
        for place, item in enumerate(("S00", "S13", "a new item"))
    ]
    Path("future.csv").write_text("\n".join(["user,item,time", *planted]), encoding="utf-8")
    assert reaseq("behaviors", "import", "future.csv", "--kb", "sqlite:///shop.db").code == 0
    own = [f"{row['user']},{row['item']},{row['time']}" for row in log()]
    Path("both.csv").write_text("\n".join(["user,item,time", *own, *planted]), encoding="utf-8")

    after, of_file = reaseq(*judged), reaseq(*judged, "--data", "both.csv")

    assert before.code == 0, before.all
    assert metrics(after) == metrics(of_file) == metrics(before)


FAILURES: dict[str, tuple[list[str], str]] = {
    "a folder without a ranker": (["rank", "--user", "u", "--ranker", "nowhere"], "'nowhere/next-item' holds no"),
    "an unknown candidate": (["rank", "--user", "u", "--candidates", "S00,S99"], "item 'S99' is neither in"),
    "settings that are no file": (["train", "--config", "none.toml"], "'none.toml' holds no settings"),
    "settings that are no TOML": (["train", "--config", "log.csv"], "'log.csv' holds no settings"),
    "an unknown setting": (["evaluate", "--config", "wrong.toml"], "next_item.candidate"),
    "a log that is missing": (["train", "--data", "none.csv"], "none.csv"),
    "a log of too little": (["train", "--data", "short.csv"], "two behaviours or more"),
    "a log too short for clicks": (["evaluate", "--task", "click-through", "--data", "short.csv"], "4 behaviours"),
    "a log too short to hold out": (["evaluate", "--data", "short.csv"], "no user has 4 behaviours"),
    "order numbers and a date": (
        ["train", "--data", "order.csv", "--map", "order=order", "--as-of", "2026-01-01"],
        "order numbers",
    ),
}


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("case", FAILURES)
def test_what_a_user_can_mend_is_told(case: str) -> None:
    arguments, message = FAILURES[case]
    Path("wrong.toml").write_text("[next_item]\ncandidate = 3\n", encoding="utf-8")
    Path("short.csv").write_text("user,item,time\nann,S00,1\nann,S01,2\nann,S02,3\nben,S02,4\n", encoding="utf-8")
    Path("order.csv").write_text("user,item,order\nann,S00,1\nann,S01,2\nann,S02,3\n", encoding="utf-8")

    ran = reaseq("ranker", *arguments, "--kb", "sqlite:///shop.db")

    assert ran.code == 1
    assert ran.output == ""
    assert message in ran.errors


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("path", [f"{NEXT_ITEM}/{WEIGHTS}", f"{NEXT_ITEM}/{CONFIG}", f"{CLICK_THROUGH}/{WEIGHTS}"])
@pytest.mark.parametrize("damage", ["no model", "of another model"])
def test_a_damaged_folder_is_named(path: str, damage: str) -> None:
    file, other = Path("ranker-model", path), CLICK_THROUGH if path.startswith(NEXT_ITEM) else NEXT_ITEM
    if damage == "no model":
        file.write_bytes(b"{")
    else:
        shutil.copy(Path("ranker-model", other, file.name), file)

    ran = ranked("--user", "u00001", "--candidates", "S00")

    assert ran.code == 1
    assert str(file.parent) in ran.errors


@pytest.mark.usefixtures("trained")
def test_no_candidate_at_all_is_wrong_usage() -> None:
    assert ranked("--user", "u00001", "--candidates", " , ").code == 2


def test_without_behaviours_it_says_where_they_come_from(enriched: tuple[str, Ran], folder: Path) -> None:
    shutil.copy(enriched[0].removeprefix("sqlite:///"), folder / "own.db")

    ran = reaseq("ranker", "train", "--kb", "sqlite:///own.db")

    assert ran.code == 1
    assert "reaseq behaviors import FILE" in ran.errors


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("command", ["train", "evaluate", "ablate", "rank", "export"])
@pytest.mark.parametrize("package", ["torch", "polars"])
def test_a_missing_extra_is_named(command: str, package: str) -> None:
    """In a process of its own: this one has imported what is missing there."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.modules[{package!r}] = None; import app; app.main()"
    needed = {"rank": ["--user", "u"], "export": ["--onnx", "clicks.onnx"]}
    arguments = [command, *needed.get(command, []), "--kb", "sqlite:///shop.db"]

    ran = subprocess.run(
        [sys.executable, "-c", program, "ranker", *arguments], capture_output=True, text=True, check=False
    )

    assert ran.returncode == 1, ran.stderr
    assert f"this command needs {package}" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.usefixtures("shop")
def test_an_interrupted_training_says_so_and_goes_on_to_the_same_weights() -> None:
    lasting("long.toml", 100_000)
    arguments = ("ranker", "train", "--kb", "sqlite:///shop.db", "--config")
    training = reaseq_process(*arguments, "long.toml", "--out", "halved", env=dict(os.environ))
    assert training.stderr is not None
    for line in training.stderr:
        if line.startswith(b"epoch 2:"):
            training.send_signal(signal.SIGINT)
            break
    rest = training.communicate(timeout=120)[1]
    done = len(torch.load(Path("halved", CLICK_THROUGH, CHECKPOINT), weights_only=True)["epochs"])
    lasting("longer.toml", done + 1)

    resumed, whole = (reaseq(*arguments, "longer.toml", "--out", folder) for folder in ("halved", "whole"))

    assert training.returncode == 130, rest
    assert b"interrupted" in rest
    assert b"Traceback" not in rest
    assert f"epoch {done}:" not in resumed.errors
    assert f"epoch {done + 1}:" in resumed.errors
    assert "epoch 1:" in whole.errors
    for name in (WEIGHTS, METRICS):
        halved, at_once = (Path(folder, CLICK_THROUGH, name).read_bytes() for folder in ("halved", "whole"))
        assert halved == at_once


@pytest.mark.usefixtures("shop")
def test_a_training_on_other_behaviours_does_not_go_on_with_the_old_ones() -> None:
    reaseq("ranker", "train", *SMALL)
    again = reaseq("ranker", "train", *SMALL)
    rows = ["user,item,time", *(f"new{row['user']},{row['item']},{row['time']}" for row in log()[:300])]
    Path("more.csv").write_text("\n".join(rows), encoding="utf-8")
    reaseq("behaviors", "import", "more.csv", "--kb", "sqlite:///shop.db")

    after = reaseq("ranker", "train", *SMALL)

    assert "epoch 1:" not in again.errors  # it had ended
    assert "epoch 1:" in after.errors


@pytest.mark.usefixtures("trained")
def test_an_exported_ranker_ranks_as_the_command_does() -> None:
    user = log()[0]["user"]
    history = [row["item"] for row in sorted(log(), key=lambda row: row["time"]) if row["user"] == user]
    candidates = ("S00", "S12", "S35")

    ran = reaseq("ranker", "export", "--onnx", "clicks.onnx", "--kb", "sqlite:///shop.db")
    exported = OnnxRanker.load(Path("clicks.onnx"))
    told = ranked("--user", user, "--candidates", ",".join(candidates), "--json").document

    row = {item: place for place, item in enumerate(exported.about.items)}
    rows = [np.array([row[item] for item in items]) for items in (dict.fromkeys(history), candidates)]
    chances = dict(zip(candidates, exported.score(*rows).tolist(), strict=True))
    assert ran.code == 0, ran.all
    assert "wrote clicks.onnx and clicks.counts.npz: 24 items" in ran.errors
    assert {one["item"]: pytest.approx(one["score"], abs=1e-5) for one in told} == chances
    assert "torch.onnx" not in ran.all


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_without_what_exports_it_is_said_what_to_install(package: str) -> None:
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.modules[{package!r}] = None; import app; app.main()"
    arguments = ["ranker", "export", "--onnx", "clicks.onnx", "--kb", "sqlite:///shop.db"]

    ran = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)

    assert ran.returncode == 1, ran.stderr
    assert f"this command needs {package}, which is not installed: pip install 'reaseq[onnx]'" in ran.stderr
    assert not list(Path().glob("clicks*"))
