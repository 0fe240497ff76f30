"""What a run would have to do, why, and what that would cost: told from the ledger, nothing is asked or stored."""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path

from commands.choices import keyless, model_of, prompts_of, provenance_of, taxonomy_of
from commands.output import print_json, print_table, say
from commands.run_options import RunOptions, controls_of
from commands.settings import Settings
from graphs.dependencies import AGENTS
from memory.catalog import RejectedRow, read_catalog
from memory.database import Database, DatabaseMissing, open_database, open_existing_database
from memory.encoder import MiniLmEncoder
from memory.items import PAGE
from memory.record import Record
from memory.schema import CatalogItem
from memory.staleness import Forecast, StaleResult, Wanted, forecast, stale, stale_among, wanted_version
from memory.work import to_do

LISTED = 20  # items


class Cause(Record):
    """Why results of one agent are to be made."""

    agent: str
    why: str
    results: int


class ToDo(Record):
    """What a run would have to do: the results to be made, counted by cause, and the forecast."""

    items: int
    results: int
    causes: tuple[Cause, ...]
    first: tuple[StaleResult, ...]  # of the first items
    forecast: Forecast
    cost: Decimal | None  # at the present price where that is known, else what such calls have cost

    @property
    def unknown(self) -> tuple[str, ...]:
        """Agents that have no past to judge by."""
        return tuple(agent.agent for agent in self.forecast.agents if not agent.known)


def stale_work(settings: Settings, options: RunOptions | None = None, *, only: Sequence[str] | None = None) -> ToDo:
    """Return what the settings make stale of a knowledge base that must be there, or of some items in their order."""
    wanted = wanted_by(settings)
    with open_existing_database(settings.kb) as database, database.session() as session:
        results = stale(session, wanted) if only is None else stale_among(session, wanted, only)
        return _to_do(settings, options or RunOptions(), database, results)


def chosen_work(
    settings: Settings, database: Database, wanted: Wanted, ids: Sequence[str], options: RunOptions
) -> ToDo:
    """Return what of some items is stale; items of which nothing is are passed over."""

    def results() -> Iterator[StaleResult]:
        for start in range(0, len(ids), PAGE):
            with database.session() as session:
                yield from stale(session, wanted, only=ids[start : start + PAGE])

    return _to_do(settings, options, database, results())


def catalog_work(settings: Settings, catalog: Path, options: RunOptions) -> ToDo:
    """Return what a run over a catalog would have to do at most; the knowledge base need not be there."""
    wanted = wanted_by(settings)
    rows = islice(read_catalog(catalog, options.columns), options.limit)
    items = (row for row in rows if not isinstance(row, RejectedRow))
    with _opened(settings) as database:
        return _to_do(settings, options, database, _results(database, wanted, items, options))


def wanted_by(settings: Settings) -> Wanted:
    """Return the configuration that the settings ask for; no model is asked, so no key is needed."""
    model = model_of(keyless(settings))
    if settings.stronger:
        model_of(
            keyless(settings.overridden(model=settings.stronger))
        )  # one that cannot be is told now, not by the run
    encoder = MiniLmEncoder().name
    provenance = provenance_of(settings, model, prompts_of(settings, model), taxonomy_of(settings), encoder)
    return Wanted(provenance=provenance, agents=AGENTS)


def print_to_do(work: ToDo, as_json: bool) -> None:
    """Print what is to be done and what it would cost."""
    if as_json:
        print_json(work.model_dump(mode="json") | {"calls": work.forecast.calls, "tokens": work.forecast.tokens})
        return
    if work.causes:
        rows = [[cause.agent, cause.why, str(cause.results)] for cause in work.causes]
        print_table("To be made, by agent and cause", ["agent", "why", "results"], rows)
        print_table(
            "First items", ["item", "agent", "why"], [[r.item_id, r.agent, "; ".join(r.why)] for r in work.first]
        )
    say(f"{work.items} items, {work.results} results to be made")
    cost = "money unknown: no price is known" if work.cost is None else f"{work.cost:.4f} in money"
    say(f"forecast from past calls: {work.forecast.calls:.0f} calls, {work.forecast.tokens:.0f} tokens, {cost}")
    if work.unknown:
        say(f"not in the forecast, for they have no past to judge by: {', '.join(work.unknown)}")


def _opened(settings: Settings) -> Database:
    try:
        return open_existing_database(settings.kb)
    except DatabaseMissing:
        return open_database("sqlite://")  # an empty past, and no file is made


def _results(
    database: Database, wanted: Wanted, items: Iterator[CatalogItem], options: RunOptions
) -> Iterator[StaleResult]:
    """Yield every agent's result of each item that the wanted version has not: a changed row is not stored yet."""
    with database.session() as session:
        version = wanted_version(session, wanted)
        while page := list(islice(items, PAGE)):
            todo = to_do(session, version, page, again=options.fresh, retry_failed=options.retry_failed)
            for item in todo:
                for needs in wanted.agents:
                    yield StaleResult(item_id=item.id, agent=needs.agent, why=("not done with these settings",))


def _to_do(settings: Settings, options: RunOptions, database: Database, results: Iterator[StaleResult]) -> ToDo:
    """Count results in one pass; only the first items are kept."""
    causes: Counter[tuple[str, str]] = Counter()
    first: list[StaleResult] = []
    items, last, number = 0, None, 0

    def counted() -> Iterator[StaleResult]:
        nonlocal items, last, number
        for result in results:
            items, last, number = items + (result.item_id != last), result.item_id, number + 1
            causes.update((result.agent, why) for why in result.why)
            if items <= LISTED:
                first.append(result)
            yield result

    with database.session() as session:
        expected = forecast(session, counted())
    return ToDo(
        items=items,
        results=number,
        causes=tuple(Cause(agent=a, why=why, results=n) for (a, why), n in causes.most_common()),
        first=tuple(first),
        forecast=expected,
        cost=_cost(settings, options, expected),
    )


def _cost(settings: Settings, options: RunOptions, expected: Forecast) -> Decimal | None:
    price = controls_of(settings, options.model_copy(update={"budget": None})).price
    if price is None:
        return expected.cost
    prompt = Decimal(sum(agent.prompt_tokens for agent in expected.agents))
    completion = Decimal(sum(agent.completion_tokens for agent in expected.agents))
    return (prompt * price.input + completion * price.output) / 1_000_000
