"""`reaseq enrich` and `reaseq demo`: a catalog through the graph, with progress, and what came of it."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.catalog_items import SAMPLE_CATALOG
from commands.knowledge import print_items
from commands.output import AsJson, KnowledgeBase, invoked, print_json, run_async, say
from commands.progress import RunProgress
from commands.settings import Settings, settings_of
from memory.catalog import RejectedRow, read_catalog
from memory.schema import CatalogItem, Enrichment

if TYPE_CHECKING:
    from commands.workshop import Workshop
    from graphs.batch import Outcome

DEMO_KB = "sqlite:///demo.db"
SHOWN_ITEMS = 12  # of a run, in the closing table
COUNTED_BYTES = 20_000_000  # a larger catalog is not read twice just to show how far the run is

Model = Annotated[str | None, typer.Option("--model", help="PROVIDER:MODEL; see `reaseq models`.", metavar="SPEC")]
Prompts = Annotated[Path | None, typer.Option("--prompts", help="A folder of prompts to use instead.", metavar="DIR")]
TaxonomyFile = Annotated[Path | None, typer.Option("--taxonomy", help="A taxonomy to use instead.", metavar="FILE")]
Revisions = Annotated[
    int | None, typer.Option("--max-revisions", help="How often failed claims go back.", min=0, max=10)
]
Limit = Annotated[int | None, typer.Option("--limit", help="Only the first N rows.", min=1)]
ColumnMap = Annotated[
    list[str] | None,
    typer.Option("--map", help="Which column is what: title=Name; may be repeated.", metavar="FIELD=COLUMN"),
]


@dataclass
class RunReport:
    """What came of a run: every row is counted once."""

    enriched: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    rejected: list[RejectedRow] = field(default_factory=list)
    claims: Counter[str] = field(default_factory=Counter)
    shown: list[tuple[CatalogItem, Enrichment]] = field(default_factory=list)
    worst: list[tuple[str, str, str]] = field(default_factory=list)
    tokens: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def rows(self) -> int:
        """All rows that were read."""
        return self.enriched + sum(self.failed.values()) + len(self.rejected)

    def as_json(self) -> dict[str, object]:
        """Return the counts for `--json`."""
        return {
            "rows": self.rows,
            "enriched": self.enriched,
            "failed": dict(self.failed),
            "failures": [{"item": i, "reason": r, "detail": d} for i, r, d in self.worst],
            "rejected": [row.model_dump() for row in self.rejected],
            "claims": dict(self.claims),
            "tokens": self.tokens,
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
        }


def enrich(
    context: typer.Context,
    catalog: Annotated[Path, typer.Argument(help="A .csv, .jsonl, .parquet or .xlsx file.")],
    kb: KnowledgeBase = None,
    model: Model = None,
    limit: Limit = None,
    concurrency: Annotated[int | None, typer.Option("--concurrency", help="Items at once.", min=1, max=1024)] = None,
    prompts: Prompts = None,
    taxonomy: TaxonomyFile = None,
    max_revisions: Revisions = None,
    map_columns: ColumnMap = None,
    as_json: AsJson = False,
) -> None:
    """Turn a catalog's rows into verified knowledge in the knowledge base."""
    settings = settings_of(
        context,
        kb=kb,
        model=model,
        concurrency=concurrency,
        prompts=prompts,
        taxonomy=taxonomy,
        max_revisions=max_revisions,
    )
    report = run_async(run(settings, catalog, limit=limit, columns=column_map(map_columns)))
    _conclude(report, settings, as_json)
    if report.rows and not report.enriched:
        raise typer.Exit(1)


