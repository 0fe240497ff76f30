"""Items of which a person has said what is right: what look-up, demonstrations and calibration learn from."""

from memory.record import Record
from memory.schema import CatalogItem


class ApprovedItem(Record):
    """One item with the values that a person gave it."""

    item: CatalogItem
    category_id: str = ""  # empty: nobody said
    values: dict[str, tuple[str, ...]]  # attribute key -> its values, none where the item states none
