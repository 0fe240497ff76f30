"""The floors: the contracts hold, and a breach of each kind is caught."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = [
    "studio",
    "commands",
    "graphs",
    "agents",
    "evaluators",
    "prompts",
    "diffusion",
    "ranker",
    "learning",
    "memory",
]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for floor in FLOORS:
        shutil.copytree(ROOT / floor, tmp_path / floor, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("app.py", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def test_the_house_keeps_its_contracts(house: Path) -> None:
    result = lint_imports(house)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("file", "breach", "contract"),
    [
        ("memory/errors.py", "import agents.critic", "A file imports only from the floors below its own"),
        ("agents/critic.py", "import graphs.nodes", "A file imports only from the floors below its own"),
        ("evaluators/golden.py", "import prompts.library", "A file imports only from the floors below its own"),
        ("agents/critic.py", "import langgraph", "langgraph is imported in graphs/ alone"),
        ("graphs/nodes.py", "import sqlmodel", "SQL stays in memory/"),
        ("memory/store.py", "import networkx", "networkx is imported in memory/knowledge_graph/graph.py alone"),
        (
            "commands/evaluate.py",
            "import scipy",
            "scipy is imported in evaluators/significance.py and learning/links.py alone",
        ),
        ("agents/answering.py", "import opentelemetry", "OpenTelemetry is imported in commands/telemetry/ alone"),
        ("agents/providers/ollama.py", "import openai", "langchain-openai is imported in its provider's file alone"),
        ("commands/show.py", "import nicegui", "nicegui is imported in studio/ alone"),
        ("commands/show.py", "import studio.parts", "A file imports only from the floors below its own"),
        ("commands/models.py", "import pydantic_settings", "Settings and environment are read in app.py alone"),
    ],
)
def test_a_breach_of_a_floor_is_caught(house: Path, file: str, breach: str, contract: str) -> None:
    with (house / file).open("a", encoding="utf-8") as source:
        source.write(f"\n{breach}\n")

    result = lint_imports(house)

    assert result.returncode == 1
    assert f"{contract} BROKEN" in " ".join(result.stdout.split())


def test_the_environment_is_read_at_the_door_alone() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for floor in FLOORS
        for path in (ROOT / floor).rglob("*.py")
        if "os.environ" in path.read_text(encoding="utf-8") or "getenv" in path.read_text(encoding="utf-8")
    }

    # These set what a library looks for: how llama.cpp's threads wait, that onnxruntime is silent, that Ray stays on
    # this machine and reports nothing, by which interface gloo talks.
    assert readers <= {
        "agents/providers/embedded.py",
        "commands/shared_training.py",
        "graphs/ray_cluster.py",
        "memory/onnx_session.py",
    }
