"""The gate: whether a system is worse than an earlier one for sure."""

from collections.abc import Iterator

from evaluators.comparison import Comparison, compare
from evaluators.evaluation import Evaluation, GateRuling
from evaluators.significance import LEVEL, Difference


def ruled(earlier: Evaluation, present: Evaluation, *, file: str, tolerance: float, seed: int) -> GateRuling:
    """Return whether `present` passes.

    It fails where F1 or category accuracy is lost for sure (`is_loss`), and where the two cannot be compared: other
    gold, another protocol.
    """
    if faults := tuple(_differences(earlier, present)):
        return GateRuling(passed=False, earlier=file, reasons=faults)
    labels = (earlier.system.label, present.system.label)
    comparison = compare(earlier.system.items, present.system.items, labels=labels, seed=seed)
    losses = tuple(_losses(comparison, tolerance))
    return GateRuling(passed=not losses, earlier=file, reasons=losses, comparison=comparison)


def is_loss(found: Difference, tolerance: float = 0.0) -> bool:
    """Return whether a difference is a loss of more than `tolerance`, for sure.

    The interval has to lie wholly below, and the permutation test has to agree at half of 5 %, as a gate looks at two
    figures. The test is exact between systems of equal worth, where intervals of few items are somewhat too short.
    """
    return found.high < -tolerance and found.p_value < (1 - LEVEL) / 2


def _differences(earlier: Evaluation, present: Evaluation) -> Iterator[str]:
    if earlier.gold.fingerprint != present.gold.fingerprint:
        yield f"the gold differs: {earlier.gold.items} items then, {present.gold.items} now, not all the same"
    if earlier.protocol != present.protocol:
        then, now = earlier.protocol.model_dump(), present.protocol.model_dump()
        yield "the protocol differs: " + ", ".join(
            f"{k} {then[k]} then, {now[k]} now" for k in now if then[k] != now[k]
        )


def _losses(comparison: Comparison, tolerance: float) -> Iterator[str]:
    for name, found in {"F1": comparison.f1, "category accuracy": comparison.category_accuracy}.items():
        if is_loss(found, tolerance):
            yield (
                f"{name} fell from {found.before:.1%} to {found.after:.1%}: "
                f"{found.difference:+.1%} (95 % interval {found.low:+.1%} to {found.high:+.1%})"
            )
