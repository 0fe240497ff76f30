"""`reaseq trace --watch`: a trace again, from the first step whose prompt was saved, each time that one is."""

from commands.choices import EMBEDDED_VARIANT, keyless, model_of, prompts_of
from commands.comparison_view import print_comparison
from commands.output import console, fail, say
from commands.settings import Settings
from commands.trace_options import TraceOptions
from commands.trace_output import finish, followed
from commands.tracing import replayed
from evaluators.trace_comparison import compare_traces
from graphs.replay import first_changed
from memory.traces import Trace
from prompts.library import PromptError, default_folder
from prompts.watching import edits


async def watch_prompts(settings: Settings, trace: Trace, options: TraceOptions) -> None:
    """Wait for prompts that are saved, and run the trace again from the first step that they change; without end."""
    folder, proposes = settings.prompts or default_folder(), model_of(keyless(settings)).capabilities.proposes
    say(f"watching {folder}; Ctrl-C ends it")
    trace = await again(settings, trace, options)  # for what was saved while it ran
    async for changed in edits(folder, variant=None if proposes else EMBEDDED_VARIANT):
        say(f"saved: {', '.join(sorted(path.name for path in changed))}")
        newer = await again(settings, trace, options)
        if newer is trace:
            say("nothing ran again")
        trace = newer


async def again(settings: Settings, trace: Trace, options: TraceOptions) -> Trace:
    """Return the trace as the prompts are by now: the same one where none of its steps uses what has changed."""
    try:
        library = prompts_of(settings, model_of(keyless(settings)))
    except PromptError as error:
        fail(str(error))
        return trace
    step = first_changed(trace, library.fingerprints())
    if step is None:
        return trace
    console.rule(f"again from {step.number}. {step.node}")
    told = {"steps": trace.steps[: step.number - 1], "replay_of": trace.id, "replay_from": step.number}
    found = await followed(
        lambda manner: replayed(settings, trace, step.number, library=library, manner=manner),
        trace.model_copy(update=told),
        options,
    )
    compared = compare_traces(trace, found)
    finish(found, options, compared)
    print_comparison(compared, f"trace {trace.id or 'before'}", f"trace {found.id or 'now'}")
    return found
