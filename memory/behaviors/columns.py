"""Which columns of a log hold the user, the item, the time or order, the kind and the session of a behaviour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memory.errors import ReaseqError
from memory.text import printable

_KNOWN_NAMES = {
    "user": (
        "user_id user uid customer_id customer customer_no client_id client visitor_id visitor full_visitor_id"
        " shopper_id shopper member_id member account_id buyer_id buyer reviewer_id Kunden_ID Kundennummer Kunde"
    ),
    "item": (
        "item_id item iid product_id product sku asin parent_asin stock_code article_id article_no article goods_id pid"
        " Artikelnummer Artikel_Nr Artikel_ID Artikel Produkt_ID"
    ),
    "time": (
        "timestamp time_stamp time event_time datetime date_time ts unix_timestamp unix_time unix_review_time"
        " occurred_at created_at invoice_date order_date purchase_date purchase_time transaction_date t_dat date"
        " Zeitstempel Zeit Datum"
    ),
    "order": "position pos sequence_number sequence seq step time_rank event_order",
    "kind": (
        "kind event event_type event_name behavior behaviour behavior_type behaviour_type action action_type"
        " interaction interaction_type"
    ),
    "session": "session session_id user_session visit_id visit basket_id invoice_no invoice order_id order_no",
}
_SHOWN = 40  # columns named in an error


class UnreadableLog(ReaseqError):
    """A log of behaviours that cannot be read at all; the text names the file and says what to do."""


@dataclass(frozen=True)
class ColumnRoles:
    """The column of each role; a log has times or, where it has none, an order."""

    user: str
    item: str
    time: str | None
    order: str | None
    kind: str | None
    session: str | None

    def present(self) -> dict[str, str]:
        """Return role -> column, for the roles that the log has."""
        return {role: column for role, column in vars(self).items() if column is not None}


def column_roles(columns: Sequence[str], chosen: Mapping[str, str]) -> ColumnRoles:
    """Return the roles of a log's columns: those `chosen` ("item" -> column), the others guessed by name.

    Case, blanks, underscores and signs do not matter. An order is guessed only where there is no time, and no time
    where an order was chosen. `UnreadableLog` for a role or column that does not exist, and where one that is needed
    is not found.
    """
    roles: dict[str, str] = {role: _chosen(role, column, columns) for role, column in chosen.items()}
    if {"time", "order"} <= roles.keys():
        raise UnreadableLog("a log is sorted by its times or by an order: map one of the two")
    for role in _KNOWN_NAMES:
        if role in roles or (role in ("time", "order") and {"time", "order"} & roles.keys()):
            continue
        guess = _guessed(role, [column for column in columns if column not in roles.values()])
        roles.update({role: guess} if guess else {})
    for role in ("user", "item"):
        if role not in roles:
            raise UnreadableLog(_missing(role, columns))
    if not {"time", "order"} & roles.keys():
        raise UnreadableLog(f"{_missing('time', columns)}; for a log without times --map order=COLUMN")
    return ColumnRoles(**{role: roles.get(role) for role in _KNOWN_NAMES})  # type: ignore[arg-type]


def _missing(role: str, columns: Sequence[str]) -> str:
    return f"no column looks like the {role}; there are {_listed(columns)}. Say which it is: --map {role}=COLUMN"


def _chosen(role: str, column: str, columns: Sequence[str]) -> str:
    if role not in _KNOWN_NAMES:
        raise UnreadableLog(f"{printable(role)!r} is no role of a column: map {', '.join(_KNOWN_NAMES)}")
    alike = [name for name in columns if name == column] or [n for n in columns if _folded(n) == _folded(column)]
    if len(alike) != 1:
        raise UnreadableLog(f"there is no column {printable(column)!r} for the {role}; there are {_listed(columns)}")
    return alike[0]


def _guessed(role: str, columns: Sequence[str]) -> str | None:
    by_name = {_folded(column): column for column in reversed(columns)}  # the first of two alike is taken
    known = (_folded(name) for name in _KNOWN_NAMES[role].split())
    return next((by_name[name] for name in known if name in by_name), None)


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _listed(columns: Sequence[str]) -> str:
    names = ", ".join(repr(printable(column, 60)) for column in columns[:_SHOWN])
    return f"{names} and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else names
