"""A model around another: in all that shapes an answer it is the inner one, and it closes that one with itself."""

from collections.abc import Mapping

from agents.providers.base import Capabilities, ChatModel
from agents.providers.server_state import ServedBySeveral, ServerState


class ModelAround:
    """What every layer around a `ChatModel` shares; each adds a `complete` of its own."""

    def __init__(self, inner: ChatModel) -> None:
        self._inner = inner

    @property
    def spec(self) -> str:
        """The inner model's."""
        return self._inner.spec

    @property
    def capabilities(self) -> Capabilities:
        """The inner model's."""
        return self._inner.capabilities

    @property
    def parameters(self) -> Mapping[str, str | int | float | None]:
        """The inner model's: no layer shapes an answer."""
        return self._inner.parameters

    @property
    def servers(self) -> tuple[ServerState, ...]:
        """How the inner model's servers stand, where it has several; else nothing."""
        return self._inner.servers if isinstance(self._inner, ServedBySeveral) else ()

    async def aclose(self) -> None:
        """Close the inner model."""
        await self._inner.aclose()
