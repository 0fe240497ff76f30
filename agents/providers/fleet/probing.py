"""Whether a server is well, and whether it serves a model: what `/health` and `/v1/models` say."""

import orjson

from agents.providers.base import AuthenticationFailed, ModelNotFound
from agents.providers.chat_envelope import NoCompletion
from agents.providers.openai_connection import OpenAIConnection
from agents.providers.openai_protocol import NothingThere, OpenAIServer

PROBE_SECONDS = 5.0
SHOWN_MODELS = 5


class Probe:
    """Asks one server how it is; closes its connections with `aclose`."""

    def __init__(self, server: OpenAIServer) -> None:
        self._server = server
        self._models = OpenAIConnection(server, PROBE_SECONDS)
        # vLLM, SGLang and llama.cpp tell their health at their root, beside `/v1`.
        root = server.url.removesuffix("/v1")
        self._health = OpenAIConnection(OpenAIServer(root, server.key), PROBE_SECONDS) if root != server.url else None

    async def well(self, model: str) -> None:
        """Return when the server is well; raises `CallFailed` where it is not, `ModelNotFound` without the model.

        A server that tells neither its health nor its models is taken as well as soon as it answers.
        """
        if self._health is not None:
            try:
                with self._health.failures_named():
                    await self._health.get("/health")
            except (NothingThere, AuthenticationFailed):
                pass
        named = await self._names()
        if named is not None and model not in named:
            raise ModelNotFound(_other_models(self._server.url, model, named))

    async def aclose(self) -> None:
        """Give the connections back."""
        await self._models.leave()
        if self._health is not None:
            await self._health.leave()

    async def _names(self) -> list[str] | None:
        """Return the models that the server lists; None where it lists none."""
        try:
            with self._models.failures_named():
                return _names_in(await self._models.get("/models"))
        except NothingThere:
            return None


def _names_in(body: bytes) -> list[str]:
    try:
        listed = orjson.loads(body)["data"]
        return [str(model["id"]) for model in listed]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        raise NoCompletion("no list of models", maybe_paid=False) from None


def _other_models(url: str, model: str, named: list[str]) -> str:
    shown = ", ".join(repr(" ".join(name.split())[:80]) for name in named[:SHOWN_MODELS]) or "no model"
    return f"{url} serves {shown} and not {model!r}: every URL of OPENAI_BASE_URL has to serve the model that is asked"
