"""What model specs stand for, and which models can be reached."""

import subprocess
import sys
from pathlib import Path

import pytest

from agents.providers.base import AuthenticationFailed, ChatModel, ModelSpecError
from agents.providers.specs import Client, build_model, reachable_models
from tests.loopback_provider import LoopbackProvider


def build(spec: str, *, openai_api_key: str | None = "sk-1") -> ChatModel:
    return build_model(
        spec,
        openai_api_key=openai_api_key,
        openai_base_url=None,
        ollama_host="http://127.0.0.1:11434",
        call_seconds=5,
    )


@pytest.mark.parametrize("spec", ["embedded:smollm2", "openai:gpt-4o-mini", "ollama:qwen3:0.6b", "ollama:a/b:latest"])
async def test_a_model_goes_by_the_spec_it_was_built_from(spec: str) -> None:
    model = build(spec)

    assert model.spec == spec

    await model.aclose()


@pytest.mark.parametrize(("client", "kind"), [("aiohttp", "ChatCompletionsModel"), ("langchain", "OpenAIModel")])
async def test_the_client_for_openai_compatible_servers_can_be_chosen(client: Client, kind: str) -> None:
    model = build_model(
        "openai:small",
        openai_api_key="sk-1",
        openai_base_url=None,
        ollama_host="http://127.0.0.1:11434",
        call_seconds=5,
        client=client,
    )

    assert type(model).__name__ == kind

    await model.aclose()


async def test_a_script_is_read_from_its_file(tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    script.write_text('{"agent": "critic", "answer": {}}\n', encoding="utf-8")

    assert build(f"scripted:{script}").spec == f"scripted:{script}"


@pytest.mark.parametrize(
    "spec", ["", "gpt-4o", "openai:", "ollama: ", "embedded:llama", "anthropic:claude", ":", "OPENAI:x"]
)
def test_an_unknown_form_is_refused_and_the_known_ones_are_listed(spec: str) -> None:
    with pytest.raises(ModelSpecError, match=r"embedded:smollm2, openai:MODEL, ollama:MODEL, scripted:FILE"):
        build(spec)


def test_a_missing_key_is_noticed_before_the_first_call() -> None:
    with pytest.raises(AuthenticationFailed):
        build("openai:gpt-4o-mini", openai_api_key=None)


def test_no_client_library_is_imported_before_its_provider_is_asked_for() -> None:
    code = (
        "import sys, agents.providers.specs\n"
        "clients = {'aiohttp', 'langchain_openai', 'langchain_ollama', 'openai', 'ollama', 'xllamacpp'}\n"
        "assert not clients & set(sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


async def test_the_models_of_all_servers_are_listed() -> None:
    with LoopbackProvider() as server:
        found = await reachable_models(openai_api_key=None, openai_base_url=server.base_url, ollama_host=server.host)

    specs = [model.spec for model in found if model.reachable]
    assert specs == ["embedded:smollm2", "openai:large", "openai:small", "ollama:large:latest", "ollama:small:latest"]


async def test_a_provider_that_cannot_be_reached_says_why() -> None:
    with LoopbackProvider() as gone:
        host = gone.host

    found = await reachable_models(openai_api_key=None, openai_base_url=None, ollama_host=host)

    notes = {model.spec: model.note for model in found if not model.reachable}
    assert "OPENAI_API_KEY" in notes["openai:MODEL"]
    assert "ollama serve" in notes["ollama:MODEL"]
