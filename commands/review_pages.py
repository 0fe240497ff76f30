"""How what waits for a person, and what a person decided, is shown: product text as text, never as markup."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from agents.phrasing import phrase_path
from agents.ruling_drafts import phrase_stated
from commands.output import console, print_table, printable_lines
from memory.review_queue import QueueEntry
from memory.rulings import HumanRuling, RulingDecision
from memory.schema import Claim, Evidence, Verdict
from memory.text import printable

BEFORE, AROUND = 200, 400  # characters of a field that are shown before and after a quote
SHOWN_TEXT = BEFORE + AROUND
WHY = {
    "text_changed": "a person approved another value, which the text does not say any more",
    "abstained": "nothing speaks against it, but it is not sure enough",
    "disputed": "another producer found another value",
    "contradiction": "it lost against another value",
    "not_in_vocabulary": "it is no allowed value",
    "ungrounded": "a model said so, and the text does not",
    "least_sure": "it was accepted with little confidence",
}


def show_entry(entry: QueueEntry) -> None:
    """Print the item with the evidence highlighted, the claim, and why it is asked about."""
    item, enrichment = entry.known
    console.rule(Text(printable(item.id, 60)), align="left")
    console.print(Text(f"Category: {phrase_path(enrichment.category.path)}", style="cyan"))
    for name, text in item.texts():
        evidence = entry.claim.evidence if entry.claim else None
        console.print(_field(name, text, evidence))
    console.print(
        Text(f"\n{printable(entry.attribute, 60)} = {printable(phrase_stated(entry.value), 200)}", style="bold")
    )
    console.print(Text(f"why: {WHY[entry.reason.value]}"))
    for line in _claimed(entry):
        console.print(Text(line, style="dim"))


def print_queue(entries: Sequence[QueueEntry]) -> None:
    """Print a table with one row a value."""
    rows = [
        [
            entry.known.item.id,
            entry.attribute,
            printable(phrase_stated(entry.value), 60),
            f"{entry.claim.confidence:.2f}" if entry.claim else "",
            entry.claim.producer if entry.claim else "",
            entry.reason.value,
        ]
        for entry in entries
    ]
    print_table("Review queue", ["item", "attribute", "value", "confidence", "by", "why"], rows)


def entry_document(entry: QueueEntry) -> dict[str, object]:
    """Return an entry for `--json`."""
    verdict = _verdict(entry)
    return {
        "item": entry.known.item.id,
        "title": entry.known.item.title,
        "category": entry.known.enrichment.category.category_id,
        "attribute": entry.attribute,
        **entry.value.model_dump(),
        "why": entry.reason.value,
        "claim": entry.claim.model_dump(mode="json") if entry.claim else None,
        "verdict": verdict.model_dump(mode="json") if verdict else None,
    }


def phrase_ruling(ruling: HumanRuling) -> str:
    """Return a decision in one line."""
    about = f"{printable(ruling.item_id, 60)}: {printable(ruling.attribute, 60)}"
    judged = printable(phrase_stated(ruling.judged), 80) if ruling.judged else "nothing"
    right = printable(phrase_stated(ruling.right), 80) if ruling.right else ""
    match ruling.decision:
        case RulingDecision.ACCEPT:
            return f"{about} = {right} accepted"
        case RulingDecision.CORRECT:
            return f"{about} = {right} in place of {judged}"
        case RulingDecision.REJECT:
            return f"{about} = {judged} rejected"
    return f"{about}: taken back"


def _field(name: str, text: str, evidence: Evidence | None) -> Text:
    shown = Text(f"{printable(name, 60)}: ", style="dim")
    if evidence is None or evidence.field != name:
        more = " …" if len(text) > SHOWN_TEXT else ""
        return shown.append(printable_lines(text[:SHOWN_TEXT]) + more, style="not dim")
    start, end = evidence.start, evidence.end
    first = max(0, start - BEFORE)
    shown.append(("… " if first else "") + printable_lines(text[first:start]), style="not dim")
    shown.append(printable_lines(text[start:end]), style="not dim bold green reverse")
    shown.append(printable_lines(text[end : end + AROUND]), style="not dim")
    return shown.append(" …" if end + AROUND < len(text) else "")


def _claimed(entry: QueueEntry) -> Iterator[str]:
    claim, verdict = entry.claim, _verdict(entry)
    if claim is not None and verdict is not None:
        seconds = f", seconded by {', '.join(claim.seconded_by)}" if claim.seconded_by else ""
        note = f": {printable(verdict.note, 120)}" if verdict.note else ""
        yield f"claimed by {claim.producer} with {claim.confidence:.2f}{seconds}; {_written(claim)}"
        yield f"verdict: {verdict.decision.value} ({verdict.reason.value}{note})"
    rivals = [c for c in entry.known.enrichment.claims if c.name == entry.attribute and c is not claim]
    for rival in rivals[:5]:
        ruling = entry.known.enrichment.verdict_on(rival)
        yield f"also claimed: {_written(rival)} by {rival.producer}, {ruling.decision.value} ({ruling.reason.value})"


def _written(claim: Claim) -> str:
    where = f"in {printable(claim.evidence.field, 60)}" if claim.evidence else "from world knowledge"
    return f"{printable(claim.value, 80)!r} {where}"


def _verdict(entry: QueueEntry) -> Verdict | None:
    return entry.known.enrichment.verdict_on(entry.claim) if entry.claim else None
