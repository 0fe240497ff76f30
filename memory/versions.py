"""The versions of the results: one a configuration, each laid over its parent, one of them current."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, SQLColumnExpression, exists, func, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from memory.errors import ReaseqError
from memory.record import Record
from memory.rows import now
from memory.schema import Provenance
from memory.tables import CurrentVersionRow, EnrichmentRow, ItemRow, VersionRow, WorkRow


class UnknownVersion(ReaseqError):
    """There is no version of that number."""


class Version(Record):
    """One configuration, and how many results it gave itself."""

    id: int
    parent_id: int | None
    fingerprint: str
    provenance: Provenance | None  # None: results of several configurations, from before there were versions
    note: str
    created_at: datetime
    current: bool
    results: int


def fingerprint_of(provenance: Provenance) -> str:
    """Return the SHA-256 (hex) of a configuration: equal ones give results of one version."""
    # Without aids it is the number that it was before there were any.
    content = provenance.model_dump(mode="json", exclude=set() if provenance.aids else {"aids"})
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def version_for(session: Session, provenance: Provenance, note: str = "") -> int:
    """Return the version of a configuration, made over the current one where it is new; the first becomes current."""
    fingerprint = fingerprint_of(provenance)
    newest = select(func.max(VersionRow.id)).where(VersionRow.fingerprint == fingerprint)
    if known := session.exec(newest).one():
        return known
    parent = current_version(session)
    content = provenance.model_dump(mode="json")
    row = VersionRow(parent_id=parent, fingerprint=fingerprint, provenance=content, note=note, created_at=now())
    session.add(row)
    session.flush()
    made = row.id or 0
    if parent is None:
        use(session, made)
    return made


def current_version(session: Session) -> int | None:
    """Return the version that is read, or None before the first run."""
    return session.scalar(select(CurrentVersionRow.version_id))


def use(session: Session, version_id: int) -> None:
    """Read this version from now on, as a whole; raises `UnknownVersion`."""
    lineage(session, version_id)
    if current_version(session) is None:
        session.add(CurrentVersionRow(version_id=version_id))
        session.flush()
    else:
        session.execute(update(CurrentVersionRow).values(version_id=version_id))


def versions(session: Session) -> list[Version]:
    """Return all versions, oldest first."""
    current = current_version(session)
    per_version = select(EnrichmentRow.version_id, func.count()).group_by(col(EnrichmentRow.version_id))
    results = dict(session.exec(per_version).all())
    return [
        _version(row, current, results.get(row.id or 0, 0))
        for row in session.exec(select(VersionRow).order_by(col(VersionRow.id)))
    ]


def lineage(session: Session, version_id: int | None = None) -> tuple[int, ...]:
    """Return a version (the current one unless given) and those below it, nearest first; empty before the first run.

    What is known of an item is the result of the first of them that has one for the item's present text.
    """
    parents = parents_of_all(session)
    last = current_version(session) if version_id is None else version_id
    if last is not None and last not in parents:
        known = ", ".join(map(str, parents)) or "none"
        raise UnknownVersion(f"there is no version {last}; there are: {known}")
    return tuple(lineage_in(parents, last))


def parents_of_all(session: Session) -> dict[int, int | None]:
    """Return each version's parent, in order of id."""
    rows = session.exec(select(VersionRow.id, VersionRow.parent_id).order_by(col(VersionRow.id))).all()
    return {version: parent for version, parent in rows if version is not None}


def lineage_in(parents: Mapping[int, int | None], version_id: int | None) -> list[int]:
    """Return a version and those below it, nearest first."""
    found: list[int] = []
    while version_id is not None:
        found.append(version_id)
        version_id = parents[version_id]
    return found


def known_in(
    lineage: Collection[int], result: type[EnrichmentRow] = EnrichmentRow, *, before: datetime | None = None
) -> ColumnElement[bool]:
    """Return the condition on (`ItemRow`, `result`) that this is what a lineage knows of the item.

    `before`: what it knew of it before that moment; a result that was stored or amended since then is not seen.
    """
    current_text = (col(result.item_id) == col(ItemRow.id)) & (col(result.content_hash) == col(ItemRow.content_hash))
    if before is not None:
        current_text &= col(result.created_at) < before
    if len(lineage) < 2:
        return current_text & col(result.version_id).in_(lineage)
    other = aliased(EnrichmentRow)  # a parent's id is the smaller one, so the nearest has the greatest
    nearest = (
        select(func.max(col(other.version_id)))
        .where(col(other.item_id) == col(ItemRow.id), col(other.content_hash) == col(ItemRow.content_hash))
        .where(col(other.version_id).in_(lineage), *(() if before is None else (col(other.created_at) < before,)))
        .correlate(ItemRow)
        .scalar_subquery()
    )
    return current_text & (col(result.version_id) == nearest)


def is_known_in(
    lineage: Collection[int], item_id: SQLColumnExpression[Any], version_id: SQLColumnExpression[Any]
) -> ColumnElement[bool]:
    """Return the condition on a row that it is part of what a lineage knows of its item, asked row by row."""
    result = aliased(EnrichmentRow)
    is_of = (col(result.item_id) == item_id) & (col(result.version_id) == version_id)
    return exists(
        select(ItemRow.id).join(result, known_in(lineage, result)).where(is_of).correlate_except(ItemRow, result)
    )


def ended_in(lineage: Collection[int]) -> ColumnElement[bool]:
    """Return the condition on (`ItemRow`, `WorkRow`) that this is how a lineage's last turn with the item ended."""
    other = aliased(WorkRow)
    nearest = (
        select(func.max(col(other.version_id)))
        .where(col(other.item_id) == col(ItemRow.id), col(other.content_hash) == col(ItemRow.content_hash))
        .where(col(other.version_id).in_(lineage), col(other.state).in_(("enriched", "failed")))
        .correlate(ItemRow)
        .scalar_subquery()
    )
    return (
        (col(WorkRow.item_id) == col(ItemRow.id))
        & (col(WorkRow.content_hash) == col(ItemRow.content_hash))
        & (col(WorkRow.version_id) == nearest)
    )


def _version(row: VersionRow, current: int | None, results: int) -> Version:
    return Version(
        id=row.id or 0,
        parent_id=row.parent_id,
        fingerprint=row.fingerprint,
        provenance=None if row.provenance is None else Provenance.model_validate(row.provenance),
        note=row.note,
        created_at=row.created_at,
        current=row.id == current,
        results=results,
    )
