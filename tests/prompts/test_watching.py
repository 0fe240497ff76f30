"""Edits are noticed however an editor saves, in every file that a prompt is made of, and in no other."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from prompts.watching import edits
from tests.prompts.prompt_folder import CRITIC, written

SECONDS = 30  # to notice an edit, on a machine that others use as well


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    text = CRITIC.replace("You check facts.", "{% include '_tone.md' %}\nYou check facts.")
    written(tmp_path, text)
    written(tmp_path, "Be kind.", "_tone.md")
    written(tmp_path, "Nothing.", "_other.md")
    written(tmp_path, CRITIC, "embedded/critic.md")
    return tmp_path


def renamed_over(path: Path, text: str) -> None:
    """Save as vim does: the old file goes aside, a new one takes its name."""
    backup = path.with_name(path.name + "~")
    path.rename(backup)
    path.write_text(text, encoding="utf-8")
    backup.unlink()


def replaced(path: Path, text: str) -> None:
    """Save as most editors do: a temporary file takes the name."""
    unfinished = path.with_name(".unfinished.tmp")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def overwritten(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


async def noticed(folder: Path, change: Callable[[], None]) -> set[str]:
    """Return the files of the first edit that is noticed after a change, as paths in the folder."""
    watched = edits(folder, "critic", "embedded")
    first = asyncio.ensure_future(anext(watched))
    await asyncio.sleep(1)  # until the folder is watched
    change()
    found = await asyncio.wait_for(first, SECONDS)
    await watched.aclose()
    return {path.relative_to(folder).as_posix() for path in found}


@pytest.mark.parametrize("save", [renamed_over, replaced, overwritten])
@pytest.mark.parametrize("name", ["critic.md", "_tone.md", "embedded/critic.md"])
async def test_an_edit_is_noticed(folder: Path, save: Callable[[Path, str], None], name: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")

    assert await noticed(folder, lambda: save(folder / name, text + "More.\n")) == {name}


async def test_a_file_that_goes_away_is_an_edit(folder: Path) -> None:
    assert await noticed(folder, (folder / "_tone.md").unlink) == {"_tone.md"}


async def test_what_the_prompt_is_not_made_of_is_no_edit(folder: Path) -> None:
    def change() -> None:
        overwritten(folder / "_other.md", "Something.")
        overwritten(folder / "critic.md.swp", "x")
        os.utime(folder / "critic.md")
        overwritten(folder / "_tone.md", "Be strict.")

    assert await noticed(folder, change) == {"_tone.md"}


async def test_watching_ends_when_it_is_told_to(folder: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(1, stop.set)

    async def watched() -> list[frozenset[Path]]:
        return [found async for found in edits(folder, stop=stop)]

    assert await asyncio.wait_for(watched(), SECONDS) == []
