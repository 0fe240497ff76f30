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
from prompts.library import PromptError, PromptLibrary, default_folder
from prompts.watching import edits


async def watch_prompts(settings: Settings, trace: Trace, options: TraceOptions) -> None:
    """Wait for prompts that are saved, and run the trace again from the first step that they change; without end."""
    folder, proposes = settings.prompts or default_folder(), model_of(keyless(settings)).capabilities.proposes
    say(f"watching {folder}; Ctrl-C ends it")
    async for changed in edits(folder, variant=None if proposes else EMBEDDED_VARIANT):
        names = ", ".join(sorted(path.name for path in changed))
        try:
            library = prompts_of(settings, model_of(keyless(settings)))
        except PromptError as error:
            fail(str(error))
            continue
        trace = await again(settings, trace, library, options, names)


async def again(settings: Settings, trace: Trace, library: PromptLibrary, options: TraceOptions, names: str) -> Trace:
    """Return the trace that is the newest after an edit: the same where none of its steps uses what changed."""
    step = first_changed(trace, library.fingerprints())
    if step is None:
        say(f"saved: {names}; no step of this trace uses what changed")
        return trace
    console.rule(f"saved, again from {step.number}. {step.node}")
    say(f"saved: {names}")
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
