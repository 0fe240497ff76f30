"""The texts of prompt files: read with limits, kept by their path in the folder, and saved without losing an edit."""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from memory.atomic_file import written_whole
from memory.record import Record
from prompts.findings import Finding, PromptError, fault

LARGEST_FILE = 64 * 1024  # bytes
PROMPT_NAME = re.compile(r"[a-z][a-z_]*")
FRAGMENT_NAME = re.compile(r"_[a-z_]+\.md")
NEW = ""  # the hash of a file that is not there yet

Texts = dict[str, str]  # path in the folder ("critic.md", "_tone.md", "embedded/critic.md") -> text


class PromptChangedUnderneath(PromptError):
    """Somebody else has changed the file since it was read."""


class Source(Record):
    """A prompt file as it was read, and the hash that tells whether it still is."""

    text: str
    hash: str  # SHA-256 (hex) of its bytes


def read_source(path: Path) -> Source:
    """Return a file's text as it stands, and its hash; raises `PromptError` where it is no prompt file."""
    read_text(path, path.parent)
    content = path.read_bytes()
    return Source(text=content.decode("utf-8-sig"), hash=_hash_of(content))


def save_source(path: Path, text: str, *, base_hash: str, folder: Path | None = None) -> str:
    """Write a file whole and return its new hash; `base_hash` is that of the text that was edited, `NEW` if none was.

    Raises `PromptChangedUnderneath` where the file is not what was edited any more, and `PromptError` where it lies
    outside of `folder` (its own, unless given), has no name of a prompt, or is too large.
    """
    home = folder or path.parent
    _refuse_place(path, home)
    content = text.encode("utf-8", "replace")
    if len(content) > LARGEST_FILE:
        raise PromptError(f"{path}: a prompt has at most {LARGEST_FILE} bytes")
    with _alone_in(path.parent):
        present = _hash_of(path.read_bytes()) if path.exists() else NEW
        if present != base_hash:
            raise PromptChangedUnderneath(f"{path}: changed since it was read; read it again, nothing was written")
        with written_whole(path) as unfinished:
            unfinished.write_bytes(content)
            if path.exists():
                shutil.copymode(path, unfinished)
    return _hash_of(content)


def texts_in(folder: Path, variant: str | None = None) -> Texts:
    """Return the texts of a folder's prompts and fragments, and of those in its subfolder `variant`.

    Raises `PromptError` for the first that cannot be read or has no name of a prompt; README.md is none.
    """
    if not folder.is_dir():
        raise PromptError(f"{folder}: no such folder of prompts")
    texts = {}
    for path in prompt_paths(folder, variant):
        for found in name_faults(path):
            raise PromptError(str(found))
        texts[path.relative_to(folder).as_posix()] = read_text(path, folder)
    return texts


def prompt_paths(folder: Path, variant: str | None = None) -> Iterator[Path]:
    """Yield the files of a folder that are prompts or fragments, then those of its subfolder `variant`."""
    for place in (folder, *([folder / variant] if variant is not None else [])):
        yield from (path for path in sorted(place.glob("*.md")) if path.name != "README.md")


def name_faults(path: Path) -> Iterator[Finding]:
    """Yield what is wrong with a file's name."""
    if path.name.startswith("_"):
        if not FRAGMENT_NAME.fullmatch(path.name):
            yield fault(str(path), None, "name", "a fragment's name has small letters and _ only")
    elif not PROMPT_NAME.fullmatch(path.stem):
        yield fault(str(path), None, "name", "a prompt's name has small letters and _ only")


def read_text(path: Path, folder: Path) -> str:
    r"""Return a file's text with `\n` line ends and no white space before them; raises `PromptError`."""
    found = text_or_fault(path, folder)
    if isinstance(found, Finding):
        raise PromptError(str(found))
    return found


def text_or_fault(path: Path, folder: Path) -> str | Finding:
    """Return a file's text as `read_text` does, or what keeps it from being read."""
    if not path.resolve().is_relative_to(folder.resolve()):
        return fault(str(path), None, "file", f"the link leads out of {folder}")
    if not path.is_file():
        return fault(str(path), None, "file", "not a file")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return fault(str(path), None, "file", f"not UTF-8 text (byte {error.start})")
    except OSError as error:
        return fault(str(path), None, "file", error.strerror or "cannot be read")
    if len(content) > LARGEST_FILE:
        return fault(str(path), None, "file", f"a prompt has at most {LARGEST_FILE} bytes")
    return normal_text(text)


def normal_text(text: str) -> str:
    r"""Return a text with `\n` line ends, no white space before them, and none at its end."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip()


def _refuse_place(path: Path, folder: Path) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise PromptError(f"{path}: lies outside of {folder}")
    if path.suffix != ".md" or path.name == "README.md":
        raise PromptError(f"{path}: a prompt's file is NAME.md")
    for found in name_faults(path):
        raise PromptError(str(found))
    if not path.parent.is_dir():
        raise PromptError(f"{path.parent}: no such folder of prompts")


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep others that save here waiting: between the look at the hash and the renaming nothing may come."""
    place = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)


def _hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
