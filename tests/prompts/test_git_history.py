"""Prompts as they were at a revision of a real repository, and what is said where there is none."""

import subprocess
from pathlib import Path

import pytest

from prompts.git_history import GitUnusable, texts_at
from prompts.library import PromptLibrary
from tests.prompts.prompt_folder import CRITIC, written


def git(folder: Path, *arguments: str) -> None:
    names = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    subprocess.run(["git", "-C", str(folder), *names, *arguments], check=True, capture_output=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of prompts inside a repository with two commits, edited since."""
    git(tmp_path, "init")
    folder = tmp_path / "my prompts"
    written(folder, CRITIC.replace("You check facts.", "{% include '_tone.md' %}\nYou check facts."))
    written(folder, "Be kind.", "_tone.md")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "one")
    written(folder, "Be strict.", "_tone.md")
    git(tmp_path, "commit", "-a", "-m", "two")
    written(folder, "Be silent.", "_tone.md")
    return folder


@pytest.mark.parametrize(("revision", "tone"), [("HEAD", "Be strict."), ("HEAD~1", "Be kind.")])
def test_a_prompt_is_read_with_its_fragments_as_they_were(folder: Path, revision: str, tone: str) -> None:
    library = PromptLibrary.from_texts(texts_at(folder, revision), None, folder)

    assert library.get("critic").render(item="i", claims="c").messages[0].content.startswith(tone)


@pytest.mark.parametrize("revision", ["HEAD~9", "nonsense", "", "--output=x", "HEAD:critic.md", "a b", "-h"])
def test_what_is_no_revision_is_refused(folder: Path, revision: str) -> None:
    with pytest.raises(GitUnusable, match="revision"):
        texts_at(folder, revision)

    assert not (folder / "x").exists()


def test_a_folder_outside_of_a_repository_is_told(tmp_path: Path) -> None:
    written(tmp_path)

    with pytest.raises(GitUnusable, match=r"not a git repository.*--other"):
        texts_at(tmp_path, "HEAD")


def test_a_folder_that_was_not_there_yet_is_told(folder: Path) -> None:
    written(folder.parent / "new")

    with pytest.raises(GitUnusable, match="had no prompts at HEAD"):
        texts_at(folder.parent / "new", "HEAD")


def test_a_machine_without_git_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(GitUnusable, match="git is not installed"):
        texts_at(folder, "HEAD")
