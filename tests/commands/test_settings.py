"""Settings: which source wins, what is said of a wrong one, and that secrets stay secret."""

from pathlib import Path

import pytest

from tests.commands.command_line import reaseq
from tests.commands.willing_model import willing
from tests.loopback_provider import Fault, LoopbackProvider

CANARY = "sk-canary-7f3a9b"


def origins() -> dict[str, tuple[str, str]]:
    """Return each setting's value and origin."""
    document = reaseq("settings", "--json").document
    return {name: (entry["value"], entry["from"]) for name, entry in document.items()}


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("reaseq.toml").write_text('model = "openai:of-file"\nconcurrency = 3\n', encoding="utf-8")
    monkeypatch.setenv("REASEQ_MODEL", "ollama:of-environment")

    found = origins()

    assert found["model"] == ("ollama:of-environment", "environment")
    assert found["concurrency"] == ("3", "reaseq.toml")
    assert found["max_revisions"] == ("2", "default")


def test_the_command_line_goes_before_all(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("reaseq.toml").write_text('kb = "sqlite:///of-file.db"\n', encoding="utf-8")
    from_file = reaseq("show", "K1")
    monkeypatch.setenv("REASEQ_KB", "sqlite:///of-environment.db")
    from_environment = reaseq("show", "K1")
    from_command_line = reaseq("show", "K1", "--kb", "sqlite:///of-command-line.db")

    assert "of-file.db" in from_file.errors
    assert "of-environment.db" in from_environment.errors
    assert "of-command-line.db" in from_command_line.errors


def test_the_names_of_the_providers_own_tools_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:8")
    monkeypatch.setenv("REASEQ_OLLAMA_HOST", "http://127.0.0.1:7")

    found = origins()

    assert found["openai_base_url"] == ("http://127.0.0.1:9/v1", "environment (provider's name)")
    assert found["ollama_host"] == ("http://127.0.0.1:7", "environment")


def test_an_empty_variable_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REASEQ_MODEL", "")
    monkeypatch.setenv("REASEQ_CONCURRENCY", "")

    found = origins()

    assert found["model"] == ("embedded:smollm2", "default")
    assert found["concurrency"] == ("8", "default")


@pytest.mark.parametrize(
    "content",
    [b'model = "', b"\xff\xfe", b"[", b"colour = 1", b'concurrency = "many"', b"concurrency = 0", b"kb = 7"],
)
def test_a_broken_settings_file_is_named(content: bytes) -> None:
    Path("reaseq.toml").write_bytes(content)

    ran = reaseq("settings")

    assert ran.code == 2
    assert ran.errors.startswith("error: settings: ")
    assert "reaseq.toml" in ran.errors
    assert ran.output == ""


def test_a_wrong_setting_is_named_with_where_it_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REASEQ_CONCURRENCY", "many")

    ran = reaseq("settings")

    assert ran.code == 2
    assert "concurrency (environment)" in ran.errors


def test_the_version_is_told_even_where_the_settings_are_broken() -> None:
    Path("reaseq.toml").write_text("[", encoding="utf-8")

    ran = reaseq("--version")

    assert ran.code == 0
    assert ran.output.startswith("reaseq ")


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "REASEQ_OPENAI_API_KEY"])
def test_the_key_is_never_shown(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, CANARY)

    said = [reaseq("settings").all, reaseq("settings", "--json").all]

    assert all("openai_api_key" in text and "***" in text for text in said)
    assert all(CANARY not in text for text in said)


def test_a_key_in_a_broken_setting_is_not_shown() -> None:
    Path("reaseq.toml").write_text(f'openai_api_key = ["{CANARY}"]\n', encoding="utf-8")

    ran = reaseq("settings")

    assert ran.code == 2
    assert "openai_api_key" in ran.errors
    assert CANARY not in ran.all


def test_a_password_in_an_address_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://me:{CANARY}@127.0.0.1:9/v1")
    monkeypatch.setenv("OLLAMA_HOST", f"http://me:{CANARY}@127.0.0.1:9")

    said = [reaseq("settings").all, reaseq("settings", "--json").all, reaseq("models").all]

    assert all("127.0.0.1:9" in text for text in said)
    assert all(CANARY not in text for text in said)


@pytest.mark.parametrize("fault", [None, "401", "500"])
def test_the_key_is_in_no_output_and_in_no_stored_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault | None
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)

    with LoopbackProvider(willing, fault=fault) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        said = [
            reaseq("models").all,
            reaseq("enrich", "kettles.csv", "--model", "openai:small").all,
            reaseq("trace", "--title", "Kettle", "--model", "openai:small", "--json").all,
            reaseq("show", "K1", "--json").all,
            *(reaseq("export", "--format", kind, "--out", f"out.{kind}").all for kind in ("jsonl", "csv", "graphml")),
        ]
        sent = [asked.headers["authorization"] for asked in provider.asked]

    assert f"Bearer {CANARY}" in sent
    assert all(CANARY not in text for text in said)
    written = [path for path in folder.iterdir() if path.is_file()]
    assert {path.name for path in written} >= ({"knowledge.db", "out.jsonl"} if fault is None else {"knowledge.db"})
    assert [path.name for path in written if CANARY.encode() in path.read_bytes()] == []


def test_an_agent_that_is_to_go_without_asks_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackProvider(willing) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        with_all = reaseq("enrich", "kettles.csv", "--model", "openai:small", "--limit", 1, "--json").document
        provider.asked.clear()
        Path("reaseq.toml").write_text('without = ["critic", "demand_analyst", "summarizer"]\n', encoding="utf-8")
        without = reaseq("enrich", "kettles.csv", "--model", "openai:small", "--limit", 1, "--json").document

    assert (with_all["enriched"], without["enriched"]) == (1, 1)  # another configuration makes a version of its own
    assert provider.asked == []  # the answers of the other agents are there, and these three ask nothing
    assert without["replayed"] == 2  # the category, the claims; the template is stored


def test_an_agent_that_nobody_knows_cannot_go_without() -> None:
    Path("reaseq.toml").write_text('without = ["cook"]\n', encoding="utf-8")

    ran = reaseq("settings")

    assert ran.code == 2
    assert "without" in ran.errors
