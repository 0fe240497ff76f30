"""How a model answers that several servers serve: each call goes to the least loaded one, and on if that one fails."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Self

from agents.providers.base import AnswerSchema, CallFailed, CallKey, Capabilities, Completion
from agents.providers.chat_completions import ChatCompletionsModel
from agents.providers.fleet.roster import Roster
from agents.providers.fleet.server import Server
from agents.providers.server_state import ServerState
from memory.model_call import Message


class FleetModel:
    """One model behind several servers, all of which answer alike: what is asked never depends on which one does."""

    capabilities = Capabilities()

    def __init__(self, members: Sequence[ChatCompletionsModel]) -> None:
        self._members = tuple(members)
        self._first = members[0]
        self._roster = Roster([member.connection.server for member in members], self._first.name)
        self._closed = False

    @property
    def spec(self) -> str:
        """The spec, `openai:MODEL`."""
        return self._first.spec

    @property
    def max_tokens(self) -> int:
        """The longest answer, in tokens."""
        return self._first.max_tokens

    @property
    def parameters(self) -> Mapping[str, str | int | float | None]:
        """What shapes the answers besides the messages; the server named first stands for all of them."""
        return self._first.parameters

    @property
    def servers(self) -> tuple[ServerState, ...]:
        """How the servers stand, in the order in which they were named."""
        return self._roster.states

    def with_max_tokens(self, max_tokens: int) -> Self:
        """Return the same model with another limit, on the same servers, which this one still has to close."""
        other = copy(self)
        other._members = tuple(member.with_max_tokens(max_tokens) for member in self._members)
        other._first = other._members[0]
        other._closed = True
        return other

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        """Return the raw answer of the first server that gives one; `ProviderError` says what went wrong.

        Where an answer may have been paid and lost, no other server is asked: whether it is worth paying twice is
        for the caller to say.
        """
        await self._roster.looked_at()
        tried: list[Server] = []
        failure: CallFailed | None = None
        while (server := self._roster.next(tried)) is not None:
            tried.append(server)
            turn = server.begin()
            try:
                completion = await self._members[server.number].complete(messages, schema, about=about)
            except CallFailed as error:
                if not self._roster.failed(server, turn, error):
                    raise
                failure = error
            else:
                server.answered(turn, completion)
                return completion
            finally:
                server.end()
        assert failure is not None  # noqa: S101 - a roster is never empty, and only failures lead here
        raise failure

    async def aclose(self) -> None:
        """End the probing, and give the connections back."""
        if self._closed:
            return
        self._closed = True
        await self._roster.aclose()
        for member in self._members:
            await member.aclose()
