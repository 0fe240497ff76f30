"""The category templates of a run: each stated once, stored, and reused by every item of its category."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from memory.category import CategoryTemplate
from memory.database import Database
from memory.store import save_template, template_of
from memory.taxonomy import Taxonomy

T = TypeVar("T")
Complete = Callable[[CategoryTemplate], Awaitable[CategoryTemplate]]


class TemplateShelf:
    """Templates by category, for one taxonomy and one model with its prompt (`maker`).

    Two items of one category that arrive together wait for one statement of its template; the template depends on the
    category alone, never on the item that asked first. `off_loop` has the database read and written in a thread.
    """

    def __init__(self, taxonomy: Taxonomy, database: Database, maker: str | None, *, off_loop: bool = False) -> None:
        self._taxonomy = taxonomy
        self._database = database
        self._maker = maker
        self._off_loop = off_loop
        self._held: dict[str, CategoryTemplate] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def template(self, category_id: str, complete: Complete) -> CategoryTemplate:
        """Return the category's template: held, else stored, else completed now and stored."""
        async with self._locks.setdefault(category_id, asyncio.Lock()):
            if category_id not in self._held:
                self._held[category_id] = await self._stated(category_id, complete)
            return self._held[category_id]

    async def _stated(self, category_id: str, complete: Complete) -> CategoryTemplate:
        stored = await self._done(lambda: self._stored(category_id))
        if stored is not None:
            return stored
        completed = await complete(self._taxonomy.template(category_id))
        template = completed.model_copy(update={"completed_by": self._maker})
        await self._done(lambda: self._store(template))
        return template

    async def _done(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work) if self._off_loop else work()

    def _stored(self, category_id: str) -> CategoryTemplate | None:
        return self._database.read(
            lambda session: template_of(session, category_id, self._taxonomy.version, self._maker)
        )

    def _store(self, template: CategoryTemplate) -> None:
        self._database.write(lambda session: save_template(session, template))
