"""Each test of a command has a folder, an environment and a wide terminal of its own."""

import os
import shutil
from pathlib import Path

import pytest

from commands import output
from tests.commands.command_line import ROOT, Ran, reaseq

ROWS = """sku,name,description,brand
K1,Acme steel kettle 1.7 l red,Boils fast. Power 2200 W.,Acme
K2,Nordlicht Wasserkocher 1 l blau,Edelstahl,Nordlicht
K3,"Plain cotton t-shirt, size M, black",,Basico
"""
BRANDS = ("Acme", "Nordlicht", "Basico", "Lumen")
COLORS = ("red", "blue", "black", "white", "green", "grey")
SMALL_RANKER = """
[next_item]
candidates = 10
folds = 2
epochs = 1

[click_through]
epochs = 2

[sasrec]
epochs = 1
"""
DEPARTMENTS = ("attributes", "clothing", "kitchen")  # a smaller taxonomy is read faster
SETTING_PREFIXES = ("REASEQ_", "OPENAI_", "OLLAMA_", "OTEL_")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Embeddings of taxonomies, made once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def departments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some departments of the starter taxonomy."""
    folder = tmp_path_factory.mktemp("departments")
    for name in DEPARTMENTS:
        shutil.copy(ROOT / "memory" / "departments" / f"{name}.yaml", folder)
    return folder


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, cache: Path, departments: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the test's commands run in; it holds kettles.csv."""
    _settle(tmp_path, cache, departments, monkeypatch)
    return tmp_path


@pytest.fixture(scope="session")
def enriched(tmp_path_factory: pytest.TempPathFactory, cache: Path, departments: Path) -> tuple[str, Ran]:
    """A knowledge base of kettles.csv, made with the embedded model, and how the run ended; not to be written to."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("enriched")
        _settle(folder, cache, departments, monkeypatch)
        ran = reaseq("enrich", "kettles.csv", "--kb", f"sqlite:///{folder}/kettles.db", "--json")
    return f"sqlite:///{folder}/kettles.db", ran


@pytest.fixture(scope="session")
def stocked_shop(tmp_path_factory: pytest.TempPathFactory, cache: Path, departments: Path) -> Path:
    """A folder with shop.db, a knowledge base of 24 items and a log of simulated shoppers; not to be written to."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("shop")
        _settle(folder, cache, departments, monkeypatch)
        (folder / "shop.csv").write_text(shop_rows(), encoding="utf-8")
        for arguments in (
            ["enrich", "shop.csv"],
            ["simulate", "--shoppers", 60, "--events", 25, "--out", "log.csv", "--truth", "truth.jsonl"],
            ["behaviors", "import", "log.csv"],
        ):
            ran = reaseq(*arguments, "--kb", f"sqlite:///{folder}/shop.db")
            assert ran.code == 0, ran.all
    return folder


@pytest.fixture
def shop(stocked_shop: Path, folder: Path) -> str:
    """A knowledge base of the shop to write to; beside it log.csv and small.toml, settings of a quick training."""
    for name in ("shop.db", "log.csv"):
        shutil.copy(stocked_shop / name, folder)
    (folder / "small.toml").write_text(SMALL_RANKER, encoding="utf-8")
    return "sqlite:///shop.db"


@pytest.fixture(scope="session")
def trained_folder(stocked_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ranker's folder of the shop; not to be written to."""
    folder, work = tmp_path_factory.mktemp("trained") / "model", tmp_path_factory.mktemp("work")
    shutil.copy(stocked_shop / "shop.db", work)
    (work / "small.toml").write_text("[next_item]\ncandidates = 10\nepochs = 1\n[click_through]\nepochs = 1\n", "utf-8")

    ran = reaseq(
        "ranker", "train", "--config", work / "small.toml", "--kb", f"sqlite:///{work}/shop.db", "--out", folder
    )

    assert ran.code == 0, ran.all
    return folder


@pytest.fixture
def trained(shop: str, trained_folder: Path, folder: Path) -> str:
    """The shop with a ranker in ranker-model."""
    shutil.copytree(trained_folder, folder / "ranker-model")
    return shop


def shop_rows() -> str:
    """Return a catalog of kettles and t-shirts, of each brand in several colours."""
    rows = ["sku,name,description,brand"]
    for number, brand in enumerate(BRANDS):
        for place, color in enumerate(COLORS):
            name = f"{brand} steel kettle 1.7 l {color}" if place % 2 else f"{brand} plain cotton t-shirt {color}"
            rows.append(f"S{number}{place},{name},,{brand}")
    return "\n".join(rows)


def _settle(folder: Path, cache: Path, departments: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(SETTING_PREFIXES)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("REASEQ_CACHE", str(cache))
    monkeypatch.setenv("REASEQ_TAXONOMY", str(departments))
    monkeypatch.chdir(folder)
    for terminal in (output.console, output.errors):
        monkeypatch.setattr(terminal, "_width", 400)
    (folder / "kettles.csv").write_text(ROWS, encoding="utf-8")
