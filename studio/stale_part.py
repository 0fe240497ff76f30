"""What the present settings make stale, and what making it anew would cost: asked for, for it takes a while."""

import asyncio

from commands.forecasts import ToDo, stale_work
from studio.parts import Cell, address, box, button, figures, heading, table, text, waiting
from studio.workbench import Workbench

FIRST = 8  # items


def stale_part(bench: Workbench) -> None:
    """Show the part, with nothing looked for yet."""

    async def look() -> None:
        shown.clear()
        with shown:
            waiting("comparing results with the present settings")
        work = await asyncio.to_thread(stale_work, bench.settings)
        shown.clear()
        with shown:
            _show(work)

    with box("panel part"):
        with box("row between"):
            heading("Stale forecast")
            button("Look", look, "look-for-stale", hint="compares every result with the present settings")
        shown = box("stack")
        with shown:
            text("Which results the present prompts, model and taxonomy would make anew, and for how much.", "soft")


def _show(work: ToDo) -> None:
    if not work.items:
        text("Nothing is stale: every result is as these settings would make it.", "told good")
        return
    cost = "unknown" if work.cost is None else f"{work.cost:.4f}"
    figures(
        [
            (f"{work.items:,}", "items"),
            (f"{work.results:,}", "results"),
            (f"{work.forecast.calls:,.0f}", "calls"),
            (f"{work.forecast.tokens:,.0f}", "tokens"),
            (cost, "money"),
        ]
    )
    table(["agent", "why", "results"], [[c.agent, c.why, f"{c.results:,}"] for c in work.causes], numbers=[2])
    if work.unknown:
        text(f"Not in the forecast, for they have no past to judge by: {', '.join(work.unknown)}", "soft small")
    first = list(dict.fromkeys(result.item_id for result in work.first))[:FIRST]
    rows = [[Cell(item_id, to=address("items", item=item_id))] for item_id in first]
    table(["first of them"], rows)
