"""`reaseq behaviors`: logs imported, counted, shown by user, deleted."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.command_line import ROOT, Ran, reaseq

LOG = """customer,sku,event,ts
ann,K1,pv,2026-03-01 10:00:00
ann,K2,cart,2026-03-01 10:05:00
ben,K9,buy,2026-03-02 09:00:00
ben,K1,buy,tomorrow
"""


@pytest.fixture
def imported(folder: Path) -> Ran:
    """How the import of clicks.csv ended."""
    (folder / "clicks.csv").write_text(LOG, encoding="utf-8")
    return reaseq("behaviors", "import", "clicks.csv", "--kb", "sqlite:///shop.db")


def shown(*arguments: str) -> Ran:
    return reaseq("behaviors", "show", *arguments, "--kb", "sqlite:///shop.db", "--json")


def test_an_import_tells_what_was_stored_and_what_was_not(imported: Ran) -> None:
    assert imported.code == 0
    assert "4 rows = 3 stored + 1 rejected" in imported.errors
    assert "rejected: clicks.csv, line 5: its time is no time that can be read: 'tomorrow'" in imported.errors
    assert "user = customer, item = sku, time = ts, kind = event" in imported.errors


def test_a_second_import_of_a_file_adds_nothing_and_says_so(imported: Ran) -> None:
    again = reaseq("behaviors", "import", "clicks.csv", "--kb", "sqlite:///shop.db")

    assert (imported.code, again.code) == (0, 0)
    assert "nothing was added" in again.errors
    assert shown().document["behaviors"] == 3


@pytest.mark.usefixtures("imported")
def test_the_counts_tell_items_that_the_catalog_lacks() -> None:
    reaseq("enrich", "kettles.csv", "--limit", "1", "--kb", "sqlite:///shop.db")

    document = shown().document

    assert (document["users"], document["items"], document["unknown_items"]) == (2, 3, 2)
    assert document["unknown"] == ["K2", "K9"]
    assert {(one["kind"], one["behaviors"]) for one in document["counts"]} == {("view", 1), ("cart", 1), ("buy", 1)}
    assert [one["origin"] for one in document["imports"]] == ["clicks.csv"]


@pytest.mark.usefixtures("imported")
def test_a_user_is_shown_newest_first() -> None:
    table = reaseq("behaviors", "show", "--user", "ann", "--kb", "sqlite:///shop.db")
    document = shown("--user", "ann", "--limit", "1").document

    assert table.output.index("2026-03-01 10:05:00") < table.output.index("2026-03-01 10:00:00")
    assert [deed["item"] for deed in document["behaviors"]] == ["K2"]


@pytest.mark.usefixtures("imported")
def test_a_user_is_forgotten() -> None:
    deleted = reaseq("behaviors", "delete", "--user", "ann", "--kb", "sqlite:///shop.db", "--json")

    assert deleted.document == {"deleted": 2}
    unknown = shown("--user", "ann")
    assert (unknown.code, unknown.output) == (1, "")
    assert "nothing is stored of user 'ann'" in unknown.errors


@pytest.mark.usefixtures("imported")
def test_imagined_behaviours_are_deleted_apart_from_logged_ones() -> None:
    deleted = reaseq(
        "behaviors", "delete", "--user", "ann", "--source", "diffusion", "--kb", "sqlite:///shop.db", "--json"
    )

    assert deleted.document == {"deleted": 0}
    assert shown().document["behaviors"] == 3


@pytest.mark.usefixtures("imported")
def test_an_import_is_taken_back() -> None:
    deleted = reaseq("behaviors", "delete", "--import", "1", "--kb", "sqlite:///shop.db")
    again = reaseq("behaviors", "delete", "--import", "1", "--kb", "sqlite:///shop.db")

    assert "deleted: 3 behaviours" in deleted.errors
    assert (again.code, "there is no import 1" in again.errors) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["import", "clicks.csv", "--kind", "buy"], 2, "leave out --kind"),
        (["import", "clicks.csv", "--kind", "look"], 2, "view, click, cart, buy"),
        (["import", "clicks.csv", "--map", "item"], 2, "FIELD=COLUMN"),
        (["import", "clicks.csv", "--map", "item=nothing"], 1, "no column 'nothing'"),
        (["import", "bad.csv"], 1, "none of its 1 rows is a behaviour; line 2 has no item"),
        (["import", "missing.csv"], 1, "missing.csv"),
        (["delete"], 2, "--user U"),
        (["delete", "--user", "u", "--import", "1"], 2, "--user U"),
        (["show", "--kb", "sqlite:///none.db"], 1, "there is no knowledge base"),
    ],
)
def test_wrong_usage_is_told(folder: Path, arguments: list[str], code: int, said: str) -> None:
    (folder / "clicks.csv").write_text(LOG, encoding="utf-8")
    (folder / "bad.csv").write_text("user,item,time\nu,,1\n", encoding="utf-8")

    ran = reaseq("behaviors", *arguments)

    assert ran.code == code
    assert said in " ".join(ran.errors.split())


def test_control_characters_of_a_log_never_reach_the_terminal(folder: Path) -> None:
    (folder / "log.csv").write_text("user,item,time\nu\x1b[31m,i,1\nu,i,\x1b]0;x\x07\nu,i,1\n", encoding="utf-8")

    ran = reaseq("behaviors", "import", "log.csv", "--kb", "sqlite:///shop.db")

    assert "2 rejected" in ran.errors
    assert "\x1b" not in ran.all


def test_without_polars_the_extra_to_install_is_told(folder: Path) -> None:
    (folder / "clicks.csv").write_text(LOG, encoding="utf-8")
    hidden = f"import sys; sys.modules['polars'] = None; sys.path.insert(0, {str(ROOT)!r}); import app; app.main()"

    ran = subprocess.run(
        [sys.executable, "-c", hidden, "behaviors", "import", "clicks.csv"], capture_output=True, text=True, check=False
    )

    assert ran.returncode == 1
    assert "pip install 'reaseq[vectors]'" in ran.stderr
    assert "Traceback" not in ran.stderr
