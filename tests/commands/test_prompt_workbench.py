"""The prompt engineer's commands: lint, diff, history, new, export, import, watch."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.commands.command_line import ROOT, reaseq, reaseq_process

EMBEDDED = "embedded/attribute_extractor.md"


@pytest.fixture
def my(folder: Path) -> Path:
    """A folder of prompts of one's own, and that of the settings."""
    return Path(shutil.copytree(ROOT / "prompts", folder / "my", ignore=shutil.ignore_patterns("*.py", "__pycache__")))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_prompts_without_faults_pass_the_lint() -> None:
    ran = reaseq("prompts", "lint", "--item", "S001")

    assert (ran.code, ran.output) == (0, "")
    assert "no findings" in ran.errors


def test_all_faults_are_listed_and_the_code_says_that_there_are_some(my: Path) -> None:
    edit(my / "critic.md", "{{ claims }}", "{{ claim }}")
    edit(my / EMBEDDED, "{{ item }}", "{{ item * 9 }}")

    ran, plain = reaseq("prompts", "lint", "--prompts", "my", "--json"), reaseq("prompts", "lint", "--prompts", "my")

    assert (ran.code, plain.code) == (1, 1)
    assert {(found["file"], found["rule"]) for found in ran.document} == {
        ("my/critic.md", "slot-unknown"),
        ("my/critic.md", "slot-unused"),
        (f"my/{EMBEDDED}", "construct"),
    }
    assert "my/critic.md:22" in plain.output


def test_a_prompt_that_is_long_once_it_is_filled_is_a_warning(my: Path, folder: Path) -> None:
    note = "word " * 4000
    (folder / "long.csv").write_text("id,title," + ",".join(f"f{n}" for n in range(200)) + "\n")
    with (folder / "long.csv").open("a") as file:
        file.write(f'L1,"Acme kettle","{note}",' + ",".join(f'"{note[:290]}"' for _ in range(199)) + "\n")
    edit(my / "critic.md", "{{ item }}", "{{ item }}\n{{ item }}")

    arguments = ("--prompts", "my", "--item", "L1", "--catalog", "long.csv", "--json")
    ran = reaseq("prompts", "lint", *arguments)

    assert ran.code == 0, ran.errors
    assert ("my/critic.md", "long-rendered") in {(found["file"], found["rule"]) for found in ran.document}


def test_an_edit_is_shown_as_it_is_written_and_as_the_item_sees_it(my: Path) -> None:
    edit(my / EMBEDDED, "Name the {{ attributes }}", "State the {{ attributes }}")

    ran = reaseq(
        "prompts", "diff", "attribute_extractor", "--other", ROOT / "prompts", "--prompts", "my", "--item", "S001"
    )

    assert ran.code == 0, ran.errors
    assert "-Name the {{ attributes }} of" in ran.output
    assert ran.output.count("+State the ") == 2
    assert "→" in ran.errors


def test_an_edit_is_held_against_git(my: Path) -> None:
    names = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    for arguments in (["init"], ["add", "my"], ["commit", "-m", "one"]):
        subprocess.run(["git", *names, *arguments], check=True, capture_output=True)
    edit(my / "critic.md", "You check facts", "You doubt facts")

    present = reaseq("prompts", "diff", "critic", "--prompts", "my")
    same = reaseq("prompts", "diff", "critic", "HEAD", "HEAD", "--prompts", "my")
    unknown = reaseq("prompts", "diff", "critic", "HEAD~4", "--prompts", "my")

    assert "+You doubt facts" in present.output
    assert "no difference" in same.output
    assert (unknown.code, "HEAD~4" in unknown.errors) == (1, True)


def test_an_edit_is_held_against_what_a_run_used(my: Path, folder: Path) -> None:
    kb = f"sqlite:///{folder}/own.db"
    assert reaseq("enrich", "kettles.csv", "--limit", 1, "--prompts", "my", "--kb", kb).code == 0
    edit(my / "critic.md", "You check facts", "You doubt facts")

    last = reaseq("prompts", "diff", "critic", "--against-run", "last", "--prompts", "my", "--kb", kb)
    first = reaseq("prompts", "diff", "critic", "--against-run", "1", "--prompts", "my", "--kb", kb)
    wrong = [
        reaseq("prompts", "diff", "critic", "--against-run", run, "--prompts", "my", "--kb", kb)
        for run in ("7", "x", "9" * 30)
    ]

    assert "-You check facts" in last.output
    assert "+You doubt facts" in first.output
    assert [ran.code for ran in wrong] == [1, 1, 1]
    assert "Traceback" not in "".join(ran.all for ran in wrong)


def test_one_thing_is_compared_with_at_a_time() -> None:
    assert reaseq("prompts", "diff", "critic", "HEAD", "--against-run", "last").code == 2


def test_history_tells_of_each_fingerprint_its_runs_and_items(my: Path, folder: Path) -> None:
    kb = f"sqlite:///{folder}/own.db"
    for old, new in (("", ""), ("{{ corrections }}", "{{ corrections }}\nNow.")):
        edit(my / EMBEDDED, old, new) if old else None
        assert reaseq("enrich", "kettles.csv", "--prompts", "my", "--kb", kb).code == 0

    ran = reaseq("prompts", "history", "attribute_extractor", "--prompts", "my", "--kb", kb, "--json")

    assert [(use["runs"], use["items"], use["present"]) for use in ran.document] == [(1, 3, False), (1, 3, True)]
    assert all(use["first"] and use["scores"] == [] for use in ran.document)
    assert "(present)" in reaseq("prompts", "history", "attribute_extractor", "--prompts", "my", "--kb", kb).output


