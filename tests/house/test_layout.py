"""The layout: one spelling an agent everywhere, sizes within limits, the wheel complete."""

import tomllib
from pathlib import Path

from graphs.dependencies import AGENTS
from graphs.enrichment import build_enrichment_graph
from prompts.library import PromptLibrary, default_folder
from tests.readme_graph import drawn, pictured
from tests.sizes import oversized

ROOT = Path(__file__).parents[2]


def test_agent_node_prompt_and_test_file_are_spelt_alike() -> None:
    nodes = set(build_enrichment_graph().get_graph().nodes) - {"__start__", "__end__"}

    for node in nodes:
        assert (ROOT / "agents" / f"{node}.py").exists(), node
        assert (ROOT / "prompts" / f"{node}.md").exists(), node
        assert (ROOT / "tests" / "agents" / f"test_{node}.py").exists(), node


def test_what_each_node_depends_on_is_stated_with_every_prompt_it_has() -> None:
    nodes = set(build_enrichment_graph().get_graph().nodes) - {"__start__", "__end__"}
    stated = {(needs.agent, prompt) for needs in AGENTS for prompt in needs.prompts}

    assert {needs.agent for needs in AGENTS} == nodes
    written = {(prompt.agent, prompt.name) for prompt in PromptLibrary.load(default_folder(), None)}
    assert stated == {(agent, name) for agent, name in written if agent != "interviewer"}  # no result of its own


def test_every_prompt_loads_and_belongs_to_a_node() -> None:
    nodes = set(build_enrichment_graph().get_graph().nodes) | {"interviewer"}  # asks again for every agent

    for variant in (None, "embedded"):
        assert {prompt.agent for prompt in PromptLibrary.load(default_folder(), variant)} <= nodes


def test_the_readme_shows_the_graph_as_langgraph_draws_it() -> None:
    assert pictured((ROOT / "README.md").read_text(encoding="utf-8")) == drawn()


def test_no_file_and_no_function_is_too_long() -> None:
    assert list(oversized(ROOT)) == []


def test_a_file_or_function_that_is_too_long_is_caught(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def long() -> None:\n" + "    pass\n" * 30 + "\n" * 300, encoding="utf-8")

    assert [line.split(": ")[1].split(" ")[0] for line in oversized(tmp_path)] == ["331", "long"]


def test_the_wheel_holds_every_floor() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"])
    floors = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"reaseq"}

    assert included == floors | {"app.py"}
