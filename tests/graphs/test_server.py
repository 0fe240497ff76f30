"""The graph as LangGraph's own server runs it: found by langgraph.json, fed with JSON, answering in JSON."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from pydantic_core import to_json

from agents.providers.scripted import ScriptedAnswer
from graphs.enrichment import EnrichmentGraph
from graphs.server import NoItem, build_served_graph
from graphs.state import EnrichmentState
from memory.database import open_database
from tests.databases import fresh_url, kept_at
from tests.graphs.bench_of_bottles import ITEM, NO_CAPABILITIES, context_of, proposal, ruling, usual_answers

ROOT = Path(__file__).parents[2]
PICK = ScriptedAnswer(agent="attribute_extractor", answer={"brand": "Acme"})


@pytest.fixture
def served(tmp_path: Path) -> Iterator[EnrichmentGraph]:
    """The graph with a model that only picks."""
    with open_database(fresh_url()) as database:
        yield build_served_graph(context_of(tmp_path, database, [PICK], capabilities=NO_CAPABILITIES)[0])


async def run(graph: EnrichmentGraph, given: object, config: RunnableConfig | None = None) -> dict[str, Any]:
    """Pass JSON in, and return the state as the JSON that a server sends."""
    state: EnrichmentState = given  # type: ignore[assignment]  # a server knows no types
    answered: dict[str, Any] = json.loads(to_json(await graph.ainvoke(state, config)))
    return answered


def values(state: dict[str, Any]) -> dict[str, str]:
    return {claim["name"]: claim["normalized"] for claim in state["claims"]}


def test_the_graph_that_langgraph_json_names_is_there() -> None:
    named: str = json.loads((ROOT / "langgraph.json").read_text(encoding="utf-8"))["graphs"]["enrichment"]

    file, _, function = named.partition(":")

    assert (ROOT / file).resolve() == ROOT / "app.py"
    assert callable(getattr(import_module("app"), function))


async def test_a_capable_model_enriches_an_item_that_came_as_json(tmp_path: Path) -> None:
    extracted = ScriptedAnswer(agent="attribute_extractor", answer={"claims": [proposal("brand", "Acme")]})
    accepted = ruling(*((f"0.{n}.{name}", "accept") for n in range(4) for name in ("brand", "volume", "color")))

    with open_database(fresh_url()) as database:
        context, _ = context_of(tmp_path, database, [*usual_answers(), extracted, accepted])
        state = await run(build_served_graph(context), {"item": {"title": ITEM.title}})

    assert state["summary"] == "A red water bottle by Acme."
    assert values(state) == {"brand": "Acme", "volume": "500", "color": "red"}
    assert {verdict["decision"] for verdict in state["verdicts"]} == {"accept"}


async def test_the_default_model_enriches_an_item_that_came_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REASEQ_KB", kept_at(tmp_path / "served.db"))
    monkeypatch.setenv("REASEQ_MODEL", "embedded:smollm2")

    async with import_module("app").enrichment_graph() as graph:
        state = await run(graph, {"item": {"title": "Acme water bottle 500 ml stainless steel blue"}})

    assert state["category"]["category_id"] == "kitchen.water-bottles"
    assert {"color": "blue", "material": "stainless steel"}.items() <= values(state).items()
    assert state["summary"]


async def test_a_thread_that_is_used_again_keeps_nothing_of_its_last_item(served: EnrichmentGraph) -> None:
    thread: RunnableConfig = {"configurable": {"thread_id": "1"}}
    with_memory = served.copy(update={"checkpointer": InMemorySaver()})

    await run(with_memory, {"item": {"title": ITEM.title}}, thread)
    state = await run(with_memory, {"item": {"title": "Acme mug blue"}}, thread)

    assert values(state) == {"brand": "Acme", "color": "blue"}
    assert len(state["verdicts"]) == 2


@pytest.mark.parametrize("given", [{"item": {"description": "blue"}}, {"item": {"title": " \0 "}}, {"item": "bottle"}])
async def test_an_input_without_a_title_is_refused_with_the_form_it_needs(
    served: EnrichmentGraph, given: object
) -> None:
    with pytest.raises(NoItem, match=r'the input is \{"item": \{"title": "…", "description": "…"\}\}'):
        await run(served, given)


def test_what_a_server_shows_of_the_graph_can_be_made(served: EnrichmentGraph) -> None:
    schema = served.get_input_jsonschema()

    assert set(schema["$defs"]["GivenItem"]["properties"]) == {"title", "description", "id"}
    assert "claims" in served.get_output_jsonschema()["properties"]
    assert served.get_context_jsonschema() is None
    assert {"category_expert", "attribute_extractor", "critic", "summarizer"} <= set(served.get_graph().nodes)
