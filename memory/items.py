"""The stored catalog: saving items, finding them again, and walking through all of them."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from sqlalchemy import insert, update
from sqlmodel import Session, col, select

from memory.concurrent_rows import insert_new
from memory.rows import Row, item_from, item_row, now
from memory.schema import CatalogItem
from memory.tables import TABLES, ItemRow

PAGE = 500  # items read at a time: what streaming holds in memory


def save_item(session: Session, item: CatalogItem, *, catalog: str | None = None, line: int | None = None) -> None:
    """Store an item, or replace its text; what was known of another text of it is hidden until that text is back."""
    origin: Row = {} if catalog is None else {"catalog": catalog, "line": line}
    _save(session, item, session.scalar(select(ItemRow.content_hash).where(ItemRow.id == item.id)), origin)


def save_items(session: Session, items: Sequence[CatalogItem]) -> None:
    """Store items, or replace the texts that changed: one query, and one statement more for all that are new."""
    query = select(ItemRow.id, ItemRow.content_hash).where(col(ItemRow.id).in_([item.id for item in items]))
    stored: dict[str, str] = dict(session.exec(query).all())
    new = [item for item in items if item.id not in stored]
    if new:
        time = now()
        rows: list[Row] = [item_row(i) | {"id": i.id, "created_at": time, "updated_at": time} for i in new]
        mine = insert_new(session, TABLES.tables["item"], rows)
        if len(mine) < len(new):  # another process has stored some of them a moment ago
            stored.update(session.exec(query).all())
    for item in items:
        if item.id in stored and stored[item.id] != item.content_hash:
            _save(session, item, stored[item.id], {})


def _save(session: Session, item: CatalogItem, stored_hash: str | None, origin: Row) -> None:
    row: Row = item_row(item) | origin | {"updated_at": now()}
    if stored_hash is None:
        session.execute(insert(ItemRow).values(id=item.id, created_at=row["updated_at"], **row))
    elif origin or stored_hash != item.content_hash:
        session.execute(update(ItemRow).where(col(ItemRow.id) == item.id).values(**row))


def item_of(session: Session, item_id: str) -> CatalogItem | None:
    """Return the stored item, or None."""
    row = session.get(ItemRow, item_id)
    return None if row is None else item_from(row)


def items(session: Session) -> Iterator[CatalogItem]:
    """Yield all stored items in order of id, a page at a time."""
    last = ""
    while page := session.exec(select(ItemRow).where(ItemRow.id > last).order_by(col(ItemRow.id)).limit(PAGE)).all():
        yield from map(item_from, page)
        last = page[-1].id
        session.expunge_all()


def similar_ids(session: Session, item_id: str, limit: int = 5) -> list[str]:
    """Return at most `limit` stored ids that are most like one that is not, best first; empty where nothing is stored.

    Looked at are the ids that contain it and those before and after it in order, never all of a large catalog.
    """
    column = col(ItemRow.id)
    nearby = (
        select(column).where(column.icontains(item_id, autoescape=True)).order_by(column),
        select(column).where(column >= item_id).order_by(column),
        select(column).where(column < item_id).order_by(column.desc()),
    )
    found = dict.fromkeys(stored for query in nearby for stored in session.exec(query.limit(50)))
    return get_close_matches(item_id, found, n=limit, cutoff=0.0)
