"""An evaluation as one document: the gold, the protocol, the figures, each item; what a later one is held against."""

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Literal

import orjson
from pydantic import Field, ValidationError

from evaluators.comparison import Comparison
from evaluators.golden import BadGoldLine, GoldItem
from evaluators.item_scores import ItemScore
from evaluators.marginal import Marginal
from evaluators.summary import Summary
from memory.errors import ReaseqError
from memory.record import Record
from memory.schema import Provenance

PROTOCOL = 1  # raised when the same answers get other scores


class EvaluationUnreadable(ReaseqError):
    """A file is no evaluation."""


class Protocol(Record):
    """By which rules answers were judged."""

    number: int = PROTOCOL
    match: Literal["normal", "exact"]  # values in their normal form, or letter by letter
    complete: bool  # what gold does not name is wrong


class GoldUsed(Record):
    """Which golden items were scored."""

    file: str
    fingerprint: str  # SHA-256 (hex) of the golden items scored, whatever their order
    items: int
    split: str | None = None
    sample: int | None = None
    seed: int = 0
    bad_lines: tuple[BadGoldLine, ...] = ()
    notes: tuple[str, ...] = ()


class SystemResult(Record):
    """One system's figures."""

    label: str
    provenance: Provenance | None  # None: a knowledge base of several configurations
    summary: Summary
    cost: Decimal | None  # of all items, at the present price; None: nobody says
    items: tuple[ItemScore, ...]


class GateRuling(Record):
    """Whether a system may follow an earlier one."""

    passed: bool
    earlier: str  # the file
    reasons: tuple[str, ...]
    comparison: Comparison | None = None  # None: the two cannot be compared


class Evaluation(Record):
    """All that one `reaseq evaluate` found out."""

    kind: Literal["reaseq evaluation"] = "reaseq evaluation"
    gold: GoldUsed
    protocol: Protocol
    system: SystemResult
    compared: SystemResult | None = None  # what `system` is compared with
    comparison: Comparison | None = None  # from `compared` to `system`
    marginals: tuple[Marginal, ...] = Field(default=())
    gate: GateRuling | None = None


def fingerprint_of(gold: Iterable[GoldItem]) -> str:
    """Return the SHA-256 (hex) of golden items; equal for equal ones, in whatever order."""
    lines = sorted(orjson.dumps(item.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS) for item in gold)
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def read_evaluation(path: Path) -> Evaluation:
    """Return a stored evaluation; raises `EvaluationUnreadable`."""
    try:
        return Evaluation.model_validate_json(path.read_bytes())
    except OSError as error:
        raise EvaluationUnreadable(f"{path} cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise EvaluationUnreadable(f"{path} is no evaluation: {place}: {first['msg']}") from error
