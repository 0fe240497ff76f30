"""`reaseq replay`: a stored trace again from one of its steps, and what differs."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.output import AsJson, KnowledgeBase, run_async, say
from commands.setting_options import AIDS, REASONING, TELEMETRY, with_options
from commands.settings import Settings, settings_of
from commands.trace_options import MAKING, SHOWING, TraceOptions, taken_options

if TYPE_CHECKING:
    from memory.traces import Trace

Number = Annotated[int, typer.Argument(help="The trace's number, as in `reaseq traces`.", metavar="TRACE", min=1)]
From = Annotated[
    str,
    typer.Option("--from", help="NODE for its first turn, NODE:2 for the second, or a step's number.", metavar="STEP"),
]
Edit = Annotated[bool, typer.Option("--edit", help="Edit a copy of that step's prompt first, in $EDITOR.")]


@with_options(REASONING | AIDS | TELEMETRY | SHOWING | MAKING)
def replay(
    context: typer.Context,
    number: Number,
    step: From,
    edit: Edit = False,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
    **given: Any,
) -> None:
    """Run a trace again from a step: what was before is taken from it, and no call is made for that."""
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import
    from memory.traces import trace_of  # noqa: PLC0415

    options = taken_options(given, as_json=as_json)
    settings = settings_of(context, kb=kb)
    with open_existing_database(settings.kb) as database, database.session() as session:
        trace = trace_of(session, number)
    chosen = as_traced(settings, trace).overridden(**given)
    at = trace.step(step)
    if edit:
        from commands.prompt_edit import edited_prompts  # noqa: PLC0415 - only where something is edited

        chosen = chosen.overridden(prompts=edited_prompts(chosen, at.node))
    run_async(_replay(chosen, trace, at.number, options))


def as_traced(settings: Settings, trace: "Trace") -> Settings:
    """Return the settings with the model of a trace and its revisions: a replay changes what it is told to."""
    made = trace.provenance
    return settings.overridden(model=trace.model, max_revisions=made.max_revisions if made else None)


async def _replay(settings: Settings, trace: "Trace", number: int, options: TraceOptions) -> None:
    from commands.comparison_view import print_comparison  # noqa: PLC0415 - the graph takes a second to import
    from commands.trace_output import finish, followed, refuse_failure  # noqa: PLC0415
    from commands.tracing import replayed  # noqa: PLC0415
    from evaluators.trace_comparison import compare_traces  # noqa: PLC0415

    told = {"steps": trace.steps[: number - 1], "replay_of": trace.id, "replay_from": number}
    found = await followed(
        lambda manner: replayed(settings, trace, number, manner=manner), trace.model_copy(update=told), options
    )
    compared = compare_traces(trace, found)
    finish(found, options, compared)
    if not options.quiet:
        print_comparison(compared, f"trace {trace.id}", f"trace {found.id}" if found.id else "now")
    tell_changes(trace, found)
    refuse_failure(found)


def tell_changes(trace: "Trace", found: "Trace") -> None:
    """Say what a replay ran with that is not as it was, and what it did not have to pay."""
    told, taken = dict(trace.prompts), trace.steps[: (found.replay_from or 1) - 1]
    changed = [name for name, fingerprint in found.prompts if told.get(name) != fingerprint]
    if changed:
        say(f"prompts that are not as in trace {trace.id}: {', '.join(changed)}")
    old = sorted({call.prompt for step in taken for call in step.calls} & set(changed))
    if old:
        say(f"note: {', '.join(old)} changed too, and its steps were taken as they were: see --from")
    if trace.provenance and found.provenance:
        fields = type(trace.provenance).model_fields.keys() - {"prompts"}
        others = sorted(f for f in fields if getattr(trace.provenance, f) != getattr(found.provenance, f))
        if others:
            say(f"what else is not as in trace {trace.id}: {', '.join(others)}")
    recalled = sum(step.recalled for step in found.steps[len(taken) :])
    calls = sum(len(step.calls) for step in found.steps[len(taken) :])
    if recalled:
        say(f"{recalled} of {calls} answers were in the ledger and cost nothing; --fresh asks anew")
