"""How a trace leaves a command: step by step as it happens, as JSON, as a page, as a diagram."""

import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager

from rich.text import Text

from commands.output import console, print_json, say
from commands.trace_options import TraceOptions
from commands.trace_path import mermaid_of
from commands.trace_view import print_end, print_step, print_taken, tell_number
from commands.tracing import Manner
from evaluators.trace_comparison import TraceComparison
from memory.atomic_file import written_whole
from memory.errors import ReaseqError
from memory.traces import Trace, TraceStep

Start = Callable[[Manner], AsyncGenerator[TraceStep | Trace]]


class TraceFailed(ReaseqError):
    """The item's way through the graph ended before its time; the text says at which node and why."""


def refuse_failure(trace: Trace) -> None:
    """Raise `TraceFailed` where a trace failed."""
    if trace.failure:
        raise TraceFailed(trace.failure)


async def followed(start: Start, so_far: Trace, options: TraceOptions) -> Trace:
    """Show each step as it ends, and return the whole trace.

    `so_far` has the item, and the steps that are taken over.
    """
    if not options.quiet:
        print_taken(so_far)
    trace = so_far
    with _at_work(options) as begun:
        manner = Manner(store=not options.no_store, fresh=options.fresh, begun=begun)
        async with aclosing(start(manner)) as found:
            async for seen in found:
                if isinstance(seen, Trace):
                    trace = seen
                    continue
                trace = trace.model_copy(update={"steps": (*trace.steps, seen)})
                if not options.quiet:
                    print_step(trace, seen, brief=options.brief)
    return trace


def print_trace(trace: Trace, options: TraceOptions) -> None:
    """Show a trace that is there already."""
    if not options.quiet:
        print_taken(trace)
        for step in trace.steps[(trace.replay_from or 1) - 1 :]:
            print_step(trace, step, brief=options.brief)
    finish(trace, options)


def finish(trace: Trace, options: TraceOptions, compared: TraceComparison | None = None) -> None:
    """Show how a trace ended, and write what was asked for."""
    if options.as_json:
        print_json(document_of(trace) | ({"comparison": compared.model_dump(mode="json")} if compared else {}))
    elif options.mermaid:
        sys.stdout.write(mermaid_of(trace))
    else:
        print_end(trace)
    if options.html:
        from commands.trace_page import trace_page  # noqa: PLC0415 - only where a page is written

        with written_whole(options.html) as unfinished:
            unfinished.write_text(trace_page(trace, compared), encoding="utf-8", errors="replace")
        say(f"wrote {options.html}")
    tell_number(trace)


def document_of(trace: Trace) -> dict[str, object]:
    """Return a trace as one JSON document; a step's update has what the node said alone."""
    steps = [
        step.model_dump(mode="json", exclude={"update"})
        | {"update": step.update.model_dump(mode="json", include=step.update.model_fields_set)}
        for step in trace.steps
    ]
    return trace.model_dump(mode="json", exclude={"steps"}) | {"steps": steps}


@contextmanager
def _at_work(options: TraceOptions) -> Iterator[Callable[[str], None]]:
    """Yield what says in the terminal which node is at work; it says nothing elsewhere."""
    if options.quiet or not console.is_terminal:
        yield lambda _: None
        return
    with console.status("opening …") as status:
        yield lambda node: status.update(Text(f"{node} is at work …"))
