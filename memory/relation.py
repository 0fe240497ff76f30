"""How a demand relates to an item: who wants it, when, where, for what, with what, instead of what."""

from enum import StrEnum


class Relation(StrEnum):
    """How a demand relates to an item (after COSMO, Yu et al. 2024, and FolkScope, Yu et al. 2023)."""

    USED_FOR = "used_for"  # a purpose or function
    USED_BY = "used_by"  # who wants it
    USED_IN = "used_in"  # where
    USED_WITH = "used_with"  # a complement
    OCCASION = "occasion"  # when
    SUBSTITUTE_OF = "substitute_of"  # what it stands in for
