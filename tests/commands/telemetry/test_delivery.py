"""Delivery: a collector that is not there, hangs or refuses costs the run nothing, and what was lost is told once."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from agents.onlooker import Onlooker
from commands.settings import Settings
from commands.telemetry import delivery
from commands.telemetry.collector import CollectorInvalid, headers_of, traces_url
from commands.telemetry.opening import telemetry_to
from commands.telemetry.sampling import draw
from tests.commands.command_line import ROOT
from tests.otlp_collector import Fault, OtlpCollector

CLOSED = "http://127.0.0.1:9"  # nothing listens on the port of "discard"
ITEM = "invoke_workflow enrichment"


def seen(onlooker: Onlooker, items: int) -> None:
    """Let somebody look on at a run of so many items, each one turn long."""
    with onlooker.run("shop.csv", 1):
        for number in range(items):
            with onlooker.item(f"I{number}"), onlooker.turn("critic", f"I{number}"):
                pass


@pytest.fixture
def hanging() -> Iterator[OtlpCollector]:
    with OtlpCollector("hang") as collector:
        yield collector


async def test_a_share_of_the_items_is_sent_whole_and_the_same_ones_each_time() -> None:
    sent = []
    for _ in range(2):
        with OtlpCollector() as collector:
            async with telemetry_to(collector.endpoint, Settings(otel_sample=0.2)) as onlooker:
                seen(onlooker, 200)
        (run,) = collector.named("reaseq run")
        items = collector.children(run)
        assert all(len(collector.children(item)) == 1 for item in items)
        assert len(collector.spans) == 1 + 2 * len(items)
        sent.append({item.attributes["reaseq.item.id"] for item in items})

    assert sent[0] == sent[1] == {f"I{n}" for n in range(200) if draw(f"I{n}") < 0.2}
    assert 20 < len(sent[0]) < 60


async def test_where_nobody_listens_the_run_is_not_held_up_and_the_loss_is_told_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    began = time.process_time()
    async with telemetry_to(CLOSED, Settings()) as onlooker:
        seen(onlooker, 500)
        ended = time.monotonic()

    assert time.monotonic() - ended < delivery.PATIENCE_IN_TROUBLE + 5
    assert time.process_time() - began < 5
    said = capsys.readouterr().err
    assert said.count("1001 of 1001 spans were lost") == 1
    assert "no connection came about" in said
    assert len(said.splitlines()) == 1


async def test_a_collector_that_hangs_is_given_up_and_the_queue_stays_bounded(
    hanging: OtlpCollector, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(delivery, "PATIENCE", 0.5)
    monkeypatch.setattr(delivery, "QUEUED", 300)

    async with telemetry_to(hanging.endpoint, Settings()) as onlooker:
        began = time.monotonic()
        seen(onlooker, 1000)
        looked_on = time.monotonic() - began
        ended = time.monotonic()

    assert looked_on < 10
    assert time.monotonic() - ended < 10
    assert "2001 of 2001 spans were lost" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("redirect", "status 307"),
        ("busy", "status 503"),
        ("unauthorized", "status 401"),
        ("refuse", "it refused them"),
    ],
)
async def test_what_a_collector_does_not_take_is_counted_as_lost(
    fault: Fault, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with OtlpCollector(fault) as collector:
        async with telemetry_to(collector.endpoint, Settings()) as onlooker:
            seen(onlooker, 2)

    said = capsys.readouterr().err
    assert "5 of 5 spans were lost" in said
    assert told in said


async def test_a_text_that_is_no_unicode_loses_nothing() -> None:
    with OtlpCollector() as collector:
        async with telemetry_to(collector.endpoint, Settings()) as onlooker:
            with onlooker.item("half a pair \ud800"):
                pass

    assert [span.attributes["reaseq.item.id"] for span in collector.spans] == ["half a pair ?"]


def test_the_path_of_traces_is_added_where_it_lacks() -> None:
    assert traces_url("http://127.0.0.1:4318") == "http://127.0.0.1:4318/v1/traces"
    assert traces_url("https://shop.example/api/public/otel/") == "https://shop.example/api/public/otel/v1/traces"
    assert traces_url("http://127.0.0.1:6006/v1/traces") == "http://127.0.0.1:6006/v1/traces"


def test_headers_are_pairs_with_encoded_values() -> None:
    given = SecretStr("Authorization=Basic%20YTpi, x-team=shop")

    assert headers_of(given) == {"authorization": "Basic YTpi", "x-team": "shop"}


@pytest.mark.parametrize("given", ["canary", "=canary", "name=canary%0d%0aother: 1", "näme=canary"])
def test_headers_that_cannot_be_sent_are_refused_without_quoting_them(given: str) -> None:
    with pytest.raises(CollectorInvalid) as refused:
        headers_of(SecretStr(given))

    assert "canary" not in str(refused.value)


def test_nothing_of_it_is_imported_where_it_is_off() -> None:
    # What is ours: LangSmith, which LangChain brings, looks for OpenTelemetry's SDK on its own.
    names = '("commands.telemetry", "opentelemetry.exporter", "opentelemetry.proto")'
    code = f"import sys, app, commands.catalog_run; print([m for m in sys.modules if m.startswith({names})])"

    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert ran.stdout == "[]\n"
