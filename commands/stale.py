"""`reaseq stale`: which results the present prompts, model and taxonomy make stale, why, and what anew would cost."""

from typing import Any

import typer

from commands.output import AsJson, KnowledgeBase
from commands.setting_options import AIDS, REASONING, with_options
from commands.settings import settings_of


@with_options(REASONING | AIDS)
def stale(
    context: typer.Context,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
    **settings: Any,
) -> None:
    """List what these settings would find out anew, and why; nothing is asked or stored."""
    from commands.forecasts import print_to_do, stale_work  # noqa: PLC0415 - the graph takes a second to import

    print_to_do(stale_work(settings_of(context, kb=kb, **settings)), as_json)
