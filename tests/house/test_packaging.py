"""Packaging: the wheel holds everything that runs, and the launcher finds the floors in a clone and in a wheel."""

import ast
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement

from memory.version import VERSION

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FLOORS = (
    "agents",
    "commands",
    "diffusion",
    "evaluators",
    "graphs",
    "learning",
    "memory",
    "prompts",
    "ranker",
    "studio",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(built)


def run(*arguments: str, home: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, with what is in `home` installed."""
    command = [sys.executable, *arguments]
    environment = {"PYTHONPATH": str(home), "PATH": ""}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_holds_every_source_and_data_file_of_the_floors(wheel: Path) -> None:
    needed = {
        f"reaseq/{path.relative_to(ROOT).as_posix()}"
        for floor in FLOORS
        for path in (ROOT / floor).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    held = set(ZipFile(wheel).namelist())

    assert needed <= held
    assert {
        "reaseq/app.py",
        "reaseq/__main__.py",
        "reaseq/memory/departments/kitchen.yaml",
        "reaseq/memory/sample/catalog.csv",
        "reaseq/memory/sample/gold.jsonl",
        "reaseq/memory/migrations/versions/0001_first_tables.py",
        "reaseq/prompts/critic.md",
        "reaseq/prompts/embedded/attribute_extractor.md",
    } <= held


def test_the_wheel_puts_nothing_beside_its_one_package(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in ZipFile(wheel).namelist()}

    assert tops == {"reaseq", f"reaseq-{VERSION}.dist-info"}


def test_the_wheel_brings_the_licence_and_the_notice(wheel: Path) -> None:
    held = ZipFile(wheel).namelist()

    assert {f"reaseq-{VERSION}.dist-info/licenses/{name}" for name in ("LICENSE", "NOTICE")} <= set(held)


@pytest.mark.parametrize("launcher", [("-m", "reaseq"), (str(ROOT / "app.py"),)])
def test_a_clone_runs_from_any_folder(launcher: tuple[str, ...], tmp_path: Path) -> None:
    result = run(*launcher, "--version", home=ROOT, folder=tmp_path)

    assert (result.returncode, result.stdout) == (0, f"reaseq {VERSION}\n"), result.stderr


def test_a_wheel_runs_in_a_folder_whose_own_packages_are_named_like_the_floors(wheel: Path, tmp_path: Path) -> None:
    ZipFile(wheel).extractall(tmp_path / "installed")
    for floor in FLOORS:
        (tmp_path / floor).mkdir()
        (tmp_path / floor / "__init__.py").write_text("raise ImportError('not ours')", encoding="utf-8")

    result = run("-m", "reaseq", "prompts", "list", "--json", home=tmp_path / "installed", folder=tmp_path)

    assert result.returncode == 0, result.stderr
    assert '"critic"' in result.stdout


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the command in an environment that has the wheel, and sees what is installed for the tests."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, symlinks=True)
    python = home / "bin" / "python"
    (site,) = home.glob("lib/python*/site-packages")
    (site / "present.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    asked = ["--python", str(python), "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *asked], check=True)
    return home / "bin" / "reaseq"


def test_an_installed_wheel_does_the_first_steps_in_any_folder(installed: Path, tmp_path: Path) -> None:
    (package,) = installed.parents[1].glob("lib/python*/site-packages/reaseq")
    steps = [
        ["--version"],
        ["models"],
        ["enrich", str(package / "memory" / "sample" / "catalog.csv"), "--limit", "2"],
        ["show", "S001"],
        ["graph", "S001", "--html", "graph.html"],
        ["prompts", "new", "attribute_extractor", "--from", "attribute_extractor", "--prompts", "mine"],
        ["prompts", "lint", "--prompts", "mine"],
    ]

    ran = [subprocess.run([installed, *step], cwd=tmp_path, env={"PATH": ""}, capture_output=True) for step in steps]  # noqa: PLW1510

    assert [(step[0], result.returncode) for step, result in zip(steps, ran, strict=True)] == [
        (step[0], 0) for step in steps
    ], [result.stderr for result in ran]
    assert (tmp_path / "graph.html").stat().st_size > 0


def test_every_package_that_is_imported_is_declared() -> None:
    project = PROJECT["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    declared = {canonical(Requirement(line).name) for line in lines}
    distributions = packages_distributions()

    undeclared = {
        name
        for name in imported(["app.py", *FLOORS])
        if name not in sys.stdlib_module_names | {"app", *FLOORS}
        and not declared & {canonical(distribution) for distribution in distributions[name]}
    }

    assert undeclared == set()


def imported(places: list[str]) -> set[str]:
    """Return the packages that the product's files import, by the first part of their names."""
    names: set[str] = set()
    for path in (path for place in places for path in ([ROOT / place, *(ROOT / place).rglob("*.py")])):
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names.update(alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names.add(node.module.partition(".")[0])
    return names


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
