"""One item and what is known of it: the shop's words with evidence marked, claims, demands, where it comes from."""

from agents.phrasing import phrase_path, phrase_value
from memory.outcomes import ItemFailure
from memory.schema import CatalogItem, Claim, Decision, Demand, Enrichment, Verdict
from studio.evidence import evidence_of, show_source
from studio.parts import Cell, box, heading, link, table, text

STYLES = {Decision.ACCEPT: "good", Decision.REVISE: "doubt", Decision.REJECT: "bad", Decision.ABSTAIN: "doubt"}


def show_item(item: CatalogItem, enrichment: Enrichment, *, folded: bool = False) -> None:
    """Show an item and all that is known of it; `folded`: what is known only when it is asked for."""
    with box("title"):
        text(item.id, "mono soft")
        text(phrase_path(enrichment.category.path), "badge accent")
        link("in the graph →", "knowledge", "small", around=f"item:{item.id}")
    with box("panel"):
        show_source(item, evidence_of(enrichment.accepted))
    if enrichment.summary:
        text(enrichment.summary, "told part")
    with box("part", "details").props("" if folded else "open"):
        text(f"What is known: {len(enrichment.claims)} claims, {len(enrichment.demands)} demands", tag="summary")
        _show_known(enrichment)


def _show_known(enrichment: Enrichment) -> None:
    with box("part"):
        show_claims(enrichment.claims, enrichment.verdicts)
    show_demands(enrichment.demands, enrichment.demand_verdicts)
    made = enrichment.provenance
    text(
        f"Made by {made.model}, taxonomy {made.taxonomy_version}, {enrichment.rounds} revisions, "
        f"{enrichment.model_calls} model calls, {enrichment.usage.prompt_tokens:,} + "
        f"{enrichment.usage.completion_tokens:,} tokens, {enrichment.seconds:.2f} s",
        "soft small part",
    )


def show_unknown(item: CatalogItem, failure: ItemFailure | None) -> None:
    """Show an item of which nothing is known yet, and why."""
    with box("title"):
        text(item.id, "mono soft")
        text("not enriched", "badge doubt")
    if failure is not None:
        text(f"Its last run failed with {failure.reason}: {failure.detail}", "told bad")
    with box("panel part"):
        show_source(item)


def show_claims(claims: tuple[Claim, ...], verdicts: tuple[Verdict, ...]) -> None:
    """Show claims with their verdicts and their evidence."""
    ruled = {verdict.claim_id: verdict for verdict in verdicts}
    accepted = sum(verdict.decision is Decision.ACCEPT for verdict in ruled.values())
    heading("Claims", f"{len(claims)}, {accepted} of them accepted")
    columns = ["attribute", "value", "verdict", "confidence", "by", "the words that prove it"]
    table(columns, [_claim_cells(claim, ruled.get(claim.id)) for claim in claims], numbers=[3])


def show_demands(demands: tuple[Demand, ...], verdicts: tuple[Verdict, ...]) -> None:
    """Show demands with their verdicts; nothing where there are none."""
    if not demands:
        return
    ruled = {verdict.claim_id: verdict for verdict in verdicts}
    with box("part"):
        heading("Demands", "knowledge of the world, not of the text")
        rows: list[list[str | Cell]] = [
            [
                ("" if one.positive else "not ") + one.relation.value.replace("_", " "),
                one.text,
                _ruling(ruled.get(one.id)),
                f"{one.plausibility:.2f}",
                one.producer,
                ", ".join(one.rests_on) or "the category",
            ]
            for one in demands
        ]
        table(["relation", "demand", "verdict", "plausible", "by", "rests on"], rows, numbers=[3])


def _claim_cells(claim: Claim, verdict: Verdict | None) -> list[str | Cell]:
    value = phrase_value(claim) if claim.snapped is None else f"{phrase_value(claim)} (≈ {claim.snapped:.2f})"
    by = " + ".join((claim.producer, *claim.seconded_by)) + (" (disputed)" if claim.disputed else "")
    evidence = claim.evidence
    quote = Cell("world knowledge", "soft") if evidence is None else f"{evidence.field}: «{evidence.quote}»"
    return [claim.name.replace("_", " "), value, _ruling(verdict), f"{claim.confidence:.2f}", by, quote]


def _ruling(verdict: Verdict | None) -> Cell:
    if verdict is None:
        return Cell("not ruled", "soft")
    note = f": {verdict.note}" if verdict.note else ""
    refused = f"{verdict.decision.value}: {verdict.reason.value}{note}"
    return Cell("accepted" if verdict.decision is Decision.ACCEPT else refused, STYLES[verdict.decision])
