"""One report of agents in full: what each is worth in every metric, for the tokens and the money that it takes."""

from evaluators.impact.report import AgentsReport, AgentWorth
from evaluators.significance import Difference
from studio.impact_view import money, tone
from studio.parts import box, heading, table, text
from studio.plots import intervals

Model = tuple[str, str]  # a model's name, and a metric of its


def show_agents(report: AgentsReport, number: int) -> None:
    """Show the report."""
    work, models = report.work, models_of(report)
    text(
        f"report {number}, {report.made_at:%Y-%m-%d %H:%M} UTC · version {report.side.version} · "
        f"{report.sample.items:,} of {report.sample.of:,} items · {work.calls:,} calls, {work.tokens:,} tokens",
        "soft small",
    )
    with box("part"):
        heading("What each agent is worth", "in points, from without it to with it; under each the 95 % interval")
        columns = ["agent", "without it", "tokens an item", "money", "claims + − ~", "F1", *(m for _, m in models)]
        rows = [_cells(own, models) for own in report.agents]
        table(columns, rows, numbers=range(2, len(columns)))
    for model, metric in models:
        with box("part"):
            heading(f"{model}: {metric}")
            found = {own.agent: _found(own, (model, metric)) for own in report.agents}
            intervals([(agent, one, tone(metric, one)) for agent, one in found.items() if one is not None])
    for note in report.notes:
        text(note, "told")


def models_of(report: AgentsReport) -> list[Model]:
    """Return the models and metrics that agents were judged by, in their order."""
    return list(dict.fromkeys((model, one.metric) for own in report.agents for model, one in own.rankings))


def _cells(own: AgentWorth, models: list[Model]) -> list[str]:
    golden = _points(None if own.golden is None else own.golden.f1)
    claims = "+{:,} −{:,} ~{:,}".format(*own.knowledge)
    known = [cost for cost in own.cost if cost is not None]
    spent = money(known[1] - known[0] if len(known) == 2 else None)
    rankings = [_points(_found(own, model)) for model in models]
    return [own.agent, own.off, f"{own.tokens[1] - own.tokens[0]:+,.0f}", spent, claims, golden, *rankings]


def _found(own: AgentWorth, model: Model) -> Difference | None:
    return next((one.difference for name, one in own.rankings if (name, one.metric) == model), None)


def _points(one: Difference | None) -> str:
    return "–" if one is None else f"{100 * one.difference:+.2f}\n{100 * one.low:+.2f} to {100 * one.high:+.2f}"
