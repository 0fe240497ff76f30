"""The files of prompts are saved whole, and no edit of anybody else is lost."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prompts.findings import PromptError
from prompts.library import PromptLibrary, default_folder
from prompts.sources import NEW, PromptChangedUnderneath, read_source, save_source
from tests.prompts.prompt_folder import CRITIC, written


def test_a_text_is_saved_where_it_was_read(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.chmod(0o640)

    new_hash = save_source(path, CRITIC + "More.\n", base_hash=read_source(path).hash)

    assert read_source(path).text == CRITIC + "More.\n"
    assert read_source(path).hash == new_hash
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["critic.md"]


def test_a_file_that_changed_underneath_stays_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path)
    base = read_source(path).hash
    written(tmp_path, CRITIC + "Theirs.\n")

    with pytest.raises(PromptChangedUnderneath, match="nothing was written"):
        save_source(path, CRITIC + "Mine.\n", base_hash=base)

    assert path.read_text(encoding="utf-8").endswith("Theirs.\n")


def test_a_file_that_went_away_or_came_is_a_change_too(tmp_path: Path) -> None:
    path = written(tmp_path)
    base = read_source(path).hash

    with pytest.raises(PromptChangedUnderneath):
        save_source(path, CRITIC, base_hash=NEW)
    path.unlink()
    with pytest.raises(PromptChangedUnderneath):
        save_source(path, CRITIC, base_hash=base)

    assert not path.exists()


def test_of_many_that_save_at_once_one_does(tmp_path: Path) -> None:
    path = written(tmp_path)
    base = read_source(path).hash

    def save(number: int) -> bool:
        try:
            save_source(path, f"{CRITIC}{number}\n", base_hash=base)
        except PromptChangedUnderneath:
            return False
        return True

    with ThreadPoolExecutor(8) as writers:
        saved = list(writers.map(save, range(24)))

    assert sum(saved) == 1
    assert path.read_text(encoding="utf-8") == f"{CRITIC}{saved.index(True)}\n"


@pytest.mark.parametrize("name", ["../critic.md", "critic.py", "README.md", "Critic.md", "none/critic.md", "_Tone.md"])
def test_what_is_no_prompt_of_the_folder_is_not_written(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()

    with pytest.raises(PromptError):
        save_source(folder / name, CRITIC, base_hash=NEW, folder=folder)

    assert [path.name for path in tmp_path.rglob("*")] == ["prompts"]


def test_a_link_that_leads_out_is_not_written_through(tmp_path: Path) -> None:
    outside = written(tmp_path / "outside")
    (tmp_path / "prompts").mkdir()
    link = tmp_path / "prompts" / "critic.md"
    link.symlink_to(outside)

    with pytest.raises(PromptError, match="outside"):
        save_source(link, "x", base_hash=NEW, folder=tmp_path / "prompts")

    assert outside.read_text(encoding="utf-8") == CRITIC


def test_a_text_that_is_too_large_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="at most"):
        save_source(tmp_path / "critic.md", "x" * 70_000, base_hash=NEW)


def test_a_library_with_another_text_renders_it_and_writes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, CRITIC.replace("You check facts.", "{% include '_tone.md' %}\nYou check facts."))
    written(tmp_path, "Be kind.", "_tone.md")
    library = PromptLibrary.load(tmp_path)

    edited = library.with_text("critic", CRITIC.replace("You check facts.", "You doubt."))
    stricter = library.with_text("_tone.md", "Be strict.")

    assert edited.get("critic").system.startswith("You doubt.")
    assert stricter.get("critic").render(item="i", claims="c").messages[0].content.startswith("Be strict.")
    assert edited.file_of("critic") == path
    assert "You check facts." in path.read_text(encoding="utf-8")
    with pytest.raises(PromptError, match="rating"):
        library.with_text("critic", CRITIC + "{{ rating }}")


def test_an_edit_of_a_prompt_with_a_variant_is_one_of_the_variant() -> None:
    library = PromptLibrary.load(default_folder(), "embedded")
    file = library.file_of("attribute_extractor")

    edited = library.with_text("attribute_extractor", read_source(file).text.replace("Name the", "State the"))

    assert file.parent.name == "embedded"
    assert edited.get("attribute_extractor").system.startswith("State the")
    assert edited.get("critic") == library.get("critic")
