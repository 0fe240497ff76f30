"""Spans: a run is a tree of them, by the conventions for generative AI; no word and no key is sent unasked."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from tests.commands.command_line import reaseq, reaseq_process
from tests.commands.willing_model import willing
from tests.loopback_provider import LoopbackProvider
from tests.otlp_collector import OtlpCollector, SeenSpan

MODEL = ("--model", "openai:small", "--kb", "sqlite:///own.db")
KEY, COLLECTORS_KEY = "sk-canary-of-the-model", "canary-of-the-collector"
AGENTS = ["category_expert", "attribute_extractor", "critic", "demand_analyst", "demand_critic", "summarizer"]
ITEM = "invoke_workflow enrichment"
CONVENTIONS = {value for name, value in vars(gen_ai_attributes).items() if name.startswith("GEN_AI_")}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackProvider]:
    with LoopbackProvider(willing) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield provider


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpCollector]:
    with OtlpCollector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Bearer%20{COLLECTORS_KEY}")
        yield collector


def chats(collector: OtlpCollector) -> list[SeenSpan]:
    return collector.named("chat small")


def test_a_run_is_a_tree_of_run_items_agents_and_questions(
    provider: LoopbackProvider, collector: OtlpCollector
) -> None:
    ran = reaseq("enrich", "kettles.csv", "--limit", 2, *MODEL, "--otel", collector.endpoint)

    assert ran.code == 0, ran.all
    (run,) = collector.named("reaseq run")
    assert (run.parent, run.attributes["reaseq.run.enriched"], run.attributes["reaseq.run.calls"]) == (b"", 2, 13)
    items = collector.children(run)
    assert {(item.name, item.attributes["reaseq.item.id"]) for item in items} == {(ITEM, "K1"), (ITEM, "K2")}
    for item in items:
        agents = collector.children(item)
        assert [agent.name for agent in agents] == [f"invoke_agent {agent}" for agent in AGENTS]
        for agent in agents:
            assert {question.name for question in collector.children(agent)} == {"chat small"}
            assert all(agent.began <= question.began for question in collector.children(agent))
            assert all(question.ended <= agent.ended for question in collector.children(agent))
    assert len({span.trace for span in collector.spans}) == 1
    assert collector.paths[0] == "/v1/traces"
    assert collector.resources[0]["service.name"] == "reaseq"


def test_a_question_says_what_the_conventions_ask_for(provider: LoopbackProvider, collector: OtlpCollector) -> None:
    reaseq("enrich", "kettles.csv", "--limit", 1, *MODEL, "--otel", collector.endpoint)

    told = next(span for span in chats(collector) if span.attributes["gen_ai.prompt.name"] == "critic")
    port = int(provider.host.rpartition(":")[2])
    assert told.kind == "CLIENT"
    assert (
        dict(told.attributes).items()
        >= {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "small",
            "gen_ai.request.max_tokens": 4096,
            "gen_ai.request.temperature": 0.0,
            "gen_ai.output.type": "json",
            "gen_ai.response.model": "small-2026",
            "gen_ai.usage.input_tokens": 11,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.agent.name": "critic",
            "server.address": "127.0.0.1",
            "server.port": port,
            "reaseq.item.id": "K1",
            "reaseq.replayed": False,
        }.items()
    )
    assert told.attributes["gen_ai.response.finish_reasons"] == ["stop"]
    names = {name for span in collector.spans for name in span.attributes if name.startswith("gen_ai.")}
    assert names <= CONVENTIONS


def test_no_text_and_no_key_is_sent_unasked(provider: LoopbackProvider, collector: OtlpCollector) -> None:
    ran = reaseq("enrich", "kettles.csv", *MODEL, "--otel", collector.endpoint)

    sent = b"".join(collector.bodies)
    for text in ("steel kettle", "Wasserkocher", "Boils fast", "You are the", "Acme", "carrying it home", "verdicts"):
        assert text.encode() not in sent, text
    assert collector.headers[0]["authorization"] == f"Bearer {COLLECTORS_KEY}"
    for key in (KEY, COLLECTORS_KEY):
        assert key.encode() not in sent
        assert key not in ran.all + reaseq("settings").all + reaseq("runs", "--kb", "sqlite:///own.db", "--json").all


def test_the_text_is_sent_when_asked_for(provider: LoopbackProvider, collector: OtlpCollector) -> None:
    reaseq("enrich", "kettles.csv", "--limit", 1, *MODEL, "--otel", collector.endpoint, "--otel-content")

    told = next(span for span in chats(collector) if span.attributes["gen_ai.prompt.name"] == "attribute_extractor")
    asked = json.loads(str(told.attributes["gen_ai.input.messages"]))
    (answer,) = json.loads(str(told.attributes["gen_ai.output.messages"]))
    assert [message["role"] for message in asked] == ["system", "user"]
    assert "Acme steel kettle 1.7 l red" in asked[1]["parts"][0]["content"]
    assert (answer["role"], answer["finish_reason"], answer["parts"][0]["type"]) == ("assistant", "stop", "text")
    assert json.loads(answer["parts"][0]["content"])["claims"][0]["value"] == "Acme"
    assert KEY.encode() not in b"".join(collector.bodies)


def test_an_answer_from_the_ledger_is_marked_and_counts_no_tokens(
    provider: LoopbackProvider, collector: OtlpCollector
) -> None:
    reaseq("enrich", "kettles.csv", "--limit", 1, *MODEL)

    reaseq("enrich", "kettles.csv", "--limit", 1, *MODEL, "--max-revisions", 1, "--otel", collector.endpoint)

    assert [span.attributes["reaseq.replayed"] for span in chats(collector)] == [True] * 6
    assert not any("gen_ai.usage.input_tokens" in span.attributes for span in chats(collector))


def test_a_failure_is_told_by_its_reason_with_each_try(provider: LoopbackProvider, collector: OtlpCollector) -> None:
    provider.fault = "no_choices"

    reaseq("enrich", "kettles.csv", "--limit", 1, *MODEL, "--otel", collector.endpoint)

    (question,) = chats(collector)
    assert [name for name, _ in question.events] == ["reaseq.failed_try"] * 2
    assert {attributes["error.type"] for _, attributes in question.events} == {"provider_protocol"}
    failed = [question, *collector.named("invoke_agent category_expert"), *collector.named(ITEM)]
    assert [(span.failed, span.said, span.attributes["error.type"]) for span in failed] == [
        (True, "provider_protocol", "provider_protocol")
    ] * 3


def test_a_trace_is_an_item_of_its_own(provider: LoopbackProvider, collector: OtlpCollector) -> None:
    ran = reaseq("trace", "kettles.csv", "--item", "K1", *MODEL, "--otel", collector.endpoint, "--otel-sample", 0)

    assert ran.code == 0, ran.all
    (item,) = collector.named(ITEM)
    assert item.parent == b""
    assert [agent.name for agent in collector.children(item)] == [f"invoke_agent {agent}" for agent in AGENTS]


def test_what_is_seen_is_sent_when_a_run_is_interrupted(
    provider: LoopbackProvider, collector: OtlpCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.fault = "hang"
    running = reaseq_process("enrich", "kettles.csv", *MODEL, "--otel", collector.endpoint, env=dict(os.environ))
    await_true(lambda: len(provider.asked) == 3)

    running.send_signal(signal.SIGINT)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)

    provider.released.set()
    assert len(collector.named("reaseq run")) == 1
    assert [span.attributes["error.type"] for span in collector.named(ITEM)] == ["CancelledError"] * 3


def await_true(holds: Callable[[], bool]) -> None:
    """Wait until it is so; fails after a minute."""
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.mark.parametrize("endpoint", ["http://me:canary@127.0.0.1:1", "http://127.0.0.1:1/?key=canary", "collector:1"])
def test_an_endpoint_that_is_none_or_holds_a_secret_is_refused_without_quoting_it(endpoint: str) -> None:
    ran = reaseq("enrich", "kettles.csv", "--kb", "sqlite:///own.db", "--otel", endpoint)

    assert ran.code == 1
    assert "--otel takes" in ran.errors
    assert "canary" not in ran.all


def test_a_missing_package_is_told_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("commands.telemetry")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)

    ran = reaseq("enrich", "kettles.csv", "--kb", "sqlite:///own.db", "--otel", "http://127.0.0.1:4318")

    assert ran.code == 1
    assert "pip install 'reaseq[otel]'" in ran.errors
