"""What systems reached on golden items, evaluation after evaluation: session first, the caller commits."""

from datetime import datetime
from decimal import Decimal

from pydantic import JsonValue
from sqlmodel import Session, col, select

from memory.prompt_tables import ScoreRow
from memory.record import Record
from memory.rows import now


class Score(Record):
    """One system's figures on golden items."""

    at: datetime | None = None  # None: it is to be kept
    label: str
    model: str
    prompts: tuple[tuple[str, str], ...]  # (name, fingerprint)
    gold_file: str
    gold_fingerprint: str
    items: int
    protocol: dict[str, JsonValue]
    precision: float
    recall: float
    f1: float
    category_accuracy: float
    cost: Decimal | None = None


def keep_score(session: Session, score: Score) -> None:
    """Store what a system reached, as of now."""
    content = score.model_dump(exclude={"at", "prompts"})
    session.add(ScoreRow(**content, prompts=[list(pair) for pair in score.prompts], at=now()))
    session.flush()


def scores_of(session: Session, name: str) -> list[tuple[str, Score]]:
    """Return (fingerprint of the prompt of that name, score) of each evaluation, oldest first."""
    found = []
    for row in session.exec(select(ScoreRow).order_by(col(ScoreRow.id))):
        content = {field: getattr(row, field) for field in Score.model_fields}
        score = Score.model_validate(content)
        found += [(fingerprint, score) for prompt, fingerprint in score.prompts if prompt == name]
    return found
