"""A folder of prompts as it was at a revision of its git repository, asked of the git that is installed."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from prompts.findings import PromptError
from prompts.sources import LARGEST_FILE, Texts, normal_text

SECONDS = 30  # that git may take
MOST_FILES = 1000


class GitUnusable(PromptError):
    """There is no git, no repository, or no such revision."""


def texts_at(folder: Path, revision: str) -> Texts:
    """Return the texts of a folder's prompts as they were at a revision ("HEAD~1", "v2", a hash), by path in it.

    Raises `GitUnusable` where the folder is in no repository, the revision is unknown, or it had no prompts then.
    """
    commit = _commit(folder, revision)
    listed = _git(folder, ["ls-tree", "-r", "-z", "--name-only", commit, "--", "."])
    files = [name for name in listed.split("\0") if name.endswith(".md") and not name.endswith("README.md")]
    if not files:
        raise GitUnusable(f"{folder} had no prompts at {revision}")
    if len(files) > MOST_FILES:
        raise GitUnusable(f"{folder} had {len(files)} files at {revision}; a folder of prompts has fewer")
    shallow = [name for name in files if name.count("/") <= 1]
    return {name: normal_text(_content(folder, commit, name)) for name in shallow}


def _commit(folder: Path, revision: str) -> str:
    """Return the hash of a revision; the word itself never reaches a command that could take it for an option."""
    if not revision or revision.startswith("-"):
        raise GitUnusable(f"{revision!r} is no revision")
    _git(folder, ["rev-parse", "--git-dir"])
    try:
        return _git(folder, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]).strip()
    except GitUnusable as error:
        raise GitUnusable(f"{folder}: its repository has no revision {revision!r}") from error


def _content(folder: Path, commit: str, name: str) -> str:
    content = _git(folder, ["cat-file", "blob", f"{commit}:./{name}"])
    if len(content) > LARGEST_FILE:
        raise GitUnusable(f"{folder / name} was larger than a prompt may be at {commit[:12]}")
    return content.removeprefix("\ufeff")


def _git(folder: Path, arguments: Sequence[str]) -> str:
    command = ["git", "-C", str(folder), "-c", "core.quotepath=off", "--no-pager", "--literal-pathspecs", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - a list of fixed words, a checked hash, and paths; no shell
            command, capture_output=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as error:
        raise GitUnusable("git is not installed: compare with --other DIR or --against-run RUN instead") from error
    except subprocess.TimeoutExpired as error:
        raise GitUnusable(f"git took longer than {SECONDS} seconds") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[0].removeprefix("fatal: ") if said else f"git ended with code {done.returncode}"
        raise GitUnusable(f"{folder}: {reason} (compare with --other DIR or --against-run RUN instead)")
    return done.stdout.decode("utf-8", "replace")