def demo(
    context: typer.Context,
    kb: KnowledgeBase = DEMO_KB,
    model: Model = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Enrich the bundled sample catalog, and measure the result against its gold."""
    from commands.sample_scores import print_scores, score_sample  # noqa: PLC0415

    settings = settings_of(context, kb=kb, model=model)
    say(f"Enriching the bundled sample catalog with {settings.model} …")
    report = run_async(run(settings, SAMPLE_CATALOG, limit=limit))
    scores = score_sample(settings)
    if as_json:
        print_json(report.as_json() | {"kb": settings.kb, "scores": scores})
        return
    _conclude(report, settings, as_json)
    print_scores(scores)
    _say_what_next(settings, report)


async def run(
    settings: Settings, catalog: Path, *, limit: int | None = None, columns: dict[str, str] | None = None
) -> RunReport:
    """Enrich a catalog and return what came of it; progress is shown on standard error."""
    from commands.workshop import open_workshop  # noqa: PLC0415 - the graph takes a second to import
    from graphs.batch import enrich_catalog  # noqa: PLC0415
    from memory.versions import use  # noqa: PLC0415

    report = RunReport()
    async with open_workshop(settings) as workshop:
        version_id = _begun(workshop, catalog)
        rows: Iterator[CatalogItem | RejectedRow] = islice(read_catalog(catalog, columns), limit)
        with RunProgress(_total(catalog, columns, limit)) as progress:
            outcomes = enrich_catalog(
                rows,
                workshop.graph,
                workshop.context,
                workshop.database,
                version_id=version_id,
                concurrency=settings.concurrency,
            )
            async for outcome in outcomes:
                _count(report, outcome)
                progress.advance(report.enriched, sum(report.failed.values()), len(report.rejected))
            report.seconds, report.cpu_seconds = progress.seconds, progress.cpu_seconds
        with workshop.database.writing() as session:
            use(session, version_id)  # as a whole, and only now that the run has ended well
    return report


def _begun(workshop: "Workshop", catalog: Path) -> int:
    """Return the version of the results that the run works in, the catalog's old refusals forgotten."""
    from memory.store import forget_rejected_rows  # noqa: PLC0415
    from memory.versions import version_for  # noqa: PLC0415

    with workshop.database.writing() as session:
        forget_rejected_rows(session, str(catalog))
        return version_for(session, workshop.context.provenance)


def column_map(pairs: Iterable[str] | None) -> dict[str, str] | None:
    """Return `--map title=Name` options as a mapping from our field to the file's column."""
    if not pairs:
        return None
    split = [pair.partition("=") for pair in pairs]
    for name, equals, column in split:
        if not (name and equals and column):
            raise typer.BadParameter(f"write FIELD=COLUMN, such as title=Name; got {name + equals + column!r}")
    return {name.strip(): column.strip() for name, _, column in split}


def _total(catalog: Path, columns: dict[str, str] | None, limit: int | None) -> int | None:
    """Return how many rows the run will read, or None where counting them would cost too much."""
    if catalog.is_file() and catalog.stat().st_size > COUNTED_BYTES:
        return limit
    return sum(1 for _ in islice(read_catalog(catalog, columns), limit))


def _count(report: RunReport, outcome: "Outcome") -> None:
    from graphs.batch import Enriched, Failed  # noqa: PLC0415

    if isinstance(outcome, Enriched):
        report.enriched += 1
        report.tokens += outcome.enrichment.usage.prompt_tokens + outcome.enrichment.usage.completion_tokens
        report.claims.update(verdict.decision.value for verdict in outcome.enrichment.verdicts)
        if len(report.shown) < SHOWN_ITEMS:
            report.shown.append((outcome.item, outcome.enrichment))
    elif isinstance(outcome, Failed):
        report.failed[outcome.reason] += 1
        if len(report.worst) < SHOWN_ITEMS:
            report.worst.append((outcome.item.id, outcome.reason, outcome.detail))
    else:
        report.rejected.append(outcome)


def _conclude(report: RunReport, settings: Settings, as_json: bool) -> None:
    if as_json:
        print_json(report.as_json() | {"kb": settings.kb})
        return
    print_items(report.shown, more=report.enriched - len(report.shown))
    for row in report.rejected[:SHOWN_ITEMS]:
        say(f"rejected: {row.file}, line {row.line}: {row.reason}")
    if len(report.rejected) > SHOWN_ITEMS:
        say(f"… and {len(report.rejected) - SHOWN_ITEMS} more rejected rows")
    for item_id, reason, detail in report.worst:
        say(f"failed: {item_id}: {reason}: {detail}")
    per_item = report.cpu_seconds / max(1, report.enriched)
    say(
        f"{report.rows} rows = {report.enriched} enriched + {len(report.rejected)} rejected + "
        f"{sum(report.failed.values())} failed; claims: {report.claims['accept']} accepted, "
        f"{report.claims['reject']} rejected; {report.tokens} tokens; {report.seconds:.1f} s, "
        f"{per_item:.2f} CPU-s an item"
    )
    say(f"Knowledge base: {settings.kb}")


def _say_what_next(settings: Settings, report: RunReport) -> None:
    item_id = min((item.id for item, _ in report.shown), default="S001")
    sample = os.path.relpath(SAMPLE_CATALOG)
    say("\nNext:")
    for what, arguments in {
        "what is known of an item, with evidence": f"show {item_id} --kb {settings.kb}",
        "every step of one item": f"trace {sample} --item {item_id}",
        "all of it as one file": f"export --format jsonl --out knowledge.jsonl --kb {settings.kb}",
        "your own products": "enrich YOUR_CATALOG.csv",
        "how to use a stronger model": "models",
    }.items():
        say(f"  {invoked()} {arguments}    # {what}")
