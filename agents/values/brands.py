"""The normal form of a brand: its name without the maker's legal form and without trade marks."""

import re

_LONG = r"gmbh(?: ?& ?co\.? ?kg)?|ltd\.?|limited|llc|inc\.?|incorporated|corp\.?|corporation|s\.p\.a\.?|s\.r\.l\.?|plc"
_SHORT = r"AG|KG|OHG|SE|SA|S\.A\.|BV|B\.V\.|NV|AB|A/S|Oy"  # in small letters they may be words
_LONGEST = 200  # code points; what is longer is no brand, and thousands of "®" would be taken off one by one
_LEGAL_FORM = re.compile(rf"(?<=[^\s,])(?:,? (?:(?i:{_LONG})|{_SHORT})| ?[®™©])$")


def without_legal_form(brand: str) -> str:
    """Return a brand's name as it is written, less "GmbH", "Inc.", "®" and their like at its end; case stays."""
    while len(brand) <= _LONGEST and (shorter := _LEGAL_FORM.sub("", brand)) != brand:
        brand = shorter
    return brand
