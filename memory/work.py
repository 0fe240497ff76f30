"""Who is at which item: leases with fences, so that two processes share a catalog and no item is stored twice."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import bindparam, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from memory.concurrent_rows import insert_new
from memory.errors import ReaseqError
from memory.items import save_items
from memory.outcomes import settle
from memory.owners import has_ended
from memory.record import Record
from memory.rows import Row
from memory.rows import now as present_time
from memory.schema import CatalogItem, Enrichment
from memory.store import replace_enrichments
from memory.tables import TABLES, WorkRow

# Those who hold a row for as long as they write keep others from taking the item over meanwhile.
_LEASED = (
    select_columns(col(WorkRow.item_id), col(WorkRow.version_id), col(WorkRow.fence))
    .where(col(WorkRow.item_id).in_(bindparam("of_items", expanding=True)), col(WorkRow.state) == "leased")
    .order_by(col(WorkRow.item_id), col(WorkRow.version_id))
    .with_for_update()
)
_LEASE_AGAIN = update(TABLES.tables["work"]).where(
    col(WorkRow.item_id) == bindparam("of_item"), col(WorkRow.version_id) == bindparam("of_version")
)


class WorkState(StrEnum):
    """How far a version is with an item."""

    WAITING = "waiting"  # given back: its owner stopped before it was done
    LEASED = "leased"
    ENRICHED = "enriched"
    FAILED = "failed"


class FencedOff(ReaseqError):
    """The lease was lost: another process has taken the item over, and this one's result is not stored."""


class Claimed(Record):
    """An item that is this owner's until the lease ends; `fence` grows with each claim, so an old one is told apart."""

    item: CatalogItem
    version_id: int
    owner: str
    fence: int


class Claims(NamedTuple):
    """What became of the items that a process wanted; each is in exactly one of these, in the order given."""

    claimed: list[Claimed]
    done: list[CatalogItem]  # this version has a result for this very text
    failed: list[CatalogItem]  # its last turn failed, and was not to be repeated
    busy: list[CatalogItem]  # another process is at it


def claim(  # noqa: PLR0917 - who wants what, then until when
    session: Session,
    version_id: int,
    items: Sequence[CatalogItem],
    owner: str,
    now: float,
    lease_seconds: float,
    *,
    again: bool = False,
    retry_failed: bool = False,
) -> Claims:
    """Store the items and lease those that are to be done to `owner`: a handful of statements for any number.

    `now` is in seconds of any clock that the owners share. A lease from the future, as a clock that jumped back leaves
    it, holds nobody up for longer than it was given for. An item with another text than the one that was done or
    leased is to be done again; with `again`, so is one that is done, and with `retry_failed` one that failed. The
    leases of a process that was killed on this machine are void. What another transaction is at right now is busy, and
    nobody waits for it.
    """
    held, elsewhere = _free_rows(session, version_id, items)
    mine = {owner, *_ended_owners(held.values())}
    states = {item.id: _state_of(held.get(item.id), item, mine, now) for item in items}
    states |= dict.fromkeys(elsewhere, WorkState.LEASED)
    skipped = {WorkState.LEASED, *_settled(again, retry_failed)}
    wanted = [_claimed(i, version_id, owner, held.get(i.id)) for i in items if states[i.id] not in skipped]
    leased = _lease(session, wanted, held, now, lease_seconds)
    claimed = [one for one in wanted if one.item.id in leased]
    states |= dict.fromkeys({one.item.id for one in wanted} - leased, WorkState.LEASED)
    ends = (WorkState.ENRICHED, WorkState.FAILED, WorkState.LEASED)
    return Claims(claimed, *([i for i in items if states[i.id] is end and end in skipped] for end in ends))


def to_do(
    session: Session,
    version_id: int | None,
    items: Sequence[CatalogItem],
    *,
    again: bool = False,
    retry_failed: bool = False,
) -> list[CatalogItem]:
    """Return the items that `claim` would lease to somebody sooner or later; nothing is stored."""
    rows = _rows(session, version_id, items) if version_id is not None else {}
    settled = _settled(again, retry_failed)
    return [item for item in items if _state_of(rows.get(item.id), item, (), 0.0) not in settled]


def renew(session: Session, version_id: int, owner: str, now: float, lease_seconds: float) -> int:
    """Lengthen all leases that the owner still has; return how many."""
    held = (col(WorkRow.owner) == owner, col(WorkRow.state) == WorkState.LEASED, col(WorkRow.version_id) == version_id)
    lease = {"leased_at": now, "lease_until": now + lease_seconds}
    return session.connection().execute(update(WorkRow).where(*held).values(**lease)).rowcount


def release(session: Session, version_id: int, owner: str) -> int:
    """Give back what the owner has leased and not done; return how many."""
    held = (col(WorkRow.owner) == owner, col(WorkRow.state) == WorkState.LEASED, col(WorkRow.version_id) == version_id)
    waiting = {"state": WorkState.WAITING.value, "owner": "", "lease_until": 0.0}
    return session.connection().execute(update(WorkRow).where(*held).values(**waiting)).rowcount


