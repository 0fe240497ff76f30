"""Which results another configuration would make anew, and what that would cost, as far as the past can tell."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import Row, Select, func
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from memory.items import PAGE
from memory.record import Record
from memory.schema import Provenance
from memory.tables import EnrichmentRow, ItemRow, ModelCallRow, VersionRow, WorkRow
from memory.versions import fingerprint_of, known_in, lineage

FEW = 500  # items that one query names
LOOKED_AT = 20_000  # the newest calls of the ledger, from which a forecast is made

NEVER_ENRICHED = "never enriched"
TEXT = "its text"
_PROVENANCE = tuple(col(getattr(EnrichmentRow, name)) for name in Provenance.model_fields)


class AgentNeeds(Record):
    """What one agent's results depend on, besides the item, the model, its parameters and the code."""

    agent: str
    prompts: tuple[str, ...]  # names, as in `Provenance.prompts`
    aids: tuple[str, ...] = ()  # names, as in `Provenance.aids`
    after: tuple[str, ...] = ()  # agents whose results it reads
    uses: tuple[Literal["taxonomy_version", "encoder", "max_revisions"], ...] = ()


class Wanted(Record):
    """A configuration, and its agents in the order in which they work."""

    provenance: Provenance
    agents: tuple[AgentNeeds, ...]


class StaleResult(Record):
    """What one agent found out about one item, and what has changed since."""

    item_id: str
    agent: str
    why: tuple[str, ...]


class AgentForecast(Record):
    """What it would cost to ask one agent about so many items again."""

    agent: str
    items: int
    calls: float
    prompt_tokens: float
    completion_tokens: float
    cost: Decimal | None  # None where no price is known
    known: bool  # False: the ledger has no call of this agent to judge by, and the other figures are 0


class Forecast(Record):
    """What stale results would cost to make anew; answers that the ledger has make it cheaper."""

    agents: tuple[AgentForecast, ...]

    @property
    def calls(self) -> float:
        """Calls of all agents."""
        return sum(agent.calls for agent in self.agents)

    @property
    def tokens(self) -> float:
        """Prompt and completion tokens of all agents."""
        return sum(agent.prompt_tokens + agent.completion_tokens for agent in self.agents)

    @property
    def cost(self) -> Decimal | None:
        """Money for all agents; None where the price of one is not known."""
        costs = [agent.cost for agent in self.agents if agent.calls]
        return None if None in costs else sum((cost for cost in costs if cost is not None), Decimal(0))


def stale(
    session: Session, wanted: Wanted, *, after: str = "", only: Collection[str] | None = None
) -> Iterator[StaleResult]:
    """Yield each (item, agent) whose result is not what the wanted configuration would give, in order of item id.

    Items up to the id `after` are passed over, and all but the few in `only` where it is given.

    Results are looked for in the version of that configuration, else in the current one, and below. An item that
    failed in the wanted version is no more stale: it is among the failures. It is read a page at a time.
    """
    version = wanted_version(session, wanted)
    query = _items_with_provenance(lineage(session, version), version)
    query = query if only is None else query.where(col(ItemRow.id).in_(only))
    reasons = lru_cache(maxsize=64)(lambda made: _reasons(made, wanted))
    never, text = ({needs.agent: (why,) for needs in wanted.agents} for why in (NEVER_ENRICHED, TEXT))
    last = after
    while page := session.connection().execute(query.where(col(ItemRow.id) > last).limit(PAGE)).all():
        for row in page:
            why = reasons(_provenance(row)) if row.model is not None else text if row.outdated else never
            for agent, reason in why.items():
                yield StaleResult(item_id=row.id, agent=agent, why=reason)
        last = page[-1].id


def stale_among(session: Session, wanted: Wanted, ids: Sequence[str]) -> Iterator[StaleResult]:
    """Yield the stale results of some items, in the order in which these are given; unknown ids are passed over."""
    for start in range(0, len(ids), FEW):
        few = ids[start : start + FEW]
        found: dict[str, list[StaleResult]] = {item_id: [] for item_id in few}
        for result in stale(session, wanted, only=few):
            found[result.item_id].append(result)
        for results in found.values():
            yield from results


def forecast(session: Session, results: Iterable[StaleResult]) -> Forecast:
    """Return what it would cost to make results anew: the mean of what an item cost each agent lately.

    Calls for templates, which all items of a category share, are left out.
    """
    items = Counter(result.agent for result in results)
    past = {row.agent: row for row in session.connection().execute(_means())}
    return Forecast(agents=tuple(_agent_forecast(agent, number, past.get(agent)) for agent, number in items.items()))


