"""The path that an item took through the graph: in a line, and as a Mermaid diagram with its loops and counts."""

from collections import Counter
from itertools import pairwise

from memory.text import printable
from memory.traces import Trace, TraceStep

LABEL = 60  # characters of an item's text in a diagram
_PLAIN = frozenset(" .,:/-_()+")


def path_taken(trace: Trace) -> str:
    """Return the nodes in their order; `↺` leads back."""
    parts: list[str] = []
    for step in trace.steps:
        parts += ["↺" if leads_back(trace, step) else "→"] if parts else []
        turn = trace.turn_of(step)
        parts.append(f"{step.node} ({turn})" if turn > 1 else step.node)
    return " ".join(parts)


def leads_back(trace: Trace, step: TraceStep) -> bool:
    """Return whether a step's node was there before the node of the step before it."""
    order = list(dict.fromkeys(other.node for other in trace.steps))
    return step.number > 1 and order.index(step.node) < order.index(trace.steps[step.number - 2].node)


def sent_back(trace: Trace, step: TraceStep) -> tuple[str, ...]:
    """Return the attributes that came back to the extractor for this step."""
    before = trace.steps[step.number - 2] if step.number > 1 else None
    back = before.update.corrections if before else None
    return tuple(sorted(back.attributes)) if back else ()


def mermaid_of(trace: Trace) -> str:
    """Return the path as a Mermaid flowchart; every text in it is escaped."""
    names = {node: f"n{n}" for n, node in enumerate(dict.fromkeys(step.node for step in trace.steps), 1)}
    item = _escaped(printable(f"{trace.item.id}: {trace.item.title}", LABEL))
    lines = ["flowchart TD", f'  item(["{item}"])']
    lines += [f'  {name}["{_described(trace, node)}"]' for node, name in names.items()]
    lines.append(f'  ended(["{_escaped(printable(_end(trace), LABEL))}"])')
    if trace.steps:
        lines.append(f"  item --> {names[trace.steps[0].node]}")
        lines += _edges(trace, names)
        lines.append(f"  {names[trace.steps[-1].node]} --> ended")
    again = {step.node for step in trace.steps if step.number >= (trace.replay_from or 1)}
    if taken := [name for node, name in names.items() if node not in again]:
        lines += [f"  class {','.join(taken)} taken", "  classDef taken stroke-dasharray: 4 4"]
    return "\n".join(lines) + "\n"


def _described(trace: Trace, node: str) -> str:
    turns = [step for step in trace.steps if step.node == node]
    calls = sum(len(step.calls) for step in turns)
    tokens = sum(c.usage.prompt_tokens + c.usage.completion_tokens for step in turns for c in step.calls)
    times = f" ({len(turns)} turns)" if len(turns) > 1 else ""
    seconds = sum(step.seconds for step in turns)
    return _escaped(f"{node}{times}") + "<br/>" + _escaped(f"{calls} calls, {tokens} tokens, {seconds:.2f} s")


def _edges(trace: Trace, names: dict[str, str]) -> list[str]:
    counted = Counter((before.node, after.node) for before, after in pairwise(trace.steps))
    back: dict[tuple[str, str], list[str]] = {}
    for before, after in pairwise(trace.steps):
        back.setdefault((before.node, after.node), []).extend(sent_back(trace, after))
    lines = []
    for (start, end), count in counted.items():
        about = ", ".join(dict.fromkeys(back[start, end]))
        label = f"{count} x" + (f" back: {about}" if about else "")
        arrow = "-.->" if about else "-->"
        if count > 1 or about:
            arrow += f'|"{_escaped(label)}"|'
        lines.append(f"  {names[start]} {arrow} {names[end]}")
    return lines


def _end(trace: Trace) -> str:
    if trace.failure:
        return f"failed: {trace.failure}"
    if trace.enrichment is None:
        return "not ended"
    return f"{len(trace.enrichment.accepted)} of {len(trace.enrichment.claims)} claims accepted"


def _escaped(text: str) -> str:
    """Return text for a quoted label: whatever is neither letter nor digit is a character's number."""
    return "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in text)
