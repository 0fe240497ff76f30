"""How versions of the results are told: what a configuration is, and what two versions say differently of an item."""

from collections.abc import Iterator

from pydantic import JsonValue, TypeAdapter, ValidationError

from memory.schema import Provenance
from memory.version_diff import ItemDiff, Value

TOLD_APART = ("prompts", "aids")
SILENT = "without"  # the parameter that names agents that ask no model
_PARAMETERS: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


def phrase_configuration(made: Provenance | None, parents: Provenance | None) -> list[str]:
    """Return what tells a configuration from the one that it is laid over, else what it is."""
    if made is None:
        return ["several"]
    if parents is None:
        return [made.model, f"max_revisions {made.max_revisions}", f"reaseq {made.code_version}"]
    before, after = dict(parents), dict(made)
    changed = [name for name in after if name not in (*TOLD_APART, "parameters") and before[name] != after[name]]
    prompts = [f"prompt {name}" for name, fingerprint in made.prompts if (name, fingerprint) not in parents.prompts]
    told = [f"{name} {before[name]} -> {after[name]}" for name in changed]
    return told + list(_parameters(parents.parameters, made.parameters)) + prompts + _aids(made, parents)


def _parameters(before: str, after: str) -> Iterator[str]:
    """Yield which parameters of the model differ; agents that ask no model are among them."""
    if before == after:
        return
    old, new = _read(before), _read(after)
    if old is None or new is None:
        yield f"parameters {before} -> {after}"
        return
    was, now = _silent(old), _silent(new)
    yield from (f"without {agent}" for agent in sorted(now - was))
    yield from (f"with {agent} again" for agent in sorted(was - now))
    for name in sorted({*old, *new} - {SILENT}):
        if old.get(name) != new.get(name):
            yield f"{name} {old.get(name, 'not set')} -> {new.get(name, 'not set')}"


def _silent(parameters: dict[str, JsonValue]) -> set[str]:
    named = parameters.get(SILENT)
    return {str(agent) for agent in named} if isinstance(named, list) else set()


def _read(parameters: str) -> dict[str, JsonValue] | None:
    try:
        return _PARAMETERS.validate_json(parameters)
    except ValidationError:  # of an earlier reaseq
        return None


def _aids(made: Provenance, parents: Provenance) -> list[str]:
    """Return what aided the extractor and does not any more, or does now, or is another one."""
    before, after = dict(parents.aids), dict(made.aids)
    lost = [f"without {name}" for name in before if name not in after]
    return lost + [
        f"{'another' if name in before else 'with'} {name}" for name in after if before.get(name) != after[name]
    ]


def difference_lines(difference: ItemDiff) -> list[str]:
    """Return what differs on one item, a line each."""
    lines = []
    if not all(difference.known):
        lines.append("only the second knows it" if difference.known[1] else "only the first knows it")
    if difference.category:
        lines.append(f"category {' -> '.join(difference.category)}")
    lines += [f"{was[0]}: {_phrase(was)} -> {_phrase(now)}" for was, now in difference.changed]
    lines += [f"- {value[0]}: {_phrase(value)}" for value in difference.removed]
    lines += [f"+ {value[0]}: {_phrase(value)}" for value in difference.added]
    more, fewer = difference.demands
    lines += [f"demands: {more} more, {fewer} fewer"] if more or fewer else []
    lines += ["another summary"] if difference.summary else []
    return lines


def _phrase(value: Value) -> str:
    return value[1] if value[2] is None else f"{value[1]} {value[2]}"
