"""An evaluation in the terminal: the figures, each attribute, what differs, what each agent is worth, the gate."""

from collections.abc import Iterable, Sequence

from commands.output import print_table, say
from evaluators.comparison import Comparison, ItemChange
from evaluators.evaluation import Evaluation, GateRuling, Protocol, SystemResult
from evaluators.marginal import Marginal
from evaluators.rates import Rates
from evaluators.significance import Difference
from evaluators.summary import GroupScore, Summary

SHOWN = 15  # rows of a long table; the JSON and the HTML have all
NOT_SAID = "-"


def print_evaluation(found: Evaluation) -> None:
    """Print all tables."""
    systems = [found.compared, found.system] if found.compared else [found.system]
    _print_figures(systems, found.protocol)
    summary = found.system.summary
    _print_groups("By attribute", "attribute", summary.by_attribute)
    _print_groups("By category", "category", summary.by_category)
    _print_reliability(summary)
    if found.comparison:
        _print_comparison(found.comparison)
    if found.marginals:
        _print_marginals(found.marginals)
    if found.gate:
        _print_gate(found.gate)


def _print_figures(systems: Sequence[SystemResult], protocol: Protocol) -> None:
    rows = [_figures(system) for system in systems]
    beside = "is wrong" if protocol.complete else "is not counted but in the strict rows"
    title = f"Against the gold (values compared: {protocol.match}; a value for what gold does not name {beside})"
    print_table(title, ["", *(s.label for s in systems)], [[name, *(row[name] for row in rows)] for name in rows[0]])


def _figures(system: SystemResult) -> dict[str, str]:
    summary = system.summary
    threshold = summary.threshold
    return {
        "items": f"{summary.items} ({summary.failed} without a result)" if summary.failed else f"{summary.items}",
        "category right": _share(summary.category_accuracy) if summary.categorized else NOT_SAID,
        "category path P / R / F1": _rates(summary.category_overlap) if summary.categorized else NOT_SAID,
        "attributes P / R / F1": _rates(summary.micro),
        "strict P / R / F1": _rates(summary.strict),
        "macro F1": _share(summary.macro_f1),
        "grounded text claims": f"{_share(summary.grounded)} of {summary.text_claims}",
        "demands of the gold found": f"{_share(summary.demand_recall)} of {summary.demands_wanted}"
        if summary.demands_wanted
        else NOT_SAID,
        "proposals without evidence": f"{summary.ungrounded}",
        "calibration error (ECE)": f"{summary.calibration.ece:.3f}",
        "Brier score": f"{summary.calibration.brier:.3f}",
        "threshold for the target precision": NOT_SAID
        if threshold is None
        else f"{threshold.confidence:.2f} (keeps {_share(threshold.kept)} of the claims)",
        "calls an item": f"{summary.calls_an_item:.2f}",
        "tokens an item": f"{summary.tokens_an_item:.0f}",
        "cost of all items": "price unknown" if system.cost is None else f"{system.cost:.4f}",
    }


def _print_groups(title: str, name: str, groups: Sequence[GroupScore]) -> None:
    rows = [
        [g.name, str(g.kinds.vn + g.kinds.vc + g.kinds.vw), *(_share(v) for v in dict(g.rates).values())]
        for g in groups[:SHOWN]
    ]
    more = f" (the first {SHOWN} of {len(groups)})" if len(groups) > SHOWN else ""
    print_table(f"{title}{more}", [name, "gold values", "precision", "recall", "F1"], rows)


def _print_reliability(summary: Summary) -> None:
    rows = [
        [f"{b.lowest:.2f} - {b.highest:.2f}", str(b.claims), f"{b.confidence:.3f}", f"{b.accuracy:.3f}"]
        for b in summary.calibration.bins
    ]
    print_table("Confidence and what is right", ["confidence", "claims", "mean confidence", "right"], rows)


def _print_comparison(found: Comparison) -> None:
    rows = [_difference("F1", found.f1), _difference("category right", found.category_accuracy)]
    print_table(f"From {found.before} to {found.after}", ["", "before", "after", "change", "95 % interval", "p"], rows)
    _print_changes("Items that won", found.wins)
    _print_changes("Items that lost", found.losses)


def _print_changes(title: str, changes: Sequence[ItemChange]) -> None:
    if changes:
        rows = [
            [c.item_id, _share(c.before), _share(c.after), ", ".join(c.gained), ", ".join(c.lost)]
            for c in changes[:SHOWN]
        ]
        print_table(f"{title}: {len(changes)}", ["item", "F1 before", "F1 after", "gained", "lost"], rows)


def _print_marginals(marginals: Iterable[Marginal]) -> None:
    rows = [
        [
            m.agent,
            m.off,
            _share(m.f1.before),
            _points(m.f1.difference),
            f"{_points(m.f1.low)} to {_points(m.f1.high)}",
            f"{m.tokens_with - m.tokens_without:+.0f}",
            NOT_SAID if m.f1_per_1000_tokens is None else _points(m.f1_per_1000_tokens),
        ]
        for m in marginals
    ]
    columns = ["agent", "without it", "F1 without", "it adds", "95 % interval", "tokens an item", "F1 per 1,000 tokens"]
    print_table("What each agent and loop adds (points of F1)", columns, rows)


def _print_gate(gate: GateRuling) -> None:
    if gate.comparison:
        _print_comparison(gate.comparison)
    say(f"gate: {'passed' if gate.passed else 'FAILED'} against {gate.earlier}")
    for reason in gate.reasons:
        say(f"  {reason}")


def _difference(name: str, found: Difference) -> list[str]:
    interval = f"{_points(found.low)} to {_points(found.high)}"
    change = _points(found.difference)
    return [
        name,
        _share(found.before),
        _share(found.after),
        change,
        interval,
        "< 0.001" if found.p_value < 0.001 else f"{found.p_value:.3f}",
    ]


def _rates(rates: Rates) -> str:
    return " / ".join(_share(value) for value in dict(rates).values())


def _share(value: float) -> str:
    return f"{value:.1%}"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"
