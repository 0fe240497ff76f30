"""A folder of prompts of one's own: copied whole from another, with one prompt that is new."""

from pathlib import Path

from prompts.findings import PromptError
from prompts.sources import NEW, Source, prompt_paths, read_source, save_source


class PromptExists(PromptError):
    """There is such a prompt already, and nobody said that it may be replaced."""


def copy_missing(source: Path, folder: Path) -> list[Path]:
    """Copy the prompts, fragments and variants that `folder` lacks, and return the new files."""
    variants = sorted({path.parent.name for path in source.glob("*/*.md")})
    made = []
    for path in {path: None for name in (None, *variants) for path in prompt_paths(source, name)}:
        target = folder / path.relative_to(source)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            save_source(target, read_source(path).text, base_hash=NEW, folder=folder)
            made.append(target)
    return made


def put_prompt(path: Path, text: str, folder: Path, *, replace: bool) -> None:
    """Write one prompt of a folder; raises `PromptExists` where another text is there and may not be replaced."""
    present = read_source(path) if path.exists() else Source(text="", hash=NEW)
    if path.exists() and present.text == text:
        return
    if path.exists() and not replace:
        raise PromptExists(f"{path} is there already, with another text: --replace puts the new one in its place")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_source(path, text, base_hash=present.hash, folder=folder)
