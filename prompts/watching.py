"""Waiting for edits: of a prompt's own file, and of every file that it includes or that may stand in for it."""

import asyncio
import re
from collections.abc import AsyncGenerator
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

from prompts.findings import Finding
from prompts.sources import prompt_paths, text_or_fault

SETTLE_MILLISECONDS = 120  # an editor renames, writes and touches; the last of it counts
_INCLUDED = re.compile(r"{%-?\s*include\s+[\"'](_[a-z_]+\.md)[\"']")

Contents = dict[Path, str]


async def edits(
    folder: Path, name: str | None = None, variant: str | None = None, *, stop: asyncio.Event | None = None
) -> AsyncGenerator[frozenset[Path], None]:
    """Yield the files that changed, each time that what a prompt is made of does (of every prompt unless named).

    The folder is watched, and not the file: editors put another file in its place. What was only touched, or changed
    and changed back, is no edit; a file that went away or came is. It ends when `stop` is set.
    """
    before = contents(folder, name, variant)
    async for _ in awatch(
        folder, watch_filter=_Prompts(), debounce=SETTLE_MILLISECONDS * 4, step=SETTLE_MILLISECONDS, stop_event=stop
    ):
        after = contents(folder, name, variant)
        changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        before = after
        if changed:
            yield frozenset(changed)


def contents(folder: Path, name: str | None = None, variant: str | None = None) -> Contents:
    """Return the texts that a prompt is made of, by file; that of one that cannot be read is the reason."""
    texts = {path: _text(path, folder) for path in prompt_paths(folder, variant)}
    if name is None:
        return texts
    own = {path: text for path, text in texts.items() if path.stem == name}
    included = {fragment for text in own.values() for fragment in _INCLUDED.findall(text)}
    return own | {path: text for path, text in texts.items() if path.name in included}


def _text(path: Path, folder: Path) -> str:
    found = text_or_fault(path, folder)
    return str(found) if isinstance(found, Finding) else found


class _Prompts(DefaultFilter):
    """Only files of prompts: no backups and no swap files of editors."""

    def __call__(self, change: Change, path: str) -> bool:
        return path.endswith(".md") and super().__call__(change, path)