def wanted_version(session: Session, wanted: Wanted) -> int | None:
    """Return the version that has the wanted configuration, or None."""
    query = select(func.max(VersionRow.id)).where(VersionRow.fingerprint == fingerprint_of(wanted.provenance))
    return session.exec(query).one()


def _items_with_provenance(versions: Sequence[int], wanted: int | None) -> Select[*tuple[Any, ...]]:
    """Return the query for all items but those that failed in `wanted`, with the provenance of what is known."""
    other, failed = aliased(EnrichmentRow), aliased(WorkRow)
    outdated = select_columns(col(other.item_id)).where(
        col(other.item_id) == col(ItemRow.id), col(other.version_id).in_(versions)
    )
    gave_up = select_columns(col(failed.item_id)).where(
        col(failed.item_id) == col(ItemRow.id),
        col(failed.content_hash) == col(ItemRow.content_hash),
        col(failed.version_id) == wanted,
        col(failed.state) == "failed",
    )
    columns = (col(ItemRow.id), outdated.exists().label("outdated"), *_PROVENANCE)
    return (
        select_columns(*columns)
        .select_from(ItemRow)
        .outerjoin(EnrichmentRow, known_in(versions))
        .where(~gave_up.exists())
        .order_by(col(ItemRow.id))
    )


def _provenance(row: Row[*tuple[Any, ...]]) -> Provenance:
    content = {name: getattr(row, name) for name in Provenance.model_fields}
    pairs = {name: tuple((one, print_) for one, print_ in content[name]) for name in ("prompts", "aids")}
    return Provenance.model_validate(content | pairs)


def _reasons(made: Provenance, wanted: Wanted) -> Mapping[str, tuple[str, ...]]:
    """Return why each stale agent is stale."""
    found: dict[str, tuple[str, ...]] = {}
    for needs in wanted.agents:
        why = [*_own_reasons(made, wanted.provenance, needs)]
        why += [f"what {other} found" for other in needs.after if other in found]
        if why:
            found[needs.agent] = tuple(why)
    return found


def _own_reasons(made: Provenance, wanted: Provenance, needs: AgentNeeds) -> Iterator[str]:
    for name in ("model", "parameters", "code_version", *needs.uses):
        before, after = getattr(made, name), getattr(wanted, name)
        if before != after:
            yield f"{name} {before} -> {after}"
    for kind, names, prints, wanted_prints in (
        ("prompt ", needs.prompts, dict(made.prompts), dict(wanted.prompts)),
        ("", needs.aids, dict(made.aids), dict(wanted.aids)),
    ):
        yield from (f"{kind}{name}" for name in names if prints.get(name) != wanted_prints.get(name))


def _means() -> Select[*tuple[Any, ...]]:
    """Return the query for what one item cost each agent in one run, on average."""
    newest = select_columns(func.max(ModelCallRow.id)).scalar_subquery()
    turns = (
        select_columns(
            col(ModelCallRow.agent),
            func.count().label("calls"),
            func.sum(col(ModelCallRow.prompt_tokens)).label("prompt_tokens"),
            func.sum(col(ModelCallRow.completion_tokens)).label("completion_tokens"),
            func.sum(col(ModelCallRow.cost)).label("cost"),
        )
        .join(ItemRow, col(ItemRow.id) == col(ModelCallRow.item_id))
        .where(col(ModelCallRow.id) > newest - LOOKED_AT)
        .group_by(col(ModelCallRow.agent), col(ModelCallRow.item_id), col(ModelCallRow.run_id))
        .subquery()
    )
    sums = (func.sum(column).label(column.name) for column in turns.columns if column.name != "agent")
    priced = func.count(turns.columns.cost).label("priced")
    return select_columns(turns.columns.agent, func.count().label("turns"), priced, *sums).group_by(turns.columns.agent)


def _agent_forecast(agent: str, items: int, past: Row[*tuple[Any, ...]] | None) -> AgentForecast:
    if past is None:
        nothing = {"calls": 0.0, "prompt_tokens": 0.0, "completion_tokens": 0.0}
        return AgentForecast(agent=agent, items=items, cost=None, known=False, **nothing)
    share = items / past.turns
    return AgentForecast(
        agent=agent,
        items=items,
        calls=int(past.calls) * share,
        prompt_tokens=int(past.prompt_tokens) * share,
        completion_tokens=int(past.completion_tokens) * share,
        cost=past.cost * items / past.priced if past.priced else None,
        known=True,
    )