def test_a_new_folder_is_whole_and_its_prompt_is_the_one_that_the_model_gets() -> None:
    ran = reaseq("prompts", "new", "attribute_extractor", "--from", "attribute_extractor", "--prompts", "own", "--json")
    again = reaseq("prompts", "new", "critic", "--from", "critic", "--prompts", "own", "--json")

    assert ran.document["file"] == f"own/{EMBEDDED}"
    assert (again.document["file"], again.document["copied"]) == ("own/critic.md", [])
    assert reaseq("prompts", "lint", "--prompts", "own").code == 0
    assert (
        reaseq("prompts", "list", "--prompts", "own", "--json").document == reaseq("prompts", "list", "--json").document
    )


def test_a_prompt_with_a_fault_or_in_the_place_of_another_is_not_written(my: Path) -> None:
    Path("strict.md").write_text((my / "critic.md").read_text().replace("facts", "all facts"), encoding="utf-8")
    Path("wrong.md").write_text((my / "critic.md").read_text().replace("{{ claims }}", ""), encoding="utf-8")
    before = (my / "critic.md").read_text()

    there = reaseq("prompts", "new", "critic", "--from", "strict.md", "--prompts", "my")
    wrong = reaseq("prompts", "new", "critic", "--from", "wrong.md", "--prompts", "my", "--replace")
    nowhere = reaseq("prompts", "new", "critic", "--from", "wrong.md", "--prompts", "elsewhere")

    assert (there.code, "--replace" in there.errors) == (1, True)
    assert (wrong.code, "claims" in wrong.errors) == (1, True)
    assert (nowhere.code, Path("elsewhere").exists()) == (1, False)
    assert (my / "critic.md").read_text() == before
    assert reaseq("prompts", "new", "critic", "--from", "strict.md", "--prompts", "my", "--replace").code == 0
    assert "all facts" in (my / "critic.md").read_text()


def test_a_fingerprint_of_the_history_leads_back_to_what_was_used(my: Path, folder: Path) -> None:
    kb = f"sqlite:///{folder}/own.db"
    assert reaseq("enrich", "kettles.csv", "--limit", 1, "--prompts", "my", "--kb", kb).code == 0
    [used] = reaseq("prompts", "history", "critic", "--prompts", "my", "--kb", kb, "--json").document
    edit(my / "critic.md", "You check facts", "You doubt facts")

    options = ("--prompts", "my", "--kb", kb, "--replace", "--json")
    back = reaseq("prompts", "new", "critic", "--from", used["fingerprint"][:12], *options)
    unknown = reaseq("prompts", "new", "critic", "--from", "f00df00df00d", *options)

    assert back.document["fingerprint"] == used["fingerprint"]
    assert (unknown.code, "f00df00df00d" in unknown.errors) == (1, True)


def test_a_prompt_goes_to_another_tool_and_comes_back(my: Path) -> None:
    edit(my / "critic.md", "You check facts", "You doubt facts")

    out = reaseq("prompts", "export", "critic", "critic.prompty", "--prompts", "my", "--json")
    back = reaseq("prompts", "import", "critic.prompty", "--as", "critic", "--prompts", "other", "--json")

    assert out.document["fingerprint"] == back.document["fingerprint"]
    assert (out.document["losses"], back.document["losses"]) == ([], [])
    assert reaseq("prompts", "import", "critic.prompty", "--as", "nonsense", "--prompts", "other").code == 1
    assert reaseq("prompts", "import", "critic.prompty", "--as", "critic").code == 2


def test_watching_shows_the_prompt_again_at_each_save_until_it_is_interrupted(my: Path) -> None:
    arguments = ("prompts", "watch", "critic", "--item", "K1", "--catalog", "kettles.csv", "--prompts", "my")
    with Path("shown").open("wb") as shown:
        process = reaseq_process(*arguments, env=dict(os.environ) | {"COLUMNS": "300"}, to=shown)
        _until(lambda: b"watching my" in Path("shown").read_bytes(), process)
        time.sleep(1)  # until the folder is watched
        edit(my / "critic.md", "{{ claims }}", "{{ claim }}")
        _until(lambda: b"not rendered" in Path("shown").read_bytes(), process)
        edit(my / "critic.md", "{{ claim }}", "{{ claims }}\nBe strict.")
        _until(lambda: b"Be strict." in Path("shown").read_bytes(), process)
        process.send_signal(signal.SIGINT)
        code = process.wait(60)

    assert code == 0
    assert b"Traceback" not in Path("shown").read_bytes()


def _until(happened: object, process: "subprocess.Popen[bytes]") -> None:
    assert callable(happened)
    for _ in range(1200):
        if happened():
            return
        assert process.poll() is None, Path("shown").read_text()
        time.sleep(0.1)
    raise AssertionError(Path("shown").read_text())
