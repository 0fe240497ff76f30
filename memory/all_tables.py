"""All tables of the knowledge base: whoever makes, migrates or copies it needs every one of them."""

from memory import (  # noqa: F401 - their tables are among TABLES
    demand_tables,
    impact_tables,
    prompt_tables,
    review_tables,
    trace_tables,
)
from memory.behaviors import tables as behavior_tables  # noqa: F401 - so are these
from memory.item_vectors import tables as vector_tables  # noqa: F401 - and these
from memory.tables import TABLES

__all__ = ["TABLES"]
