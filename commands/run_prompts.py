"""The prompts that a run used, as the knowledge base keeps them."""

from collections.abc import Iterable

from commands.kept_prompts import as_used
from memory.database import DatabaseMissing, open_existing_database
from memory.errors import ReaseqError
from memory.kept_prompts import UnknownPrompt, kept_prompt
from memory.runs import Run, UnknownRun, run_of, runs
from memory.versions import versions
from prompts.library import Prompt

LAST = "last"


class RunUnusable(ReaseqError):
    """A run cannot be compared with."""


def prompt_of_run(kb: str, name: str, wanted: str) -> tuple[int, Prompt]:
    """Return the number of a run ("last": the newest one) and the prompt of that name that it used.

    Raises `RunUnusable` where there is no such run, it did not have the prompt, or it ran before prompts were kept.
    """
    with open_existing_database(kb) as database, database.session() as session:
        newest = runs(session, limit=1)
        if wanted != LAST and not wanted.isdecimal():
            raise RunUnusable(f"{wanted!r} is no run: give its number (`reaseq runs`), or {LAST}")
        if not newest:
            raise RunUnusable("the knowledge base has no runs yet")
        try:
            run = newest[0] if wanted == LAST else run_of(session, int(wanted))
        except (UnknownRun, OverflowError):
            raise RunUnusable(f"there is no run {wanted}; the newest is {newest[0].id}") from None
        known = next((version.provenance for version in versions(session) if version.id == run.version_id), None)
        fingerprint = dict(known.prompts).get(name) if known else None
        if fingerprint is None:
            raise RunUnusable(f"{_why(run)}, so that nobody knows its prompt {name!r}")
        try:
            return run.id, as_used(kept_prompt(session, name, fingerprint))
        except UnknownPrompt as error:
            raise RunUnusable(f"run {run.id} is older than the keeping of prompts: {error}") from error


def prompt_of_fingerprint(urls: Iterable[str], name: str, fingerprint: str) -> Prompt:
    """Return a prompt that some run used, by the first letters of its fingerprint; raises `UnknownPrompt`."""
    problem = UnknownPrompt(f"no knowledge base has a prompt {name!r} of the fingerprint {fingerprint[:12]!r}")
    for url in urls:
        try:
            with open_existing_database(url) as database, database.session() as session:
                return as_used(kept_prompt(session, name, fingerprint))
        except DatabaseMissing:
            continue
        except UnknownPrompt as error:
            problem = error
    raise problem


def _why(run: Run) -> str:
    return f"run {run.id}'s version was pruned" if run.version_id is None else f"run {run.id} used other prompts"
