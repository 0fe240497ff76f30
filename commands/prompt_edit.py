"""A temporary copy of the prompts, in which one is edited before it is tried."""

import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from commands.choices import EMBEDDED_VARIANT, keyless, model_of
from commands.output import say
from commands.settings import Settings
from memory.errors import ReaseqError
from prompts.library import PromptLibrary, default_folder


class EditorFailed(ReaseqError):
    """The editor could not be run, or ended with an error."""


def edited_prompts(settings: Settings, name: str) -> Path:
    """Open the editor on a copy of one prompt, and return the folder of the copies; it is kept, and named.

    Raises `EditorFailed`, and `PromptError` where the edited text breaks a rule.
    """
    parent = settings.cache / "edits"
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
    _copy(settings.prompts or default_folder(), folder)
    variant = None if model_of(keyless(settings)).capabilities.proposes else EMBEDDED_VARIANT
    PromptLibrary.load(folder, variant).get(name)
    path = _file_of(folder, name, variant)
    before = path.read_bytes()
    _open_editor(settings.editor, path)
    say(f"the edited prompt is {path}" if path.read_bytes() != before else "nothing was edited")
    PromptLibrary.load(folder, variant)
    return folder


def _copy(source: Path, target: Path) -> None:
    for path in source.rglob("*.md"):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _file_of(folder: Path, name: str, variant: str | None) -> Path:
    own = folder / (variant or "") / f"{name}.md"
    return own if own.exists() else folder / f"{name}.md"


def _open_editor(editor: str, path: Path) -> None:
    command = [*shlex.split(editor), str(path)]
    try:
        ended = subprocess.run(command, check=False)  # noqa: S603 - the user's own editor
    except OSError as error:
        raise EditorFailed(f"the editor {editor!r} cannot be run ({error}); set EDITOR to another") from error
    if ended.returncode:
        raise EditorFailed(f"the editor {editor!r} ended with code {ended.returncode}; nothing was run")
