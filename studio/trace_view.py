"""A trace on the page of its item: the path through the graph, its steps, one of them whole, and again from there."""

from functools import partial

from nicegui.element import Element

from memory.trace import Trace, TraceStep
from studio.agent_graph import show_agent_graph
from studio.parts import address, box, button, heading, link, text
from studio.replay_form import ReplayForm
from studio.step_view import show_step
from studio.workbench import Workbench


class TraceView:
    """A stored trace with one of its steps open."""

    steps: Element
    chosen: Element

    def __init__(self, bench: Workbench, trace: Trace) -> None:
        self._bench, self._trace = bench, trace

    def show(self, chosen: int) -> None:
        """Show it; without a step of that number the first one is open."""
        trace = self._trace
        self._show_head()
        first = {step.node: step.number for step in reversed(trace.steps)}
        addresses = {
            node: address("items", item=trace.item.id, trace=trace.id or 0, step=n) for node, n in first.items()
        }
        with box("panel wide"):
            show_agent_graph(trace.steps, "", addresses)
        if not trace.steps:
            return
        with box("columns aside part"):
            self.steps = box("list steps")
            self.chosen = box("panel chosen-step")
        self._open(next((one for one in trace.steps if one.number == chosen), trace.steps[0]))

    def _show_head(self) -> None:
        trace, spent = self._trace, self._trace.spent
        with box("row between"):
            heading(f"Trace {trace.id}", _told(trace))
            if trace.replay_of:
                about: dict[str, str | int] = {"item": trace.item.id, "trace": trace.replay_of, "beside": trace.id or 0}
                link(f"compare with trace {trace.replay_of} →", "items", "small", **about)
        tokens = f"{spent.usage.prompt_tokens:,} + {spent.usage.completion_tokens:,} tokens"
        money = f"{spent.cost:.4f}{' + ?' if spent.unpriced else ''} spent"
        text(f"{spent.calls} calls, {tokens}, {money}, {spent.seconds:.2f} s", "soft small")
        if trace.failure:
            text(f"It failed: {trace.failure}", "told bad")

    def _open(self, step: TraceStep) -> None:
        self.steps.clear()
        with self.steps:
            for one in self._trace.steps:
                self._show_entry(one, chosen=one is step)
        self.chosen.clear()
        with self.chosen:
            with box("row between"):
                heading(f"{step.number}. {step.node.replace('_', ' ')}")
                form = box("replay")
                button("Run again from here", lambda: self._replay(step, form), "again", hint="what was before is free")
            form.move(self.chosen)
            show_step(self._trace.item, step)

    def _show_entry(self, step: TraceStep, *, chosen: bool) -> None:
        entry = box("entry chosen" if chosen else "entry", "button").on("click", partial(self._open, step), [])
        with entry:
            with box("row between"):
                text(f"{step.number}. {step.node.replace('_', ' ')}", tag="span")
                text(f"{step.seconds:.2f} s", "soft small", "span")
            text(_found(step), "sub")
        entry.props["aria-pressed"] = "true" if chosen else "false"

    def _replay(self, step: TraceStep, place: Element) -> None:
        place.clear()
        with place:
            ReplayForm(self._bench, self._trace, step).show()


def _told(trace: Trace) -> str:
    again = f", trace {trace.replay_of} again from step {trace.replay_from}" if trace.replay_of else ""
    return f"{trace.started_at:%Y-%m-%d %H:%M} UTC, {trace.model}{again}"


def _found(step: TraceStep) -> str:
    update = step.update
    parts = [
        _counted(len(step.calls), "call"),
        _counted(len(update.claims), "claim"),
        _counted(len(update.verdicts) + len(update.demand_verdicts), "verdict"),
        _counted(len(update.demands), "demand"),
        "taken over" if step.recalled else "",
    ]
    return ", ".join(part for part in parts if part) or "code alone"


def _counted(number: int, what: str) -> str:
    return "" if not number else f"{number} {what}{'' if number == 1 else 's'}"
