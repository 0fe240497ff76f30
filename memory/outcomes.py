"""How turns ended other than with knowledge: items that failed, and catalog rows that are no items."""

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, insert, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from memory.catalog import RejectedRow
from memory.concurrent_rows import put
from memory.items import save_item
from memory.record import Record
from memory.rows import Row, now
from memory.schema import CatalogItem
from memory.tables import TABLES, ItemRow, RejectedRowRow, WorkRow
from memory.versions import ended_in, lineage

# Put together once: that would take longer than running it.
_TURN_ENDED = update(TABLES.tables["work"]).where(
    col(WorkRow.item_id) == bindparam("of_item"), col(WorkRow.version_id) == bindparam("of_version")
)


class ItemFailure(Record):
    """Why the last attempt at an item gave nothing."""

    item_id: str
    reason: str
    detail: str = ""


def settle(
    session: Session, version_id: int, item: CatalogItem, state: str, *, reason: str = "", detail: str = ""
) -> None:
    """Store how a version's turn with an item ended: `enriched` or `failed`; a lease on it is over."""
    ended = _ended(item, state, reason, detail)
    turn = {"of_item": item.id, "of_version": version_id}
    if session.connection().execute(_TURN_ENDED, ended | turn).rowcount == 0:
        key = {"item_id": item.id, "version_id": version_id}
        session.connection().execute(insert(WorkRow), [ended | key | {"fence": 0, "attempts": 1}])


def settle_leased(session: Session, turns: Iterable[tuple[int, CatalogItem]]) -> None:
    """Store as `settle` that versions' turns with items ended well, where each has a lease: one statement for all."""
    ended = [_ended(item, "enriched") | {"of_item": item.id, "of_version": version_id} for version_id, item in turns]
    session.connection().execute(_TURN_ENDED, ended)


def save_failure(session: Session, version_id: int, item: CatalogItem, reason: str, detail: str = "") -> None:
    """Store the item and why the last attempt at it gave nothing; what was known of the same text stays."""
    save_item(session, item)
    settle(session, version_id, item, "failed", reason=reason, detail=detail)


def failures(session: Session, version_id: int | None = None) -> list[ItemFailure]:
    """Return why items failed as a version (the current one unless given) and those below it tell, in order of id."""
    query = _failed(session, version_id).order_by(col(WorkRow.item_id))
    return [_failure(row) for row in session.exec(query)]


def failure_of(session: Session, item_id: str, version_id: int | None = None) -> ItemFailure | None:
    """Return why the last attempt at an item gave nothing, or None."""
    row = session.exec(_failed(session, version_id).where(WorkRow.item_id == item_id)).first()
    return None if row is None else _failure(row)


def save_rejected_row(session: Session, catalog: str, line: int, reason: str, item_id: str | None = None) -> None:
    """Store why a catalog row is no item, in place of what was said of the same line before."""
    save_rejected_rows(session, [RejectedRow(file=catalog, line=line, reason=reason, item_id=item_id)])


def save_rejected_rows(session: Session, rows: Iterable[RejectedRow]) -> None:
    """Store why catalog rows are no items, in place of what was said of the same lines before."""
    last = {(row.file, row.line): row for row in rows}
    stored: list[Row] = [
        {"catalog": row.file, "line": row.line, "reason": row.reason, "item_id": row.item_id}
        for _, row in sorted(last.items())
    ]
    if stored:
        put(session, TABLES.tables["rejected_row"], stored, ("catalog", "line"))


def forget_rejected_rows(session: Session, catalog: str) -> None:
    """Drop what was said of a catalog's rows, before it is read anew."""
    session.execute(delete(RejectedRowRow).where(col(RejectedRowRow.catalog) == catalog))


def rejected_rows(session: Session) -> list[RejectedRow]:
    """Return the refused catalog rows, in order of catalog and line."""
    order = (col(RejectedRowRow.catalog), col(RejectedRowRow.line))
    rows = session.exec(select(RejectedRowRow).order_by(*order)).all()
    return [RejectedRow(file=r.catalog, line=r.line, reason=r.reason, item_id=r.item_id) for r in rows]


def _ended(item: CatalogItem, state: str, reason: str = "", detail: str = "") -> Row:
    return {
        "content_hash": item.content_hash,
        "state": state,
        "owner": "",
        "leased_at": 0.0,
        "lease_until": 0.0,
        "reason": reason,
        "detail": detail,
        "at": now(),
    }


def _failed(session: Session, version_id: int | None) -> SelectOfScalar[WorkRow]:
    ended = ended_in(lineage(session, version_id))
    return select(WorkRow).join(ItemRow, ended).where(WorkRow.state == "failed")


def _failure(row: WorkRow) -> ItemFailure:
    return ItemFailure(item_id=row.item_id, reason=row.reason, detail=row.detail)
