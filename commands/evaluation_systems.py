"""The systems of an evaluation: settings that are run over the gold, or versions of what a knowledge base knows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import typer

from agents.phrasing import phrase_value
from commands.catalog_run import Rows, run_rows
from commands.evaluation_gold import GoldSet, narrowed
from commands.output import INTERRUPTED, TERMINATED, say
from commands.purse import Purse
from commands.run_options import RunOptions, controls_of
from commands.run_watch import Watch
from commands.sample_scores import evidence_holds
from commands.settings import Settings
from evaluators.evaluation import SystemResult
from evaluators.item_scores import Grading, score_item
from evaluators.predictions import PredictedValue, Prediction
from evaluators.summary import summarize
from memory.database import Session, open_existing_database
from memory.model_call import Usage
from memory.rows import StoredKnowledge
from memory.runs import run_of
from memory.store import enrichments_of, failure_of
from memory.versions import current_version, versions


@dataclass
class Bench:
    """What all systems of an evaluation share: the gold, how it is judged, and one purse."""

    gold: GoldSet
    grading: Grading
    target_precision: float
    options: RunOptions
    watch: Watch | None = None  # of the runs; None: a person at a terminal
    purse: Purse = field(init=False)

    def __post_init__(self) -> None:
        self.purse = Purse(self.options)


async def run_system(settings: Settings, bench: Bench, label: str) -> SystemResult:
    """Run the gold's items (`run_gold`) and return the figures."""
    return known_system(settings, bench, label, await run_gold(settings, bench, label), own=True)


async def run_gold(settings: Settings, bench: Bench, label: str) -> int | None:
    """Run the gold's items through the graph, as a batch that goes on where it was stopped; return the version.

    A run that was stopped gives none: its problem is raised, after a signal `typer.Exit`.
    """
    say(f"{label}: {len(bench.gold.items)} golden items")
    rows = Rows(f"(gold of {bench.gold.used.file})", lambda _: bench.gold.items, lambda _: len(bench.gold.items))
    report = await run_rows(settings, rows, bench.purse.left, bench.watch)
    bench.purse.pay(report.spend.cost, report.tokens)
    if report.problem:
        raise report.problem
    if report.stopped_by:
        say("stopped; the same command goes on where this run was")
        raise typer.Exit(INTERRUPTED if report.stopped_by == 2 else TERMINATED)
    with open_existing_database(settings.kb) as database, database.session() as session:
        return run_of(session, report.run_id or 0).version_id


def known_system(
    settings: Settings, bench: Bench, label: str, version_id: int | None = None, *, own: bool = False
) -> SystemResult:
    """Return the figures of what a version (the current one unless given) of a knowledge base knows of the gold.

    `own`: only of what that version found out itself. A failed item counts as one of which nothing was found.
    """
    said = list(_predictions(settings, bench, version_id, own=own))
    scores = [
        score_item(golden, prediction, bench.grading) for golden, prediction in zip(bench.gold.gold, said, strict=True)
    ]
    usage = Usage(
        prompt_tokens=sum(score.prompt_tokens for score in scores),
        completion_tokens=sum(score.completion_tokens for score in scores),
    )
    price = controls_of(settings).price
    with open_existing_database(settings.kb) as database, database.session() as session:
        wanted = version_id or current_version(session)
        provenance = next((v.provenance for v in versions(session) if v.id == wanted), None)
    return SystemResult(
        label=label,
        provenance=provenance,
        summary=summarize(scores, bench.target_precision),
        cost=None if price is None or settings.stronger else price.of(usage),  # not all tokens at one price
        items=tuple(scores),
    )


def of_what_is_known(settings: Settings, gold: GoldSet, version_ids: Sequence[int | None]) -> GoldSet:
    """Return the golden items with whose texts each of these versions has ended, well or not."""
    with open_existing_database(settings.kb) as database, database.session() as session:
        ids = {item.id for item in gold.items}
        for version in version_ids:
            ids &= set(_ended(session, gold, version))
    return narrowed(gold, ids, "for the knowledge base does not know them with this text")


def _ended(session: Session, gold: GoldSet, version_id: int | None) -> Iterator[str]:
    """Yield the golden items with whose texts a version has ended."""
    hashes = {item.id: item.content_hash for item in gold.items}
    known = {one.item.id: one.item.content_hash for one in enrichments_of(session, hashes, version_id)}
    yield from (item_id for item_id, content_hash in known.items() if content_hash == hashes[item_id])
    yield from (item_id for item_id in hashes if item_id not in known and failure_of(session, item_id, version_id))


def _predictions(settings: Settings, bench: Bench, version_id: int | None, *, own: bool) -> Iterator[Prediction]:
    with open_existing_database(settings.kb) as database, database.session() as session:
        ids = [item.id for item in bench.gold.items]
        found = {known.item.id: prediction_of(known) for known in enrichments_of(session, ids, version_id, own=own)}
        for item in bench.gold.items:
            if item.id in found:
                yield found[item.id]
                continue
            failure = failure_of(session, item.id, version_id)
            yield Prediction(item_id=item.id, failure=failure.reason if failure else "unknown")


def prediction_of(known: StoredKnowledge) -> Prediction:
    """Return what is known of an item, as scores need it."""
    enrichment = known.enrichment
    holds = list(evidence_holds(known))
    return Prediction(
        item_id=enrichment.item_id,
        path=enrichment.category.path,
        values=tuple(
            PredictedValue(
                attribute=claim.name, written=claim.value, normal=phrase_value(claim), confidence=claim.confidence
            )
            for claim in enrichment.accepted
        ),
        demands=tuple(demand.text for demand in enrichment.accepted_demands if demand.positive),
        text_claims=len(holds),
        evidenced=sum(holds),
        ungrounded=len(enrichment.ungrounded),
        calls=enrichment.model_calls,
        prompt_tokens=enrichment.usage.prompt_tokens,
        completion_tokens=enrichment.usage.completion_tokens,
    )
