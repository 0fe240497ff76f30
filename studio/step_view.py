"""One step of a trace: what each agent was asked, what it answered, what came of it."""

from agents.phrasing import phrase_path
from memory.model_call import ModelCall
from memory.schema import CatalogItem
from memory.trace import TraceStep
from studio.evidence import evidence_of, show_source
from studio.item_view import show_claims, show_demands
from studio.parts import box, heading, table, text

CANDIDATES = 8


def show_step(item: CatalogItem, step: TraceStep) -> None:
    """Show a step whole."""
    _show_found(item, step)
    for call in step.calls:
        _show_call(call)
    if not step.calls:
        text("No model was asked: what is shown is the work of code.", "soft part")


def _show_found(item: CatalogItem, step: TraceStep) -> None:
    update = step.update
    if update.category is not None:
        choice = update.category
        heading("Category", f"by {choice.chosen_by}")
        rows = [
            ["→" if one.category_id == choice.category_id else "", f"{one.score:.3f}", phrase_path(one.path)]
            for one in choice.candidates[:CANDIDATES]
        ]
        table(["", "likeness", "candidate"], rows, numbers=[1])
    if update.claims:
        with box("panel part"):
            show_source(item, evidence_of(update.claims))
        with box("part"):
            show_claims(update.claims, ())
    _show_verdicts(step)
    show_demands(update.demands, ())
    if update.corrections:
        text("→ back to the extractor", "doubt")
    if update.summary is not None:
        text(update.summary, "told part")


def _show_verdicts(step: TraceStep) -> None:
    verdicts = (*step.update.verdicts, *step.update.demand_verdicts)
    if not verdicts:
        return
    heading("Verdicts", f"{len(verdicts)}")
    rows = [[v.claim_id, v.decision.value, v.reason.value.replace("_", " "), v.checked_by, v.note] for v in verdicts]
    table(["claim", "decision", "reason", "checked by", "note"], rows)


def _show_call(call: ModelCall) -> None:
    with box("part stack"):
        tokens = f"{call.usage.prompt_tokens:,} + {call.usage.completion_tokens:,} tokens"
        told = f"{call.model}, {tokens}, {call.seconds:.2f} s"
        heading(f"Prompt {call.prompt}", f"{call.prompt_fingerprint[:12]} · {told} · {call.finish_reason}")
        for message in call.messages:
            with box("", "details").props("open" if message.role == "user" else "") as folded:
                with box("", "summary"):
                    text(message.role, tag="span")
                    text(f"  {len(message.content):,} characters", "soft", "span")
                text(message.content, "message")
            folded.props["data-role"] = message.role
        heading("Answer")
        text(call.raw_answer or "(empty)", "message answer")
