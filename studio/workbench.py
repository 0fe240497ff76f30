"""What all pages of one studio share: the settings, the open knowledge base, the run, the catalogs that may be read."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from commands.catalog_items import SAMPLE_CATALOG
from commands.settings import Settings
from memory.category_knowledge import KnownCategory
from memory.database import Database, Session, open_database
from memory.item_search import ItemSearch
from memory.runs import runs
from studio.run_desk import RunDesk
from studio.trace_desk import TraceDesk

T = TypeVar("T")
SAMPLE_GOLD = SAMPLE_CATALOG.with_name("gold.jsonl")
LOOKED_AT = 200  # runs whose catalogs are offered again


@dataclass
class Workbench:
    """One knowledge base under the hands of one person."""

    settings: Settings
    database: Database
    given: tuple[Path, ...] = ()  # catalogs named on the command line
    gold: Path = SAMPLE_GOLD  # golden items that prompts are tried on
    gold_catalog: Path | None = SAMPLE_CATALOG  # has the texts of those that are an id alone
    desk: RunDesk = field(default_factory=RunDesk)
    traces: TraceDesk = field(default_factory=TraceDesk)
    dark: bool | None = None  # None: as the browser says
    searched: str = ""  # the last search for items
    # What slots hold, by item, prompt and inputs.
    slot_values: dict[tuple[str, str, tuple[str, ...]], dict[str, str]] = field(default_factory=dict)
    chosen: str = ""  # the id of the item that was looked at last
    categories: list[KnownCategory] = field(default_factory=list)  # as they were counted last

    def __post_init__(self) -> None:
        self.search = ItemSearch(self.database, self.settings.cache)

    @classmethod
    def open(cls, settings: Settings, given: tuple[Path, ...] = ()) -> "Workbench":
        """Open the knowledge base that the settings name."""
        return cls(settings, open_database(settings.kb, durability=settings.durability), given)

    async def read(self, work: Callable[[Session], T]) -> T:
        """Return what some work reads in the knowledge base, in a thread: the pages go on meanwhile."""
        return await asyncio.to_thread(self.database.read, work)

    async def write(self, work: Callable[[Session], T]) -> T:
        """Return what some work gives in one write transaction, in a thread."""
        return await asyncio.to_thread(self._written, work)

    def _written(self, work: Callable[[Session], T]) -> T:
        with self.database.writing() as session:
            return work(session)

    def catalogs(self) -> list[Path]:
        """Return the catalogs that a run may read; a page names them by their place in this list."""
        with self.database.session() as session:
            earlier = [Path(run.catalog) for run in runs(session, limit=LOOKED_AT) if not run.catalog.startswith("(")]
        return [path for path in dict.fromkeys([*self.given, *earlier, SAMPLE_CATALOG]) if path.exists()]
