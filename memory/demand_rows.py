"""How demands become rows, each with its verdict, and rows become demands again."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from memory.demand_tables import DemandRow
from memory.rows import Row
from memory.schema import Demand, Enrichment, Verdict

_OF_VERDICT = tuple(name for name in Verdict.model_fields if name != "claim_id")
_OF_DEMAND = tuple(name for name in Demand.model_fields if name != "id")


def demand_rows(enrichment: Enrichment) -> list[Row]:
    """Return one row a demand, in order."""
    verdicts = {verdict.claim_id: verdict for verdict in enrichment.demand_verdicts}
    return [
        {"item_id": enrichment.item_id, "demand_id": demand.id, "position": position}
        | demand.model_dump(mode="json", exclude={"id"})
        | verdicts[demand.id].model_dump(mode="json", exclude={"claim_id"})
        for position, demand in enumerate(enrichment.demands)
    ]


def demands_of(
    session: Session, of_items: ColumnElement[bool], versions: Iterable[int]
) -> dict[tuple[str, int], list[DemandRow]]:
    """Return the rows of some items in their order, by item id and version."""
    query = select(DemandRow).where(of_items, col(DemandRow.version_id).in_(versions)).order_by(col(DemandRow.position))
    found: dict[tuple[str, int], list[DemandRow]] = defaultdict(list)
    for row in session.exec(query):
        found[row.item_id, row.version_id].append(row)
    return found


def demands_content(rows: Iterable[DemandRow]) -> dict[str, object]:
    """Return what an `Enrichment` is built of: its demands and their verdicts, not validated yet."""
    rows = list(rows)
    return {
        "demands": [{"id": row.demand_id} | {name: getattr(row, name) for name in _OF_DEMAND} for row in rows],
        "demand_verdicts": [
            {"claim_id": row.demand_id} | {name: getattr(row, name) for name in _OF_VERDICT} for row in rows
        ],
    }
