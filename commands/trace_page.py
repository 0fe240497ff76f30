"""A trace as one HTML file: no script, nothing from elsewhere; every text in it is data and is escaped."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agents.phrasing import phrase_path, phrase_value
from commands.comparison_rows import cost_rows, outcome_rows
from commands.marked_text import marked_fields
from commands.trace_path import leads_back, sent_back
from commands.trace_view import judged, money
from evaluators.trace_comparison import TraceComparison
from memory.text import printable
from memory.traces import Trace, TraceStep, spent_on

SHOWN = 20_000  # characters of one line of a prompt or an answer


def trace_page(trace: Trace, compared: TraceComparison | None = None) -> str:
    """Return the page; with a comparison, what differs from the trace that was replayed stands first."""
    verdicts = {verdict.claim_id: verdict for verdict in trace.outcome.verdicts}
    demand_verdicts = {verdict.claim_id: verdict for verdict in trace.outcome.demand_verdicts}
    values = {
        "trace": trace,
        "fields": tuple(marked_fields(trace.item, trace.outcome.claims)),
        "verdicts": verdicts | demand_verdicts,
        "names": judged(trace),
        "compared": compared,
        "differing": outcome_rows(compared) if compared else [],
        "costs": cost_rows(compared) if compared else [],
        "taken": [step.number for step in trace.steps if step.number < (trace.replay_from or 1)],
    }
    return _pages(trace).get_template("trace.html").render(values).lstrip()


def _pages(trace: Trace) -> Environment:
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {
        "shown": lambda text: "\n".join(printable(line, SHOWN) for line in str(text).split("\n")),
        "value": phrase_value,
        "path": phrase_path,
        "money": money,
        "turn": trace.turn_of,
        "leads_back": lambda step: leads_back(trace, step),
        "back": lambda step: ", ".join(sent_back(trace, step)),
        "spent": _spent,
    }
    return pages


def _spent(step: TraceStep) -> str:
    spent = spent_on([step])
    tokens = spent.usage.prompt_tokens + spent.usage.completion_tokens
    calls = f"{spent.calls} call{'' if spent.calls == 1 else 's'}, {tokens} tokens, {money(spent)}, "
    return f"{calls if spent.calls else 'no call, '}{spent.seconds:.2f} s"
