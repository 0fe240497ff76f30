"""`reaseq vectors` and the exports that hold vectors."""

import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.commands.command_line import ROOT, Ran, reaseq


@pytest.fixture
def kb(enriched: tuple[str, Ran], folder: Path) -> str:
    """A knowledge base of kettles.csv to write to."""
    shutil.copy(enriched[0].removeprefix("sqlite:///"), folder / "own.db")
    return "sqlite:///own.db"


def test_vectors_are_built_and_the_nearest_items_shown(kb: str) -> None:
    built = reaseq("vectors", "build", "--kb", kb, "--json").document
    again = reaseq("vectors", "build", "--kb", kb, "--json").document

    near = reaseq("vectors", "neighbors", "K1", "--kb", kb, "--json").document

    assert (built["items"], built["encoded"], again["encoded"]) == (3, 3, 0)
    assert [one["id"] for one in near] == ["K2", "K3"]  # the other kettle before the t-shirt
    assert near[0]["cosine"] > near[1]["cosine"]
    assert near[0]["category"][0] == "Kitchen"


def test_what_both_items_have_is_shown(kb: str) -> None:
    Path("more.csv").write_text("sku,name,brand\nK4,Acme steel kettle 1 l red,Acme\n", encoding="utf-8")
    reaseq("enrich", "more.csv", "--kb", kb)
    reaseq("vectors", "build", "--kb", kb)

    ran = reaseq("vectors", "neighbors", "K1", "--k", "1", "--kb", kb)

    assert ran.code == 0
    assert "Acme steel kettle 1 l red" in ran.output
    assert "brand Acme" in ran.output
    assert "color red" in ran.output


def test_a_set_has_a_name_and_parts_of_its_own(kb: str) -> None:
    reaseq("vectors", "build", "--parts", "title", "--name", "titles", "--kb", kb)
    reaseq("vectors", "build", "--parts", "summary, attributes", "--kb", kb)

    listed = reaseq("vectors", "list", "--kb", kb, "--json").document

    assert [(one["name"], one["parts"]) for one in listed] == [
        ("items", ["attributes", "summary"]),
        ("titles", ["title"]),
    ]
    assert reaseq("vectors", "list", "--kb", kb).code == 0


def test_an_unknown_part_is_wrong_usage(kb: str) -> None:
    ran = reaseq("vectors", "build", "--parts", "title,price", "--kb", kb)

    assert ran.code == 2
    assert "'price'" in ran.errors


def test_before_vectors_are_built_it_says_how(kb: str) -> None:
    ran = reaseq("vectors", "neighbors", "K1", "--kb", kb)

    assert ran.code == 1
    assert "reaseq vectors build" in ran.errors


def test_an_item_without_a_vector_is_named(kb: str) -> None:
    reaseq("vectors", "build", "--kb", kb)

    ran = reaseq("vectors", "neighbors", "K9", "--kb", kb)

    assert ran.code == 1
    assert "'K9'" in ran.errors


@pytest.mark.parametrize(
    ("package", "arguments"),
    [
        ("faiss", ["vectors", "neighbors", "K1"]),
        ("polars", ["export", "--features", "--out", "out"]),
        ("polars", ["export", "--recbole", "out"]),
    ],
)
def test_a_missing_extra_is_named(kb: str, package: str, arguments: list[str]) -> None:
    """In a process of its own: this one has imported what is missing there."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.modules[{package!r}] = None; import app; app.main()"

    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments, "--kb", kb], capture_output=True, text=True, check=False
    )

    assert ran.returncode == 1
    assert package in ran.stderr
    assert "pip install 'reaseq[vectors]'" in ran.stderr
    assert not Path("out").exists()


def test_features_and_vectors_are_exported(kb: str) -> None:
    reaseq("vectors", "build", "--kb", kb)

    written = reaseq("export", "--features", "--out", "out", "--kb", kb, "--json").document

    features, vectors = pl.read_parquet(written["features"]), pl.read_parquet(written["vectors"])
    power = features.filter(pl.col("item") == "K1", pl.col("attribute") == "power", pl.col("known"))
    assert (written["items"], written["vector_items"]) == (3, 3)
    assert power.select("number", "unit").rows() == [(2200.0, "watt")]
    assert vectors.schema["vector"] == pl.Array(pl.Float32, 384)


def test_without_vectors_the_export_says_so(kb: str) -> None:
    ran = reaseq("export", "--features", "--out", "out.parquet", "--kb", kb)

    assert ran.code == 0
    assert "reaseq vectors build" in ran.errors


def test_a_folder_for_recbole_is_exported(kb: str, folder: Path) -> None:
    reaseq("vectors", "build", "--kb", kb)
    Path("log.csv").write_text("user,item,timestamp\nu1,K1,2026-01-01\nu1,K2,2026-01-02\n", encoding="utf-8")
    reaseq("behaviors", "import", "log.csv", "--kb", kb)

    written = reaseq("export", "--recbole", "shop", "--kb", kb, "--json").document

    assert (written["items"], written["behaviors"], written["vectors"]) == (3, 2, 3)
    assert {path.name for path in (folder / "shop").iterdir()} == {
        "shop.inter",
        "shop.item",
        "shop.itememb",
        "shop.yaml",
    }


def log_of_baskets(path: Path) -> None:
    """Write a log in which ten shoppers took both kettles, and ten the t-shirt after one of them."""
    rows = [f"u{user},{item},2026-01-{day:02}" for user in range(20) for day, item in ((1, "K1"), (2, "K2"))]
    rows += [f"u{user},K3,2026-01-03" for user in range(10)]
    path.write_text("\n".join(["user,item,timestamp", *rows]), encoding="utf-8")


def test_vectors_are_aligned_to_behaviours(kb: str) -> None:
    log_of_baskets(Path("log.csv"))
    reaseq("vectors", "build", "--kb", kb)
    reaseq("behaviors", "import", "log.csv", "--kb", kb)

    # Three pairs, of which the default seed leaves one out.
    made = reaseq("vectors", "align", "--epochs", "2", "--kb", kb, "--json").document

    assert (made["name"], made["items"], made["pairs"]) == ("aligned", 3, 3)
    assert "+aligned@" in made["encoder"]
    assert reaseq("vectors", "neighbors", "K1", "--name", "aligned", "--kb", kb).code == 0


def test_order_numbers_tell_nothing_of_a_moment_to_align_as_of(kb: str) -> None:
    Path("order.csv").write_text("user,item,position\nu1,K1,1\nu1,K2,2\n", encoding="utf-8")
    reaseq("behaviors", "import", "order.csv", "--kb", kb)
    reaseq("vectors", "build", "--as-of", "2100-01-01", "--kb", kb)

    ran = reaseq("vectors", "align", "--as-of", "2100-01-01", "--kb", kb)

    assert ran.code == 1
    assert "order numbers" in ran.errors


def test_without_behaviours_there_is_nothing_to_align_to(kb: str) -> None:
    reaseq("vectors", "build", "--kb", kb)

    ran = reaseq("vectors", "align", "--kb", kb)

    assert ran.code == 1
    assert "0 pairs" in ran.errors


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--features"],
        ["--format", "csv"],
        ["--format", "csv", "--features", "--out", "x"],
        ["--recbole", "x", "--out", "y"],
        ["--format", "csv", "--out", "x", "--as-of", "2026-01-01"],
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(kb: str, arguments: list[str]) -> None:
    ran = reaseq("export", *arguments, "--kb", kb)

    assert ran.code == 2
    assert not Path("x").exists()
