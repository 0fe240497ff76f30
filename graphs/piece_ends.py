"""What came of a piece of a catalog: each of its rows counted once, small enough to travel."""

from collections import Counter
from dataclasses import dataclass, field

from graphs.outcomes import Enriched, Failed, Outcome, Skipped
from memory.catalog import RejectedRow
from memory.ledger import Spend
from memory.record import Record

SHOWN = 2  # items of a piece in the closing table of a run


class PieceEnd(Record):
    """Where a piece's rows ended; `problem` is what stopped it, `whole` whether no row is left."""

    number: int
    enriched: int
    skipped: dict[str, int]
    failed: dict[str, int]
    rejected: tuple[RejectedRow, ...]
    claims: dict[str, int]
    shown: tuple[str, ...]  # ids of some that were enriched
    worst: tuple[tuple[str, str, str], ...]  # item, reason, detail
    problem: str = ""
    whole: bool = True
    process: str = ""  # of the worker, with all that it has spent so far
    spend: Spend = Spend()
    cpu_seconds: float = 0.0


class Ended(Record):
    """How many rows ended how, for a live view."""

    enriched: int = 0
    failed: int = 0
    rejected: int = 0
    skipped: int = 0


@dataclass
class Tally:
    """The count of a piece that is under way."""

    number: int
    enriched: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    rejected: list[RejectedRow] = field(default_factory=list)
    claims: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)
    worst: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def so_far(self) -> Ended:
        """Return the counts so far."""
        return Ended(
            enriched=self.enriched,
            failed=sum(self.failed.values()),
            rejected=len(self.rejected),
            skipped=sum(self.skipped.values()),
        )

    def count(self, outcome: Outcome) -> None:
        """Count one row's end."""
        match outcome:
            case Enriched(item, enrichment):
                self.enriched += 1
                self.claims.update(verdict.decision.value for verdict in enrichment.verdicts)
                if len(self.shown) < SHOWN:
                    self.shown.append(item.id)
            case Failed(item, reason, detail):
                self.failed[reason] += 1
                if len(self.worst) < SHOWN:
                    self.worst.append((item.id, reason, detail))
            case Skipped(_, why):
                self.skipped[why] += 1
            case RejectedRow():
                self.rejected.append(outcome)

    def end(self, *, whole: bool, problem: str = "") -> PieceEnd:
        """Return what came of the piece."""
        return PieceEnd(
            number=self.number,
            enriched=self.enriched,
            skipped=dict(self.skipped),
            failed=dict(self.failed),
            rejected=tuple(self.rejected),
            claims=dict(self.claims),
            shown=tuple(self.shown),
            worst=tuple(self.worst),
            problem=problem,
            whole=whole,
        )
