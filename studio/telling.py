"""How a page tells what came of a click or a key: in the tab, also where the part that was clicked is gone by then."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from nicegui import ui

from memory.errors import ReaseqError

SECONDS = 10  # that a refusal stays

Does = Callable[[], object]


def in_tab(do: Does) -> Callable[[], Coroutine[Any, Any, None]]:
    """Return what does it in the tab that is being built; what its user can mend is told there."""
    tab = ui.context.client

    async def done() -> None:
        with tab:
            try:
                result = do()
                if isinstance(result, Awaitable):
                    await result
            except ReaseqError as error:
                refuse(str(error))

    return done


def tell(message: str, kind: str = "info") -> None:
    """Say in the tab that something was done."""
    ui.notify(message, type=kind)  # type: ignore[arg-type]


def refuse(message: str) -> None:
    """Say in the tab what could not be done, and why."""
    ui.notify(message, type="negative", timeout=1000 * SECONDS, close_button="Close", multi_line=True)
