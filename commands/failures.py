"""`reaseq failures`: what failed and why; with `--retry`, those items alone once more."""

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.enrich import Concurrency, Money, ProviderBatch, Tokens, conclude
from commands.output import AsJson, KnowledgeBase, print_json, print_table, run_async, say
from commands.run_options import RunOptions, with_items_at_once
from commands.setting_options import AIDS, REASONING, TELEMETRY, with_options
from commands.settings import Settings, settings_of

if TYPE_CHECKING:
    from memory.outcomes import ItemFailure

LISTED = 50


@with_options(REASONING | AIDS | TELEMETRY)
def failures(
    context: typer.Context,
    kb: KnowledgeBase = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try them again, and nothing else.")] = False,
    concurrency: Concurrency = None,
    budget: Money = None,
    max_tokens: Tokens = None,
    provider_batch: ProviderBatch = False,
    as_json: AsJson = False,
    **settings: Any,
) -> None:
    """List the items that failed, by reason; `--retry` tries them again, from their stored texts."""
    chosen = settings_of(context, kb=kb, concurrency=concurrency, **settings)
    money = None if budget is None else Decimal(str(budget))
    options = RunOptions(retry_failed=True, budget=money, max_tokens=max_tokens, provider_batch=provider_batch)
    chosen = with_items_at_once(chosen, options, concurrency)
    found = _failures(chosen)
    if retry and found:
        _retry(chosen, options, as_json)
    elif as_json:
        print_json(_document(found))
    else:
        _print(found)


def _failures(settings: Settings) -> "list[ItemFailure]":
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import
    from memory.outcomes import failures as stored  # noqa: PLC0415

    with open_existing_database(settings.kb) as database, database.session() as session:
        return sorted(stored(session), key=lambda failure: (failure.reason, failure.item_id))


def _retry(settings: Settings, options: RunOptions, as_json: bool) -> None:
    from commands.catalog_run import run_rows  # noqa: PLC0415 - the graph takes a second to import
    from commands.stored_rows import failed_rows  # noqa: PLC0415

    conclude(run_async(run_rows(settings, failed_rows(), options)), settings, as_json)


def _document(found: "list[ItemFailure]") -> dict[str, object]:
    return {
        "total": len(found),
        "reasons": Counter(failure.reason for failure in found),
        "failures": [failure.model_dump() for failure in found[:LISTED]],
    }


def _print(found: "list[ItemFailure]") -> None:
    if not found:
        say("nothing failed")
        return
    reasons = Counter(failure.reason for failure in found)
    print_table("Failures by reason", ["reason", "items"], [[reason, str(n)] for reason, n in reasons.most_common()])
    rows = [[failure.reason, failure.item_id, failure.detail] for failure in found[:LISTED]]
    print_table("Failures", ["reason", "item", "detail"], rows)
    if len(found) > LISTED:
        say(f"… and {len(found) - LISTED} more")
    say("reaseq failures --retry tries them again")
