"""`reaseq ranker plan`: what to enrich next under a budget, told by attribute and category."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.enrich import Money, Tokens, options_from
from commands.output import AsJson, KnowledgeBase, print_json, print_table, say
from commands.setting_options import AIDS, REASONING, with_options
from commands.settings import settings_of
from memory.enrichment_priorities import read_priorities
from memory.item_list import write_item_list
from memory.text import printable

if TYPE_CHECKING:
    from evaluators.enrichment_plan import Cost, EnrichmentPlan, PlanCell, PlannedItems

SHOWN_CELLS = 40

ItemsOut = Annotated[
    Path | None,
    typer.Option("--out", help="Write the chosen ids, for `reaseq enrich --stale-only --items`.", metavar="FILE"),
]


@with_options(REASONING | AIDS)
def plan(
    context: typer.Context,
    priorities: Annotated[Path, typer.Argument(help="A file of `reaseq ranker ablate --priorities`.")],
    budget: Money = None,
    max_tokens: Tokens = None,
    out: ItemsOut = None,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
    **settings: Any,
) -> None:
    """Tell what to enrich next: what is unknown, what it may gain, what it costs, what a budget allows."""
    from commands.enrichment_planning import enrichment_plan  # noqa: PLC0415 - the graph takes a second to import

    if budget is not None and max_tokens is not None:
        raise typer.BadParameter("one budget: --budget or --max-tokens")
    found, ids = enrichment_plan(
        settings_of(context, kb=kb, **settings),
        read_priorities(priorities),
        options_from({"budget": budget, "max_tokens": max_tokens}),
    )
    if as_json:
        print_json(found)
    else:
        print_plan(found)
    if out is not None:
        write_item_list(out, ids)
        say(f"wrote {len(ids)} ids to {out}")


def print_plan(found: "EnrichmentPlan") -> None:
    """Print the cells, what was chosen, and what nobody can know."""
    metric = printable(found.metric, 20)
    if found.cells:
        columns = ["attribute", "category", "lacking", "stale", "found", "gain", "cost", "gain for cost", "chosen"]
        rows = [_row(cell) for cell in found.cells[:SHOWN_CELLS]]
        print_table(f"What to enrich next, by what {metric} may gain for its cost", columns, rows)
    if len(found.cells) > SHOWN_CELLS:
        say(f"… and {len(found.cells) - SHOWN_CELLS} cells more: --json has them all")
    for one in found.unproven:
        interval = f"{one.gain:+.4f} [{one.low:+.4f}, {one.high:+.4f}]"
        say(f"not shown to matter: {printable(one.attribute, 40)} {interval}, unknown of {one.lacking} items")
    _say_what_is_chosen(found)
    _say_what_nobody_knows(found)


def _row(cell: "PlanCell") -> list[str]:
    money = f"{cell.cost.money:.4f}, " if cell.cost.money else ""
    if cell.per_money is not None:
        per = f"{cell.per_money:.5f} for 1.00"
    else:
        per = "" if cell.per_1000_tokens is None else f"{cell.per_1000_tokens:.5f} for 1,000 tokens"
    return [
        printable(cell.attribute, 40),
        printable(cell.category, 60) or "(nothing known yet)",
        str(cell.lacking),
        str(cell.stale),
        f"{100 * cell.rate:.0f} %",
        f"{cell.gain:+.5f}",
        f"{money}{cell.cost.tokens:.0f} tokens",
        per,
        f"{cell.chosen} of {cell.stale}",
    ]


def _say_what_is_chosen(found: "EnrichmentPlan") -> None:
    if not found.cells:
        say("nothing that was shown to move the ranking is unknown where it is asked for: there is nothing to choose")
        return
    if found.unchanged == found.lacking:
        say(
            f"{found.lacking} items lack something, and nothing is stale under these settings that could find it: the "
            "same model with the same prompts finds nothing new; another --model or --prompts may"
        )
        return
    if found.unchanged:
        say(f"{found.unchanged} of {found.lacking} items that lack something are not stale: nothing new would be found")
    say(f"changed: {', '.join(f'{printable(cause.why, 80)} ({cause.items})' for cause in found.causes)}")
    say(f"chosen: {_phrase(found.chosen)}, of {_phrase(found.whole)}")
    if found.chosen.items < found.whole.items:
        say(f"attribute by attribute the same budget would gain {found.by_attribute.gain:+.5f}")


def _phrase(items: "PlannedItems") -> str:
    return f"{items.items} items for {_cost(items.cost)}, expected to gain {items.gain:+.5f}"


def _cost(cost: "Cost") -> str:
    money = "money unknown" if cost.money is None else f"{cost.money:.4f} in money"
    return f"{cost.tokens:.0f} tokens, {money}"


def _say_what_nobody_knows(found: "EnrichmentPlan") -> None:
    if found.no_past:
        say(
            f"not in the costs, for they have no past to judge by: {', '.join(found.no_past)}; a budget of reaseq "
            "enrich holds all the same"
        )
    if found.measured != found.version:
        say(f"gains were measured on version {found.measured}; version {found.version} is read now")
    if found.unjudged:
        say(f"{found.unjudged} more attributes that categories ask for were not judged by the ablation")
    if found.cells:
        say(
            "gains are estimates: the ablation measured all items together, each is taken for an equal part of them; "
            "what was asked before and not found is found less often than the rate says"
        )
