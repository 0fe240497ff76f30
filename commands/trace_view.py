"""A trace in a terminal: each step with what was asked, answered, claimed and ruled, and what it cost."""

from collections.abc import Iterable, Sequence

from rich.text import Text

from agents.phrasing import phrase_path, phrase_value
from commands.knowledge import print_claims, print_demands, print_knowledge, print_template
from commands.marked_text import print_marked
from commands.output import console, print_table, printable_lines, say
from commands.trace_path import path_taken, sent_back
from memory.model_call import ModelCall
from memory.schema import Verdict
from memory.text import printable
from memory.traces import Spent, Trace, TraceStep, spent_on

CHECKED_BY = {"code": "Code checks", "model": "The model's verdicts", "human": "People's verdicts"}


def print_step(trace: Trace, step: TraceStep, *, brief: bool = False) -> None:
    """Print one step; the trace has it and those before. `brief` leaves out prompts and answers."""
    turn, back = trace.turn_of(step), sent_back(trace, step)
    heading = f"{step.number}. {step.node}" + (f", turn {turn}" if turn > 1 else "")
    console.rule(Text(heading, style="bold"), align="left")
    console.print(Text(told(spent_on([step])), style="dim"))
    if back:
        console.print(Text(printable(f"↺ again for {', '.join(back)}", 300), style="yellow"))
    for call in step.calls:
        _print_call(call, brief=brief)
    if step.recalled:
        console.print(Text(f"{step.recalled} of these answers came from the ledger: nothing was paid", style="dim"))
    _print_update(trace, step)


def print_taken(trace: Trace) -> None:
    """Print which steps a replay took over."""
    taken = [f"{step.number}. {step.node}" for step in trace.steps if step.number < (trace.replay_from or 1)]
    if taken:
        console.print(Text(f"Taken from trace {trace.replay_of}, without a call: {', '.join(taken)}", style="dim"))


def print_end(trace: Trace) -> None:
    """Print the path, and what is known at its end."""
    console.rule(Text("result" if trace.enrichment else "end"), align="left")
    if trace.enrichment:
        print_knowledge(trace.item, trace.enrichment)
    console.print(Text(f"Path: {path_taken(trace)}"))
    if trace.failure:
        console.print(Text(printable_lines(f"Failed: {trace.failure}"), style="red"))
    console.print(Text(f"All steps: {told(trace.spent)}"))


def tell_number(trace: Trace) -> None:
    """Say under which number a trace is stored, and what to do with it."""
    if trace.id is not None:
        say(f"stored as trace {trace.id}: reaseq traces show {trace.id}, reaseq replay {trace.id} --from critic")


def told(spent: Spent) -> str:
    """Return what was spent, in words."""
    if not spent.calls:
        return f"{spent.seconds:.2f} s, no call"
    calls = f"{spent.calls} call{'' if spent.calls == 1 else 's'}"
    tokens = f"{spent.usage.prompt_tokens} + {spent.usage.completion_tokens} tokens"
    return f"{spent.seconds:.2f} s, {calls}, {tokens}, {money(spent)}"


def money(spent: Spent) -> str:
    """Return the money, and how many calls have no known price."""
    if spent.unpriced == spent.calls:
        return "price unknown" if spent.calls else "0"
    return f"cost {spent.cost:.6f}" + (f" and {spent.unpriced} of unknown price" if spent.unpriced else "")


def _print_call(call: ModelCall, *, brief: bool) -> None:
    usage = call.usage
    head = (
        f"{call.model}, prompt {call.prompt} {call.prompt_fingerprint[:12]}, {usage.prompt_tokens} + "
        f"{usage.completion_tokens} tokens{' (estimated)' if usage.estimated else ''}, {call.seconds:.2f} s, "
        f"{call.finish_reason}{', of a shortened text' if call.shortened else ''}"
    )
    console.print(Text(printable(head, 400), style="dim"))
    if brief:
        return
    for message in call.messages:
        console.print(Text(f"[{message.role}]", style="cyan"))
        console.print(Text(printable_lines(message.content)), soft_wrap=True)
    console.print(Text("[answer]", style="cyan"))
    console.print(Text(printable_lines(call.raw_answer)), soft_wrap=True)


def _print_update(trace: Trace, step: TraceStep) -> None:
    update = step.update
    if update.category:
        for candidate in update.category.candidates:
            mark = "→" if candidate.category_id == update.category.category_id else " "
            line = f"{mark} {candidate.score:.3f} {candidate.category_id}  {phrase_path(candidate.path)}"
            console.print(Text(printable(line, 300)))
    if update.template:
        print_template(update.template)
    if "claims" in update.said:
        print_claims(trace.item, update.claims, ())
        print_marked(trace.item, update.claims)
    for proposal in update.ungrounded:
        line = f"no evidence: {proposal.name} = {proposal.value}, quoted as {proposal.quote!r}"
        console.print(Text(printable(line, 300), style="dim"))
    print_demands(update.demands, ())
    _print_verdicts(trace, (*update.verdicts, *update.demand_verdicts))
    if update.corrections:
        back = f"→ back to the extractor: {', '.join(sorted(update.corrections.attributes))}"
        console.print(Text(printable(back, 300), style="yellow"))
    if update.summary is not None:
        console.print(Text(printable_lines(update.summary)))


def _print_verdicts(trace: Trace, verdicts: Sequence[Verdict]) -> None:
    names = judged(trace)
    for checked_by, title in CHECKED_BY.items():
        rows = list(_rows(names, (verdict for verdict in verdicts if verdict.checked_by == checked_by)))
        if rows:
            print_table(title, ["of", "what", "decision", "reason", "note"], rows)


def judged(trace: Trace) -> dict[str, str]:
    """Return what each id of a claim or a demand stands for."""
    found = trace.outcome
    claims = {claim.id: f"{claim.name} = {phrase_value(claim)}" for claim in found.claims}
    return claims | {demand.id: f"{demand.relation.value} {demand.text}" for demand in found.demands}


def _rows(names: dict[str, str], verdicts: Iterable[Verdict]) -> Iterable[list[str]]:
    for verdict in verdicts:
        what = printable(names.get(verdict.claim_id, ""), 80)
        decision, reason = verdict.decision.value, verdict.reason.value
        yield [printable(verdict.claim_id, 40), what, decision, reason, printable(verdict.note, 200)]
