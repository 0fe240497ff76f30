"""How versions of the results that nobody needs are dropped, without a change in what the others say."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from sqlalchemy import ColumnElement, delete, insert, literal, update
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from memory.demand_tables import DemandRow
from memory.items import PAGE
from memory.runs import versions_at_work
from memory.tables import TABLES, ClaimRow, EnrichmentRow, EvidenceRow, ItemRow, VerdictRow, VersionRow, WorkRow
from memory.versions import current_version, lineage, lineage_in, parents_of_all

Result = EnrichmentRow | WorkRow  # what has an item's content hash
Part = EnrichmentRow | ClaimRow | EvidenceRow | VerdictRow | DemandRow | WorkRow
PARTS = (EnrichmentRow, ClaimRow, EvidenceRow, VerdictRow, DemandRow)  # each hangs on those before it


def prune(session: Session, keep: Collection[int] = ()) -> list[int]:
    """Drop all versions but the current one and those in `keep`, and return the dropped ones.

    What a kept version knows through one that is dropped becomes its own, so every kept version reads the same after
    as before. A version that several kept ones are laid over stays, and so does one with a run at work in it. What is
    known of texts that are no more is dropped too. Raises `memory.versions.UnknownVersion`.
    """
    parents = parents_of_all(session)
    needed = _needed(session, parents, keep)
    for version in sorted(needed):
        dropped = _dropped_below(parents, needed, version)
        for other in dropped:  # nearest first
            _move_results(session, other, version)
        below = next((v for v in lineage_in(parents, version)[1:] if v in needed), None)
        session.execute(update(VersionRow).where(col(VersionRow.id) == version).values(parent_id=below))
        _drop_outdated(session, version)
    gone = [version for version in parents if version not in needed]
    session.execute(update(VersionRow).where(col(VersionRow.id).in_(gone)).values(parent_id=None))
    session.execute(delete(VersionRow).where(col(VersionRow.id).in_(gone)))
    session.expire_all()
    return gone


def _needed(session: Session, parents: Mapping[int, int | None], keep: Collection[int]) -> set[int]:
    """Return the versions to be kept: those asked for, and those that more than one of them is laid over."""
    current = current_version(session)
    wanted = {*keep, *versions_at_work(session)} | (set() if current is None else {current})
    for version in keep:
        lineage(session, version)
    needed = set(wanted)
    branches: dict[int, set[int]] = {}
    for version in wanted:
        chain = lineage_in(parents, version)
        for child, parent in pairwise(chain):
            branches.setdefault(parent, set()).add(child)
    return needed | {version for version, children in branches.items() if len(children) > 1}


def _dropped_below(parents: Mapping[int, int | None], needed: Collection[int], version: int) -> list[int]:
    """Return the versions between this one and the next that is kept, nearest first."""
    dropped = []
    for below in lineage_in(parents, version)[1:]:
        if below in needed:
            break
        dropped.append(below)
    return dropped


def _move_results(session: Session, source: int, target: int) -> None:
    """Copy what `source` knows of items' present texts, and `target` does not, into `target`: a page at a time."""
    _drop_outdated(session, target)
    for table in (EnrichmentRow, WorkRow):
        while page := session.exec(_only_in(table, source, target).limit(PAGE)).all():
            for part in (*PARTS, WorkRow) if table is EnrichmentRow else (WorkRow,):
                _copy(session, part, source, target, page)


def _only_in(table: type[Result], source: int, target: int) -> SelectOfScalar[str]:
    """Return the query for the items whose present text is in `source` and not in `target`."""
    own = aliased(table)
    in_target = select(own.item_id).where(col(own.item_id) == col(table.item_id), col(own.version_id) == target)
    query = select(table.item_id).join(ItemRow, _of_present_text(table))
    return query.where(col(table.version_id) == source, ~in_target.exists()).order_by(col(table.item_id))


def _copy(session: Session, table: type[Part], source: int, target: int, item_ids: Sequence[str]) -> None:
    """Copy rows from version to version; rows that the target has already stay."""
    columns = TABLES.tables[str(table.__tablename__)].columns
    values = [literal(target) if column.name == "version_id" else column for column in columns]
    rows = select_columns(*values).where(col(table.version_id) == source, col(table.item_id).in_(item_ids))
    if table is WorkRow:
        own = aliased(WorkRow)
        in_target = select(own.item_id).where(col(own.item_id) == columns.item_id, col(own.version_id) == target)
        rows = rows.where(~in_target.exists())
    session.execute(insert(table).from_select([column.name for column in columns], rows))


def _drop_outdated(session: Session, version_id: int) -> None:
    """Drop what a version knows of texts that are no more."""
    for table in (EnrichmentRow, WorkRow):
        present = select(ItemRow.id).where(_of_present_text(table))
        session.execute(delete(table).where(col(table.version_id) == version_id, ~present.exists()))


def _of_present_text(table: type[Result]) -> ColumnElement[bool]:
    return (col(table.item_id) == col(ItemRow.id)) & (col(table.content_hash) == col(ItemRow.content_hash))
