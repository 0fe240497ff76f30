"""The traces of one item: run it now, what is stored, the one under way, two side by side."""

from nicegui import ui

from memory.schema import CatalogItem
from memory.traces import TraceHead, trace_heads, trace_of
from studio.agent_graph import show_agent_graph
from studio.parts import Cell, address, box, button, heading, table, text, waiting
from studio.trace_comparison_view import show_comparison
from studio.trace_desk import TraceJob
from studio.trace_view import TraceView
from studio.workbench import Workbench

LISTED = 20
LOOK_SECONDS = 0.3


class ItemTraces:
    """The part of an item's page that shows its traces."""

    def __init__(self, bench: Workbench, item: CatalogItem) -> None:
        self._bench, self._item = bench, item

    async def show(self, *, trace: int = 0, step: int = 0, beside: int = 0) -> None:
        """Show the list, and below it what the address asks for: a trace, a step of it, or two traces."""
        with box("row between part"):
            heading("Traces", "every step of this item through the graph; what is stored of it stays as it is")
            button("Run this item now", self._run, "primary run-item")
        self._live = box()
        self._list = box()
        await self._fill_list()
        with box("part trace"):
            if trace and beside:
                pair = await self._bench.read(lambda session: (trace_of(session, trace), trace_of(session, beside)))
                show_comparison(*pair)
            elif trace:
                stored = await self._bench.read(lambda session: trace_of(session, trace))
                TraceView(self._bench, stored).show(step)
        self._look_at_job()

    def _run(self) -> None:
        self._bench.traces.trace(self._bench.settings, self._item)
        self._look_at_job()

    def _look_at_job(self) -> None:
        """Show the job of this item as it goes, if there is one that this page has not told yet."""
        job = self._bench.traces.job
        if job is None or job.item.id != self._item.id or job.ended:
            return
        shown: list[object] = []

        def look() -> None:
            told = (job.node, len(job.steps), job.ended)
            if [told] == shown:
                return
            shown[:] = [told]
            if job.trace is not None:
                timer.deactivate()
                ui.navigate.to(_address_of(job))
                return
            self._live.clear()
            with self._live:
                _show_job(job)
            if job.ended:
                timer.deactivate()

        with self._live.parent_slot.parent if self._live.parent_slot else self._live:
            timer = ui.timer(LOOK_SECONDS, look)

    async def _fill_list(self) -> None:
        item_id = self._item.id
        heads = await self._bench.read(lambda session: trace_heads(session, item_id=item_id, limit=LISTED))
        with self._list:
            if not heads:
                text("None yet: run the item to see each agent's prompt, answer, claims and verdicts.", "soft")
                return
            columns = ["trace", "began (UTC)", "model", "", "steps", "accepted", "calls", "seconds", ""]
            table(columns, [_head_cells(head, heads) for head in heads], numbers=[0, 4, 5, 6, 7])


def _show_job(job: TraceJob) -> None:
    with box("panel stack"):
        if job.problem:
            text(job.problem, "told bad")
            return
        waiting(f"{job.node.replace('_', ' ')} is at work" if job.node else "opening the model and the taxonomy")
        with box("wide"):
            show_agent_graph(job.steps, job.node, {})


def _address_of(job: TraceJob) -> str:
    """Return where a finished job is looked at: its trace; a replay beside what it took over from."""
    number = job.trace.id or 0 if job.trace else 0
    if job.replay_of is not None:
        return address("items", item=job.item.id, trace=job.replay_of.id or 0, beside=number)
    return address("items", item=job.item.id, trace=number)


def _head_cells(head: TraceHead, heads: list[TraceHead]) -> list[str | Cell]:
    style = {"done": "good", "failed": "bad", "unfinished": "doubt"}[head.state]
    again = f" again from step {head.replay_from} of {head.replay_of}" if head.replay_of else ""
    other = head.replay_of or next((one.id for one in heads if one.id != head.id), 0)
    compare = address("items", item=head.item_id, trace=other, beside=head.id)
    return [
        Cell(str(head.id), to=address("items", item=head.item_id, trace=head.id)),
        Cell(f"{head.started_at:%Y-%m-%d %H:%M}", "nowrap"),
        head.model,
        Cell(f"{head.state}{again}", style),
        str(head.steps),
        str(head.accepted),
        str(head.spent.calls),
        f"{head.spent.seconds:.2f}",
        Cell(f"beside {other}", to=compare) if other else "",
    ]
