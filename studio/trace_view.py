"""A trace on the page of its item: the path through the graph, its steps, one of them whole, and again from there."""

from functools import partial

from nicegui import ui

from memory.trace import Trace, TraceStep
from studio.agent_graph import show_agent_graph
from studio.parts import address, box, button, heading, link, text
from studio.replay_form import ReplayForm
from studio.step_view import show_step
from studio.workbench import Workbench


def show_trace(bench: Workbench, trace: Trace, chosen: int) -> None:
    """Show a stored trace with one of its steps open."""
    number = trace.id or 0
    spent = trace.spent
    with box("row between"):
        heading(f"Trace {number}", _told(trace))
        if trace.replay_of:
            link(
                f"compare with trace {trace.replay_of} →",
                "items",
                "small",
                item=trace.item.id,
                trace=trace.replay_of,
                beside=number,
            )
    if trace.failure:
        text(f"It failed: {trace.failure}", "told bad")
    first = {step.node: step.number for step in reversed(trace.steps)}
    addresses = {node: address("items", item=trace.item.id, trace=number, step=n) for node, n in first.items()}
    with box("panel wide"):
        show_agent_graph(trace.steps, "", addresses)
    text(
        f"{spent.calls} calls, {spent.usage.prompt_tokens:,} + {spent.usage.completion_tokens:,} tokens, "
        f"{spent.cost:.4f}{' + ?' if spent.unpriced else ''} spent, {spent.seconds:.2f} s",
        "soft small",
    )
    if not trace.steps:
        return
    step = next((one for one in trace.steps if one.number == chosen), trace.steps[0])
    with box("columns aside part"):
        _show_steps(trace, step)
        with box("panel"):
            _show_chosen(bench, trace, step)


def _told(trace: Trace) -> str:
    again = f", trace {trace.replay_of} again from step {trace.replay_from}" if trace.replay_of else ""
    return f"{trace.started_at:%Y-%m-%d %H:%M} UTC, {trace.model}{again}"


def _show_steps(trace: Trace, chosen: TraceStep) -> None:
    with box("list steps").props("data-arrows"):
        for step in trace.steps:
            with box("chosen" if step is chosen else "", "a") as entry:
                with box("row between"):
                    text(f"{step.number}. {step.node.replace('_', ' ')}", tag="span")
                    text(f"{step.seconds:.2f} s", "soft small", "span")
                text(_found(step), "sub")
            entry.props["href"] = address("items", item=trace.item.id, trace=trace.id or 0, step=step.number)


def _found(step: TraceStep) -> str:
    update = step.update
    parts = [
        f"{len(step.calls)} calls" if step.calls else "",
        f"{len(update.claims)} claims" if update.claims else "",
        f"{len(update.verdicts) + len(update.demand_verdicts)} verdicts" if update.verdicts else "",
        f"{len(update.demands)} demands" if update.demands else "",
        "taken over" if step.recalled else "",
    ]
    return ", ".join(part for part in parts if part) or "code alone"


def _show_chosen(bench: Workbench, trace: Trace, step: TraceStep) -> None:
    form = box("replay")
    with box("row between"):
        heading(f"{step.number}. {step.node.replace('_', ' ')}")
        button(
            "Run again from here", partial(_replay, bench, trace, step, form), "again", hint="what was before is free"
        )
    form.move(target_index=1)
    show_step(trace.item, step)


def _replay(bench: Workbench, trace: Trace, step: TraceStep, place: ui.element) -> None:
    place.clear()
    with place:
        ReplayForm(bench, trace, step).show()
