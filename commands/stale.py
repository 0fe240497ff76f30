"""`reaseq stale`: which results the present prompts, model and taxonomy make stale, why, and what anew would cost."""

import typer

from commands.enrich import Model, Prices, Prompts, Revisions, TaxonomyFile
from commands.output import AsJson, KnowledgeBase
from commands.settings import settings_of


def stale(
    context: typer.Context,
    kb: KnowledgeBase = None,
    model: Model = None,
    prompts: Prompts = None,
    taxonomy: TaxonomyFile = None,
    max_revisions: Revisions = None,
    prices: Prices = None,
    as_json: AsJson = False,
) -> None:
    """List what these settings would find out anew, and why; nothing is asked or stored."""
    from commands.forecasts import print_to_do, stale_work  # noqa: PLC0415 - the graph takes a second to import

    chosen = {"kb": kb, "model": model, "prompts": prompts, "taxonomy": taxonomy, "prices": prices}
    print_to_do(stale_work(settings_of(context, **chosen, max_revisions=max_revisions)), as_json)
