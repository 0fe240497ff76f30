"""A run whose model several servers serve: balanced, one of them killed midway and started again, its secrets kept."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from agents.providers.server_state import ServerState
from commands.progress import server_line
from tests.commands.command_line import reaseq
from tests.model_server import ModelServer

ITEMS = 24
AT_ONCE = 8
SECRET = "not-to-be-told"


def stock() -> None:
    lines = [f"K{n},Acme{n} steel kettle 1.{n % 9 + 1} l red,Boils fast no {n}.,Acme{n}" for n in range(ITEMS)]
    Path("shop.csv").write_text("sku,name,description,brand\n" + "\n".join(lines) + "\n", encoding="utf-8")


def rows(query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect("knowledge.db")) as connection:
        return connection.execute(query).fetchall()


def killed_midway(server: ModelServer, after: int) -> threading.Thread:
    """Kill a server when so many questions have reached it, and start it again a second later."""

    def work() -> None:
        server.until_asked(after)
        server.kill()
        threading.Event().wait(1)
        server.start()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_server_killed_midway_loses_no_item_and_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stock()
    with ModelServer(tmp_path, delay=0.03) as first, ModelServer(tmp_path, delay=0.03) as second:
        addresses = [server.base_url.replace("://", f"://me:{SECRET}@") for server in (first, second)]
        monkeypatch.setenv("OPENAI_BASE_URL", ",".join(addresses))
        thread = killed_midway(second, 25)
        ran = reaseq("enrich", "shop.csv", "--model", "openai:small", "--json")
        thread.join()
        asked = first.asked + second.asked
        again = reaseq("enrich", "shop.csv", "--model", "openai:small", "--json").document
        settings = reaseq("settings").all

        assert ran.code == 0, ran.all
        assert ran.document["enriched"] == ITEMS
        assert rows("SELECT state, count(*) FROM work GROUP BY state") == [("enriched", ITEMS)]
        assert rows("SELECT key FROM model_call WHERE key != '' GROUP BY key HAVING count(*) > 1") == []
        assert second.asked >= 25
        kept = rows("SELECT count(*) FROM model_call WHERE outcome != 'paid_lost'")[0][0]
        assert isinstance(kept, int)
        assert kept <= asked <= kept + AT_ONCE  # what was under way at the kill was asked again, and nothing else
        assert again["skipped"] == {"done": ITEMS}
        assert first.asked + second.asked == asked
    assert SECRET not in ran.all + settings + str(rows("SELECT settings FROM run"))
    assert all(address.rpartition("@")[2] in settings for address in addresses)


def test_progress_says_how_the_servers_stand() -> None:
    well = ServerState(url="http://a:8000/v1", in_flight=3, answered=9, failed=0, seconds=0.2)
    aside = ServerState(
        url="http://b:8000/v1", in_flight=0, answered=2, failed=1, seconds=0.3, aside="cannot be reached"
    )

    line = server_line([well, aside])

    assert line == "1 of 2 servers well (http://b:8000/v1 cannot be reached, http://a:8000/v1 3 in flight)"


def test_batches_are_asked_of_one_server_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1,http://127.0.0.1:2/v1")

    ran = reaseq("enrich", "kettles.csv", "--model", "openai:small", "--provider-batch")

    assert ran.code == 1
    assert "has no batch API behind several servers: name one URL" in ran.errors
