"""What came of a run: every row is counted once."""

from collections import Counter
from dataclasses import dataclass, field

from graphs.outcomes import Enriched, Failed, Outcome, Skipped
from graphs.piece_ends import PieceEnd
from memory.catalog import RejectedRow
from memory.errors import ReaseqError
from memory.ledger import Spend
from memory.runs import RunCounts
from memory.schema import CatalogItem, Enrichment

SHOWN_ITEMS = 12  # of a run, in the closing table


@dataclass
class RunReport:
    """What came of a run: every row is counted once."""

    run_id: int | None = None  # None: there was nothing to do
    enriched: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    rejected: list[RejectedRow] = field(default_factory=list)
    claims: Counter[str] = field(default_factory=Counter)
    shown: list[tuple[CatalogItem, Enrichment]] = field(default_factory=list)
    worst: list[tuple[str, str, str]] = field(default_factory=list)
    spend: Spend = field(default_factory=Spend)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    whole: bool = False  # no error ended it, neither `problem` nor one that nobody foresaw
    stopped_by: int = 0  # the signal, if one stopped it
    problem: ReaseqError | None = None  # what stopped it, if something else did

    @property
    def counts(self) -> RunCounts:
        """Return where the rows ended."""
        return RunCounts(
            enriched=self.enriched,
            failed=sum(self.failed.values()),
            rejected=len(self.rejected),
            skipped=sum(self.skipped.values()),
        )

    @property
    def rows(self) -> int:
        """All rows whose end the run has seen."""
        return sum(dict(self.counts).values())

    @property
    def tokens(self) -> int:
        """Tokens paid in this run."""
        return self.spend.usage.prompt_tokens + self.spend.usage.completion_tokens

    def count(self, outcome: Outcome) -> None:
        """Count one row's end."""
        match outcome:
            case Enriched(item, enrichment):
                self.enriched += 1
                self.claims.update(verdict.decision.value for verdict in enrichment.verdicts)
                if len(self.shown) < SHOWN_ITEMS:
                    self.shown.append((item, enrichment))
            case Failed(item, reason, detail):
                self.failed[reason] += 1
                if len(self.worst) < SHOWN_ITEMS:
                    self.worst.append((item.id, reason, detail))
            case Skipped(_, why):
                self.skipped[why] += 1
            case RejectedRow():
                self.rejected.append(outcome)

    def add(self, end: PieceEnd) -> None:
        """Count the rows of a piece that has ended elsewhere."""
        self.enriched += end.enriched
        self.skipped.update(end.skipped)
        self.failed.update(end.failed)
        self.rejected.extend(end.rejected)
        self.claims.update(end.claims)
        self.worst.extend(end.worst[: SHOWN_ITEMS - len(self.worst)])

    def as_json(self) -> dict[str, object]:
        """Return the counts for `--json`."""
        return {
            "run": self.run_id,
            "rows": self.rows,
            "enriched": self.enriched,
            "skipped": dict(self.skipped),
            "failed": dict(self.failed),
            "failures": [{"item": i, "reason": r, "detail": d} for i, r, d in self.worst],
            "rejected": [row.model_dump() for row in self.rejected],
            "claims": dict(self.claims),
            "calls": self.spend.calls,
            "replayed": self.spend.replayed,
            "tokens": self.tokens,
            "cost": str(self.spend.cost),
            "unpriced_calls": self.spend.unpriced,
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "stopped": bool(self.stopped_by or self.problem),
        }
