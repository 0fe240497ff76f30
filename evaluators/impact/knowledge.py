"""What of the knowledge changed, counted: from the differences of single items."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from evaluators.impact.report import Count, KnowledgeChange, ValueChange
from memory.version_diff import ItemDiff, Value

EXAMPLES = 40
LISTED = 30  # attributes, and categories
KINDS = ("gained", "lost", "changed")

Counts = Counter[tuple[str, str]]  # by name and kind


def knowledge_change(
    differences: Sequence[ItemDiff],
    leaves: Mapping[str, str],
    claims: tuple[int, int],
    contradictions: tuple[int, int],
) -> KnowledgeChange:
    """Return what the differences add up to; `leaves` has the category's path of each item compared, before."""
    by_attribute: Counts = Counter()
    by_category: Counts = Counter()
    for difference in differences:
        for kind, names in _kinds(difference):
            by_attribute.update((name, kind) for name in names)
            by_category[leaves.get(difference.item_id, ""), kind] += len(names)
    totals = {kind: sum(n for (_, of), n in by_attribute.items() if of == kind) for kind in KINDS}
    return KnowledgeChange(
        items=len(leaves),
        differing=len(differences),
        claims=claims,
        **totals,
        recategorized=sum(difference.category is not None for difference in differences),
        demands=(sum(d.demands[0] for d in differences), sum(d.demands[1] for d in differences)),
        summaries=sum(difference.summary for difference in differences),
        contradictions=contradictions,
        by_attribute=_counts(by_attribute),
        by_category=_counts(by_category),
        examples=tuple(_examples(differences))[:EXAMPLES],
    )


def _kinds(difference: ItemDiff) -> Iterable[tuple[str, list[str]]]:
    yield "gained", [value[0] for value in difference.added]
    yield "lost", [value[0] for value in difference.removed]
    yield "changed", [value[0] for value, _ in difference.changed]


def _counts(found: Counts) -> tuple[Count, ...]:
    names = {name for (name, _), number in found.items() if number}
    counts = [Count(name=name, **{kind: found[name, kind] for kind in KINDS}) for name in names]
    return tuple(sorted(counts, key=lambda one: (-one.all, one.name)))[:LISTED]


def _examples(differences: Iterable[ItemDiff]) -> Iterable[ValueChange]:
    """Yield one change an item, the first of its kind: many items say more than many values of one."""
    for difference in differences:
        changes = [
            *difference.changed,
            *((value, None) for value in difference.removed),
            *((None, value) for value in difference.added),
        ]
        for before, after in changes[:1]:
            known = before or after
            yield ValueChange(
                item_id=difference.item_id,
                title=difference.title,
                attribute=known[0] if known else "",
                before=_written(before),
                after=_written(after),
            )


def _written(value: Value | None) -> str:
    return "" if value is None else f"{value[1]} {value[2]}" if value[2] else value[1]
