"""People's decisions as they are stored, row upon row, and as data: session first, the caller commits."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from memory.database import Database
from memory.items import item_of
from memory.probe import Probe
from memory.review_tables import ReviewRow
from memory.rulings import (
    HumanRuling,
    JudgedClaim,
    Quote,
    RulingDecision,
    StatedValue,
    in_force,
    standing_in,
)
from memory.schema import CatalogItem
from memory.tables import ItemRow

Rulings = Callable[[str], tuple[HumanRuling, ...]]  # those in force about an item, by its id, oldest first

_IS_REVIEWED = select_columns(col(ReviewRow.id)).where(col(ReviewRow.item_id) == bindparam("item"))
_QUOTE = tuple(Quote.model_fields)


class ApprovedValues(NamedTuple):
    """An item with the values that people say are right, by attribute; of one that may have many, those said so far."""

    item: CatalogItem
    category_id: str  # in which the last decision was made
    values: dict[str, tuple[StatedValue, ...]]


def save_ruling(session: Session, ruling: HumanRuling) -> HumanRuling:
    """Add a decision to those before it, and return it with its id."""
    row = _row(ruling)
    session.add(row)
    session.flush()
    return ruling.model_copy(update={"id": row.id or 0})


def withdraw(session: Session, ruling: HumanRuling, reviewer: str = "") -> None:
    """Take a stored decision back; both rows stay."""
    taken_back = {"id": 0, "decision": RulingDecision.WITHDRAW, "withdraws": ruling.id, "claims": (), "quote": None}
    save_ruling(session, ruling.model_copy(update=taken_back | {"reviewer": reviewer}))


def rulings_of(session: Session, item_ids: Sequence[str]) -> dict[str, tuple[HumanRuling, ...]]:
    """Return the decisions in force about those of the items that have any, oldest first: one query."""
    query = select(ReviewRow).where(col(ReviewRow.item_id).in_(item_ids)).order_by(col(ReviewRow.id))
    return _by_item(map(_ruling, session.exec(query)))


def all_rulings(session: Session) -> dict[str, tuple[HumanRuling, ...]]:
    """Return all decisions in force, by item id in order."""
    query = select(ReviewRow).order_by(col(ReviewRow.item_id), col(ReviewRow.id))
    return _by_item(map(_ruling, session.exec(query)))


def latest_rulings(session: Session, limit: int) -> list[HumanRuling]:
    """Return the last decisions in force, the newest first: of at most `limit` rows that were stored last."""
    query = select(ReviewRow).order_by(col(ReviewRow.id).desc()).limit(limit)
    return list(reversed(in_force([_ruling(row) for row in reversed(session.exec(query).all())])))


def rulings_of_changed_texts(session: Session) -> Iterator[tuple[CatalogItem, tuple[HumanRuling, ...]]]:
    """Yield the items that had another text when something was decided, with their decisions, in order of item id."""
    changed = (
        select(ReviewRow.item_id)
        .join(ItemRow, col(ItemRow.id) == col(ReviewRow.item_id))
        .where(col(ItemRow.content_hash) != col(ReviewRow.content_hash))
    )
    query = select(ReviewRow).where(col(ReviewRow.item_id).in_(changed))
    ordered = query.order_by(col(ReviewRow.item_id), col(ReviewRow.id))
    for item_id, rulings in _by_item(map(_ruling, session.exec(ordered))).items():
        item = item_of(session, item_id)
        if item is not None:
            yield item, rulings


def ruling_lookup(database: Database, *, once: bool = False) -> Rulings:
    """Return what gives the decisions about an item as they are at that moment, other processes' too.

    An item without any costs one probe. `once`: as they are now, so that nothing is read later.
    """
    if once:
        with database.session() as session:
            held = all_rulings(session)
        return lambda item_id: held.get(item_id, ())
    reviewed = Probe(database, _IS_REVIEWED, "item")

    def rulings(item_id: str) -> tuple[HumanRuling, ...]:
        if not reviewed.finds(item_id):
            return ()
        return database.read(lambda session: rulings_of(session, [item_id]).get(item_id, ()))

    return rulings


def approved_items(session: Session) -> Iterator[ApprovedValues]:
    """Yield each item that has approved values which its present text does not speak against, in order of item id.

    A value that the text said when it was approved, and does not say any more, is left out.
    """
    for item_id, rulings in all_rulings(session).items():
        item = item_of(session, item_id)
        if item is None:
            continue
        values: dict[str, tuple[StatedValue, ...]] = {}
        for said in standing_in(item, rulings).holds:
            if said.right:
                values[said.attribute] = (*values.get(said.attribute, ()), said.value)
        if values:
            yield ApprovedValues(item, rulings[-1].category_id, values)


def judged_claims(session: Session) -> Iterator[JudgedClaim]:
    """Yield the claims that people have judged, as they were then, each value of an item once: by the last word on it.

    A claim that a person had stated is none: what is judged is what machines claim.
    """
    for item_id, rulings in all_rulings(session).items():
        last: dict[tuple[str, str, str | None], JudgedClaim] = {}
        for ruling in rulings:
            for claim in ruling.claims:
                if claim.producer != "human":
                    last[claim.attribute, claim.normalized, claim.unit] = claim
        for claim in last.values():
            yield claim.model_copy(update={"item_id": item_id})


def _by_item(rulings: Iterator[HumanRuling]) -> dict[str, tuple[HumanRuling, ...]]:
    found: defaultdict[str, list[HumanRuling]] = defaultdict(list)
    for ruling in rulings:
        found[ruling.item_id].append(ruling)
    return {item_id: kept for item_id, listed in found.items() if (kept := in_force(listed))}


def _row(ruling: HumanRuling) -> ReviewRow:
    judged, right, quote = ruling.judged, ruling.right, ruling.quote
    own = {"item_id", "content_hash", "category_id", "attribute", "many", "reviewer", "note", "at", "withdraws"}
    return ReviewRow(
        **ruling.model_dump(include=own),
        decision=ruling.decision.value,
        claims=[claim.model_dump(mode="json", exclude={"item_id"}) for claim in ruling.claims],
        **(judged.model_dump() if judged else {}),
        **({f"right_{name}": part for name, part in right.model_dump().items()} if right else {}),
        **(quote.model_dump() if quote else {}),
    )


def _ruling(row: ReviewRow) -> HumanRuling:
    shared = {name: getattr(row, name) for name in HumanRuling.model_fields if name in ReviewRow.model_fields}
    quote = None if row.field is None else {name: getattr(row, name) for name in _QUOTE}
    values = {
        "judged": _stated(row.value, row.normalized, row.unit),
        "right": _stated(row.right_value, row.right_normalized, row.right_unit),
    }
    return HumanRuling.model_validate(shared | values | {"quote": quote})


def _stated(value: str | None, normalized: str | None, unit: str | None) -> StatedValue | None:
    return None if value is None or normalized is None else StatedValue(value=value, normalized=normalized, unit=unit)
