"""The category templates of a run: each stated once, stored, and reused by every item of its category."""

import asyncio
from collections.abc import Awaitable, Callable

from memory.category import CategoryTemplate
from memory.database import Database
from memory.store import save_template, template_of
from memory.taxonomy import Taxonomy

Complete = Callable[[CategoryTemplate], Awaitable[CategoryTemplate]]


class TemplateShelf:
    """Templates by category, for one taxonomy and one model with its prompt (`maker`).

    Two items of one category that arrive together wait for one statement of its template; the template depends on the
    category alone, never on the item that asked first.
    """

    def __init__(self, taxonomy: Taxonomy, database: Database, maker: str | None) -> None:
        self._taxonomy = taxonomy
        self._database = database
        self._maker = maker
        self._held: dict[str, CategoryTemplate] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def template(self, category_id: str, complete: Complete) -> CategoryTemplate:
        """Return the category's template: held, else stored, else completed now and stored."""
        async with self._locks.setdefault(category_id, asyncio.Lock()):
            if category_id not in self._held:
                self._held[category_id] = await self._stated(category_id, complete)
            return self._held[category_id]

    async def _stated(self, category_id: str, complete: Complete) -> CategoryTemplate:
        with self._database.session() as session:
            stored = template_of(session, category_id, self._taxonomy.version, self._maker)
        if stored is not None:
            return stored
        completed = await complete(self._taxonomy.template(category_id))
        template = completed.model_copy(update={"completed_by": self._maker})
        with self._database.writing() as session:
            save_template(session, template)
        return template
