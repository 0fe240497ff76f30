"""The prompts that runs have used, kept by their fingerprint: session first, the caller commits."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from memory.errors import ReaseqError
from memory.prompt_tables import PromptTextRow
from memory.record import Record
from memory.rows import now


class UnknownPrompt(ReaseqError):
    """The knowledge base has no such prompt."""


class KeptPrompt(Record):
    """One prompt as it was when a run used it."""

    name: str
    fingerprint: str
    agent: str
    purpose: str
    inputs: tuple[str, ...]
    notes: tuple[str, ...] = ()
    system: str
    user: str
    fragments: tuple[tuple[str, str], ...] = ()
    first_used: datetime | None = None  # None: it is to be kept


def keep_prompts(session: Session, prompts: Iterable[KeptPrompt]) -> None:
    """Store the prompts that are not kept yet."""
    for prompt in prompts:
        if session.get(PromptTextRow, (prompt.fingerprint, prompt.name)) is None:
            content = prompt.model_dump(mode="json", exclude={"name", "fingerprint", "first_used"})
            row = PromptTextRow(fingerprint=prompt.fingerprint, name=prompt.name, content=content, first_used=now())
            session.add(row)
    session.flush()


def kept_prompts(session: Session, name: str) -> list[KeptPrompt]:
    """Return the prompts of a name, oldest first."""
    query = select(PromptTextRow).where(PromptTextRow.name == name).order_by(col(PromptTextRow.first_used))
    return [_kept(row) for row in session.exec(query)]


def kept_prompt(session: Session, name: str, fingerprint: str) -> KeptPrompt:
    """Return the prompt of a name whose fingerprint begins so; raises `UnknownPrompt` for none, and for several."""
    found = [prompt for prompt in kept_prompts(session, name) if prompt.fingerprint.startswith(fingerprint)]
    if len(found) != 1:
        several = "several prompts" if found else "no prompt"
        raise UnknownPrompt(f"the knowledge base has {several} {name!r} of the fingerprint {fingerprint[:12]!r}")
    return found[0]


def _kept(row: PromptTextRow) -> KeptPrompt:
    own = {"name": row.name, "fingerprint": row.fingerprint, "first_used": row.first_used}
    return KeptPrompt.model_validate(row.content | own)
