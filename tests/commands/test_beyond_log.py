"""`reaseq benchmark beyond-log`: over a simulated log; files of suggestions, the truth, and what others are given."""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.beyond_log_run import Plan, benchmarked
from commands.beyond_log_scene import Sources, read_scene
from commands.beyond_log_systems import Fitted, fitted_models
from commands.diffusion import read_config
from commands.settings import Settings
from diffusion.config import DiffusionConfig
from evaluators.beyond_log.hiding import Categories
from learning.material import Material
from tests.commands.command_line import Ran, reaseq

CONTROLS = ("--controls-only", "--k", 3)


@pytest.fixture
def task(shop: str, stocked_shop: Path) -> str:
    """The shop with the truth beside it, and items.csv with categories that differ more than the shop's."""
    shutil.copy(stocked_shop / "truth.jsonl", ".")
    rows = [
        ["item", "category", "title"],
        *([f"S{n}{p}", f"Things > shelf {p}", f"thing {n}"] for n in range(4) for p in range(6)),
    ]
    with Path("items.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return shop


def beyond_log(*arguments: object) -> Ran:
    return reaseq("benchmark", "beyond-log", *arguments)


def rows_of(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def means(ran: Ran, metric: str) -> dict[tuple[str, str], float]:
    return {(own["system"], own["rule"]): own["metrics"][metric]["mean"] for own in ran.document["systems"]}


@pytest.mark.usefixtures("task")
def test_a_log_with_a_file_of_categories_needs_no_knowledge_base() -> None:
    Path("shop.db").unlink()

    ran = beyond_log("--data", "log.csv", "--categories", "items.csv", *CONTROLS, "--html", "page.html", "--json")

    assert ran.code == 0, ran.all
    assert not Path("shop.db").exists()
    assert ran.document["coverage"]["categories"] == 6
    assert ran.document["left_out"]
    assert {"EASE + text", "popularity", "own history"} <= {system for system, _ in means(ran, "category recall@3")}
    assert "Beyond the log" in Path("page.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("task")
def test_no_hidden_behaviour_is_among_what_is_learned_from() -> None:
    sources = Sources(log=Path("log.csv"), categories=Path("items.csv"), knowledge=False)
    scene = read_scene(Settings(), sources)
    hiding = scene.hiding(0.25, 0)

    seen = scene.seen(hiding)

    for user, items in zip(hiding.user, hiding.items, strict=True):
        assert not set(seen.behaviors.of_user(scene.behaviors.users[user])) & set(items)
    assert len(seen.behaviors.item) == hiding.visible.sum() < len(scene.behaviors.item)
    assert seen.imagined is None


@pytest.mark.usefixtures("task")
def test_who_hands_in_what_is_hidden_finds_it_and_bad_rows_are_told() -> None:
    beyond_log("--data", "log.csv", "--categories", "items.csv", "--export", "given")
    users, visible = [row["user"] for row in rows_of("given/users.csv")], rows_of("given/visible.csv")
    shown = {(row["user"], row["item"]) for row in visible}
    hidden = sorted({(row["user"], row["item"]) for row in rows_of("log.csv")} - shown)
    bad = [
        ("nobody", "S00", 1),
        (users[0], "S99", 1),
        (*hidden[0], 1),
        (*hidden[0], "high"),
        (*min(shown & {(u, i) for u in users for _, i in shown}), 1),
    ]
    with Path("mine.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("user", "item", "score"), *((*pair, 0.5) for pair in hidden), *bad])

    ran = beyond_log(
        "--data", "log.csv", "--categories", "items.csv", *CONTROLS, "--generated", "mine=mine.csv", "--json"
    )

    assert ran.code == 0, ran.all
    assert means(ran, "category recall@3")["mine", "one each"] == 1
    gains = {pair["metric"]: pair["difference"]["difference"] for pair in ran.document["differences"]}
    assert all(gains[metric] > 0 for metric in ("category recall@3", "recall@3", "NDCG@3"))
    told = ran.document["files"][0]
    assert (told["rows"], told["refused_rows"], told["users_without"]) == (len(hidden) + 5, 5, 0)
    reasons = [one["reason"] for one in told["refused"]]
    assert [one["line"] for one in told["refused"]] == [len(hidden) + 2 + place for place in range(5)]
    for reason, part in zip(
        reasons, ("not in the log", "neither", "before", "no number", "visible history"), strict=True
    ):
        assert part in reason


@pytest.mark.usefixtures("task")
@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_suggestions_come_in_other_formats_and_without_a_score(suffix: str) -> None:
    scored = beyond_log("--data", "log.csv", "--categories", "items.csv", "--export", "given", "--json").document
    rows = [{"user": row["user"], "item": "S00"} for row in rows_of("given/users.csv")]
    if suffix == "jsonl":
        Path("mine.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    else:
        polars = pytest.importorskip("polars")
        polars.DataFrame(rows).write_parquet("mine.parquet")

    ran = beyond_log(
        "--data", "log.csv", "--categories", "items.csv", *CONTROLS, "--generated", f"mine=mine.{suffix}", "--json"
    )

    assert ran.code == 0, ran.all
    assert ran.document["files"][0]["rows"] == scored["given"]["scored_users"]
    assert ran.document["protocol"]["content_hash"] == scored["given"]["content_hash"]


@pytest.mark.usefixtures("task")
def test_several_seeds_need_a_file_each() -> None:
    ran = beyond_log("--data", "log.csv", "--categories", "items.csv", "--seeds", 2, "--generated", "mine=mine.csv")

    assert ran.code == 1
    assert "{seed}" in ran.errors


@pytest.mark.usefixtures("task")
def test_several_seeds_are_exported_side_by_side() -> None:
    ran = beyond_log("--data", "log.csv", "--categories", "items.csv", "--seeds", 2, "--export", "given")

    assert ran.code == 0, ran.all
    hashes = {
        json.loads(Path("given", f"seed-{seed}", "protocol.json").read_bytes())["visible_hash"] for seed in (0, 1)
    }
    assert len(hashes) == 2


def test_simulated_shoppers_are_judged_by_their_truth(task: str) -> None:
    ran = beyond_log("--kb", task, "--data", "log.csv", "--truth", "truth.jsonl", *CONTROLS, "--json")

    if ran.code:  # a shop of two leaf categories hides one of each shopper, or none
        pytest.fail(ran.all)
    assert ran.document["protocol"]["hiding"] == "as the log hides in truth"
    assert ran.document["truth_metrics"][0] == "recall by need@3"
    assert ran.document["coverage"]["hidden_behaviors"] == 0


@pytest.mark.usefixtures("task")
def test_settings_of_the_models_are_those_of_a_file() -> None:
    pytest.importorskip("torch")
    Path("diffusion.toml").write_text("epochs = 1\nwidth = 8\nheads = 1\nlayers = 1\nfolds = 0\n", encoding="utf-8")
    Path("broken.toml").write_text("epochs = 0\n", encoding="utf-8")
    asked: list[DiffusionConfig | None] = []

    def fitting(seen: Material, categories: Categories, seed: int, config: DiffusionConfig | None) -> Iterator[Fitted]:
        asked.append(config)
        yield from fitted_models(seen, categories, seed, config)

    scene = read_scene(Settings(), Sources(log=Path("log.csv"), categories=Path("items.csv"), knowledge=False))
    report = benchmarked(scene, Plan(cuts=(3,), config=read_config(Path("diffusion.toml")), fitting=fitting))
    broken = beyond_log("--data", "log.csv", "--categories", "items.csv", "--config", "broken.toml")

    assert [own and (own.epochs, own.width) for own in asked] == [(1, 8)]
    assert "diffusion" in {own.system for own in report.systems}
    assert (broken.code, "broken.toml" in broken.errors) == (1, True)


@pytest.mark.usefixtures("task")
def test_a_file_of_suggestions_is_read_before_anything_is_trained() -> None:
    ran = beyond_log("--data", "log.csv", "--categories", "items.csv", "--generated", "mine=nowhere.csv")

    assert ran.code == 1
    assert "nowhere.csv" in ran.errors
    assert "seed 0" not in ran.errors


@pytest.mark.usefixtures("task")
def test_the_models_take_part_and_the_twin_is_a_control() -> None:
    pytest.importorskip("torch")

    ran = beyond_log("--data", "log.csv", "--categories", "items.csv", "--k", 3, "--json")

    assert ran.code == 0, ran.all
    controls = {own["system"]: own["is_control"] for own in ran.document["systems"]}
    assert (controls["autoregressive"], controls["diffusion"], controls["diffusion, gaps"]) == (True, False, False)
    assert {pair["after"] for pair in ran.document["differences"]} >= {"diffusion · any", "diffusion, gaps · one each"}


@pytest.mark.usefixtures("task")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--categories", "small.toml"], "no known format"),
        (["--categories", "log.csv"], "no column 'category'"),
        (["--categories", "items.csv", "--truth", "log.csv"], "line 1 is no shopper's truth"),
        (["--categories", "items.csv", "--demands", "log.csv"], "no column 'demand'"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(arguments: list[str], told: str) -> None:
    ran = beyond_log("--data", "log.csv", *arguments, *CONTROLS)

    assert ran.code == 1
    assert told in ran.errors
