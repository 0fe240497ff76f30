"""How knowledge is shown in a terminal: items in a table, one item with its evidence highlighted."""

from collections.abc import Iterable, Sequence

from rich.box import HORIZONTALS
from rich.table import Table
from rich.text import Text

from agents.phrasing import phrase_path, phrase_value
from commands.output import console, print_table, printable_lines
from memory.category import CategoryTemplate
from memory.schema import CatalogItem, Claim, Decision, Demand, Enrichment, Verdict
from memory.text import printable

CONTEXT = 30  # characters shown on each side of a quote
STYLES = {Decision.ACCEPT: "green", Decision.REVISE: "yellow", Decision.REJECT: "red", Decision.ABSTAIN: "yellow"}


def print_items(known: Sequence[tuple[CatalogItem, Enrichment]], more: int = 0) -> None:
    """Print a table with one row an item: its category and summary, its attributes with evidence and verdict."""
    table = Table(title=Text("Items"), title_justify="left", title_style="bold", box=HORIZONTALS, pad_edge=False)
    table.add_column("item, category, summary", overflow="fold", ratio=2)
    table.add_column("attribute = value «evidence» verdict", overflow="fold", ratio=3)
    for item, enrichment in sorted(known, key=lambda pair: pair[0].id):
        table.add_row(_item_cell(item, enrichment), _attributes(enrichment), end_section=True)
    console.print(table)
    if more > 0:
        console.print(Text(f"… and {more} more", style="dim"))


def print_knowledge(item: CatalogItem, enrichment: Enrichment) -> None:
    """Print all that is known of one item, each claim with the evidence highlighted in its surroundings."""
    choice = enrichment.category
    console.print(Text(f"{item.id}  {printable(item.title, 300)}", style="bold"))
    console.print(Text(f"Category: {phrase_path(choice.path)}  (by {choice.chosen_by}, {choice.score:.2f})"))
    console.print(Text(f"Summary:  {printable_lines(enrichment.summary)}"))
    print_claims(item, enrichment.claims, enrichment.verdicts)
    for proposal in enrichment.ungrounded:
        console.print(Text(f"no evidence: {proposal.name} = {printable(proposal.value, 80)}", style="dim"))
    print_demands(enrichment.demands, enrichment.demand_verdicts)
    made = enrichment.provenance
    console.print(
        Text(
            f"Made by {made.model}, reaseq {made.code_version}, taxonomy {made.taxonomy_version}, "
            f"{enrichment.rounds} revisions, {enrichment.model_calls} model calls"
            f"{' (the text was too long for some and shortened)' if enrichment.shortened else ''}, "
            f"{enrichment.usage.prompt_tokens} + {enrichment.usage.completion_tokens} tokens, "
            f"{enrichment.seconds:.2f} s",
            style="dim",
        )
    )


def print_claims(item: CatalogItem, claims: Iterable[Claim], verdicts: Iterable[Verdict]) -> None:
    """Print a table of claims with verdicts and evidence."""
    ruled = {verdict.claim_id: verdict for verdict in verdicts}
    rows: list[list[str | Text]] = [
        [
            claim.name,
            Text(printable(_shown_value(claim), 80)),
            _ruling(ruled.get(claim.id)),
            f"{claim.confidence:.2f}",
            _producers(claim),
            _evidence(item, claim),
        ]
        for claim in claims
    ]
    print_table("Claims", ["attribute", "value", "verdict", "confidence", "by", "evidence"], rows)


def print_demands(demands: Iterable[Demand], verdicts: Iterable[Verdict]) -> None:
    """Print a table of demands with verdicts; nothing where there are none."""
    ruled = {verdict.claim_id: verdict for verdict in verdicts}
    rows: list[list[str | Text]] = [
        [
            demand.relation.value if demand.positive else f"not {demand.relation.value}",
            Text(printable(demand.text, 80)),
            _ruling(ruled.get(demand.id)),
            f"{demand.plausibility:.2f}",
            f"{demand.typicality:.2f}",
            demand.producer,
            Text(printable(", ".join(demand.rests_on) or "the category", 80), style="dim"),
        ]
        for demand in demands
    ]
    if rows:
        title = "Demands (knowledge of the world, not of the text)"
        print_table(title, ["relation", "demand", "verdict", "plausible", "typical", "by", "rests on"], rows)


def print_template(template: CategoryTemplate) -> None:
    """Print the attributes that a category asks for."""
    rows = [[s.key, s.type.value, s.unit or "", ", ".join(v.value for v in s.values[:8])] for s in template.attributes]
    print_table(f"Template of {template.category_id}", ["attribute", "type", "unit", "allowed values"], rows)


def highlighted(text: str, start: int, end: int) -> Text:
    """Return the span [start, end) in its surroundings, the span in bold."""
    before, after = text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT]
    shown = Text("…" if start > CONTEXT else "")
    shown.append(printable(before, 2 * CONTEXT) if before.strip() else "")
    shown.append(printable(text[start:end], 200), style="bold green")
    shown.append(printable(after, 2 * CONTEXT) if after.strip() else "")
    return shown.append("…" if end + CONTEXT < len(text) else "")


def _producers(claim: Claim) -> str:
    """Return who found the claim, who seconds it, and whether another value was found too."""
    return " + ".join((claim.producer, *claim.seconded_by)) + (" (disputed)" if claim.disputed else "")


def _shown_value(claim: Claim) -> str:
    """Return the claim's value; for one that was taken for an allowed value, how near it came."""
    return phrase_value(claim) if claim.snapped is None else f"{phrase_value(claim)} (≈ {claim.snapped:.2f})"


def _item_cell(item: CatalogItem, enrichment: Enrichment) -> Text:
    cell = Text(f"{printable(item.id, 40)}  ", style="bold")
    cell.append(printable(item.title, 70), style="not bold")
    cell.append(f"\n{phrase_path(enrichment.category.path)}", style="cyan not bold")
    return cell.append(f"\n{printable(enrichment.summary, 160)}", style="dim not bold")


def _attributes(enrichment: Enrichment) -> Text:
    lines = []
    for claim in enrichment.claims:
        verdict = enrichment.verdict_on(claim)
        line = Text(f"{claim.name} = {printable(phrase_value(claim), 40)}")
        if claim.evidence:
            line.append(f" «{printable(claim.evidence.quote, 40)}»", style="dim")
        accepted = verdict.decision is Decision.ACCEPT
        line.append(
            " accepted" if accepted else f" {verdict.decision.value}: {verdict.reason.value}", STYLES[verdict.decision]
        )
        lines.append(line)
    return Text("\n").join(lines) if lines else Text("nothing stated", style="dim")


def _ruling(verdict: Verdict | None) -> Text:
    if verdict is None:
        return Text("not ruled")
    note = f": {printable(verdict.note, 80)}" if verdict.note else ""
    return Text(f"{verdict.decision.value} ({verdict.reason.value}{note})", style=STYLES[verdict.decision])


def _evidence(item: CatalogItem, claim: Claim) -> Text:
    if claim.evidence is None:
        return Text("world knowledge", style="dim")
    evidence = claim.evidence
    place = Text(f"{evidence.field}[{evidence.start}:{evidence.end}] ", style="dim")
    return place.append_text(highlighted(item.source(evidence.field), evidence.start, evidence.end))