def finish_all(session: Session, ended: Sequence[tuple[Claimed, Enrichment]]) -> list[FencedOff | None]:
    """Store enrichments and their items' states together, in a few statements for any number of different items.

    Returns for each, in order, None, or `FencedOff` where the lease was lost; of that one nothing is stored.
    """
    held = _held(session, [claimed for claimed, _ in ended])
    learnt = [
        (claimed.version_id, claimed.item, enrichment)
        for (claimed, enrichment), mine in zip(ended, held, strict=True)
        if mine
    ]
    if learnt:
        replace_enrichments(session, learnt)
    return [None if mine else _lost(claimed) for (claimed, _), mine in zip(ended, held, strict=True)]


def fail(session: Session, claimed: Claimed, reason: str, detail: str = "") -> None:
    """Store why the item's turn gave nothing; `FencedOff` where the lease was lost, and nothing is stored."""
    _refuse_if_lost(session, claimed)
    settle(session, claimed.version_id, claimed.item, "failed", reason=reason, detail=detail)


def _settled(again: bool, retry_failed: bool) -> set[WorkState]:
    """Return the states in which nothing is left to do."""
    if again:
        return set()
    return {WorkState.ENRICHED} if retry_failed else {WorkState.ENRICHED, WorkState.FAILED}


def _claimed(item: CatalogItem, version_id: int, owner: str, row: WorkRow | None) -> Claimed:
    return Claimed(item=item, version_id=version_id, owner=owner, fence=row.fence + 1 if row else 1)


def _rows(
    session: Session, version_id: int, items: Iterable[CatalogItem], *, holding: bool = False
) -> dict[str, WorkRow]:
    """Return the rows of items; with `holding` those that no other transaction holds, to the end of this one."""
    ids = [item.id for item in items]
    query = select(WorkRow).where(col(WorkRow.item_id).in_(ids), WorkRow.version_id == version_id)
    if holding:
        query = query.with_for_update(skip_locked=True)
    rows = {row.item_id: row for row in session.exec(query)}
    session.expunge_all()
    return rows


def _free_rows(
    session: Session, version_id: int, items: Sequence[CatalogItem]
) -> tuple[dict[str, WorkRow], Collection[str]]:
    """Return the rows of items, held to the end of the transaction, and the ids of those that another one holds."""
    rows = _rows(session, version_id, items)
    held = _rows(session, version_id, items, holding=True) if rows else {}
    return held, rows.keys() - held.keys()


def _ended_owners(rows: Iterable[WorkRow]) -> set[str]:
    return {owner for owner in {row.owner for row in rows if row.state == WorkState.LEASED} if has_ended(owner)}


def _state_of(row: WorkRow | None, item: CatalogItem, mine: Collection[str], now: float) -> WorkState:
    """Return the item's state for who may take over from `mine`: what is in no other's hands is waiting or ended."""
    if row is None:
        return WorkState.WAITING
    state = WorkState(row.state)
    if state is WorkState.LEASED:
        length = row.lease_until - row.leased_at
        live = row.leased_at - length <= now < row.lease_until
        return WorkState.LEASED if live and row.owner not in mine else WorkState.WAITING
    return state if row.content_hash == item.content_hash else WorkState.WAITING


def _lease(
    session: Session, wanted: Sequence[Claimed], rows: Mapping[str, WorkRow], moment: float, lease_seconds: float
) -> set[str]:
    """Lease items; return the ids of those that were: another process may have been a moment faster."""
    if not wanted:
        return set()
    save_items(session, [one.item for one in wanted])
    leases = {one.item.id: _leased(one, rows.get(one.item.id), moment, lease_seconds) for one in wanted}
    old = [row | {"of_item": item, "of_version": row["version_id"]} for item, row in leases.items() if item in rows]
    if old:
        session.connection().execute(_LEASE_AGAIN, old)
    new = [row for item, row in leases.items() if item not in rows]
    mine = {item_id for item_id, _ in insert_new(session, TABLES.tables["work"], new)} if new else set()
    return mine | {row["item_id"] for row in old}


def _leased(one: Claimed, old: WorkRow | None, moment: float, lease_seconds: float) -> Row:
    return {
        "item_id": one.item.id,
        "version_id": one.version_id,
        "content_hash": one.item.content_hash,
        "state": WorkState.LEASED.value,
        "owner": one.owner,
        "leased_at": moment,
        "lease_until": moment + lease_seconds,
        "fence": one.fence,
        "attempts": (old.attempts if old else 0) + 1,
        "reason": old.reason if old else "",
        "detail": old.detail if old else "",
        "at": present_time(),
    }


def _refuse_if_lost(session: Session, claimed: Claimed) -> None:
    if _held(session, [claimed]) != [True]:
        raise _lost(claimed)


def _held(session: Session, claimed: Sequence[Claimed]) -> list[bool]:
    """Return for each, in order, whether it is still its owner's."""
    found = session.connection().execute(_LEASED, {"of_items": [one.item.id for one in claimed]})
    fences = {(item_id, version_id): fence for item_id, version_id, fence in found}
    return [fences.get((one.item.id, one.version_id)) == one.fence for one in claimed]


def _lost(claimed: Claimed) -> FencedOff:
    return FencedOff(f"item {claimed.item.id!r} was taken over by another process; its result is the one to be stored")
