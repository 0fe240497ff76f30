"""Model specs: what `openai:gpt-4o-mini` and the like stand for, and which of them can be reached now."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agents.providers.addresses import ServerAddress, addresses_in
from agents.providers.base import ChatModel, ModelSpecError, ProviderError
from memory.weights import SMOLLM2, WeightsDamaged, WeightsMissing, locate

if TYPE_CHECKING:
    from agents.providers.chat_completions import ChatCompletionsModel
    from agents.providers.openai import OpenAIModel

EMBEDDED = "smollm2"
Client = Literal["aiohttp", "langchain"]
FORMS = f"embedded:{EMBEDDED}, openai:MODEL, ollama:MODEL, scripted:FILE"


@dataclass(frozen=True)
class ReachableModel:
    """A model, or a form of spec, and whether it can be used now."""

    spec: str
    reachable: bool
    note: str


def build_model(
    spec: str,
    *,
    openai_api_key: str | None,
    openai_base_url: str | None,
    ollama_host: str,
    call_seconds: float,
    client: Client = "aiohttp",
) -> ChatModel:
    """Return the model that a spec names; nothing is sent yet.

    `call_seconds` is the longest that one call to a server may take; `client` is what speaks to OpenAI-compatible
    servers. Raises `ModelSpecError` for an unknown form, and `AuthenticationFailed` or `ProviderUnavailable` where it
    is plain already that no call can succeed.
    """
    provider, _, name = (part.strip() for part in spec.partition(":"))
    # Each provider's client library takes up to a second to import: only the one that is asked for is.
    if provider == "openai" and name:
        urls = addresses_in(openai_base_url or "")
        if len(urls) > 1:
            return _fleet(name, urls, client, api_key=openai_api_key, call_seconds=call_seconds)
        base_url = urls[0] if urls else None
        return _openai_model(client)(name, api_key=openai_api_key, base_url=base_url, call_seconds=call_seconds)
    if provider == "ollama" and name:
        from agents.providers.ollama import OllamaModel  # noqa: PLC0415

        return OllamaModel(name, host=ollama_host, call_seconds=call_seconds)
    return _local_model(spec, provider, name)


def _openai_model(client: Client) -> "type[ChatCompletionsModel | OpenAIModel]":
    if client == "langchain":
        from agents.providers.openai import OpenAIModel  # noqa: PLC0415

        return OpenAIModel
    from agents.providers.chat_completions import ChatCompletionsModel  # noqa: PLC0415

    return ChatCompletionsModel


def _fleet(name: str, urls: Sequence[str], client: Client, *, api_key: str | None, call_seconds: float) -> ChatModel:
    """Return one model behind several servers."""
    if client != "aiohttp":
        raise ModelSpecError(f"OPENAI_BASE_URL names {len(urls)} servers, which the client {client!r} cannot balance")
    from agents.providers.chat_completions import ChatCompletionsModel  # noqa: PLC0415
    from agents.providers.fleet.model import FleetModel  # noqa: PLC0415

    return FleetModel(
        [ChatCompletionsModel(name, api_key=api_key, base_url=url, call_seconds=call_seconds) for url in urls]
    )


def _local_model(spec: str, provider: str, name: str) -> ChatModel:
    if provider == "embedded" and name == EMBEDDED:
        from agents.providers.embedded import EmbeddedModel  # noqa: PLC0415

        return EmbeddedModel()
    if provider == "scripted" and name:
        from agents.providers.scripted import ScriptedModel  # noqa: PLC0415

        return ScriptedModel.from_file(Path(name))
    raise ModelSpecError(f"{spec!r} names no model; the forms are {FORMS}")


async def reachable_models(
    *, openai_api_key: str | None, openai_base_url: str | None, ollama_host: str
) -> list[ReachableModel]:
    """Return every model that can be used now, and for each provider without one the reason; asks them at once."""
    openai_models, ollama_models = await asyncio.gather(
        _openai_models(openai_api_key, openai_base_url), _ollama_models(ollama_host)
    )
    return [_embedded_model(), *openai_models, *ollama_models]


def _embedded_model() -> ReachableModel:
    spec = f"embedded:{EMBEDDED}"
    try:
        locate(SMOLLM2)
    except (WeightsMissing, WeightsDamaged) as error:
        return ReachableModel(spec, False, str(error))
    return ReachableModel(spec, True, "installed; needs no server and no key")


async def _openai_models(api_key: str | None, base_url: str | None) -> list[ReachableModel]:
    from agents.providers.openai_protocol import OPENAI_URL  # noqa: PLC0415

    if not api_key and not base_url:
        return [ReachableModel("openai:MODEL", False, "neither OPENAI_API_KEY nor OPENAI_BASE_URL is set")]
    urls = addresses_in(base_url or "")
    if len(urls) > 1:
        return await _fleet_models(api_key, urls)
    names = await _names_at(api_key, urls[0] if urls else None)
    if isinstance(names, ProviderError):
        return [ReachableModel("openai:MODEL", False, str(names))]
    note = "OpenAI" if not urls or urls[0].rstrip("/") == OPENAI_URL else "the server of OPENAI_BASE_URL"
    return [ReachableModel(f"openai:{name}", True, note) for name in names]


async def _fleet_models(api_key: str | None, urls: Sequence[str]) -> list[ReachableModel]:
    """Return what several servers serve, each model with its servers, and which of them say nothing."""
    found = await asyncio.gather(*(_names_at(api_key, url) for url in urls))
    serving: dict[str, list[str]] = {}
    silent = []
    for url, names in zip(urls, found, strict=True):
        if isinstance(names, ProviderError):
            silent.append(ReachableModel("openai:MODEL", False, str(names)))
            continue
        for name in names:
            serving.setdefault(name, []).append(ServerAddress.parse(url).url)
    return [
        ReachableModel(
            f"openai:{name}", True, f"{len(at)} of the {len(urls)} servers of OPENAI_BASE_URL: {', '.join(at)}"
        )
        for name, at in sorted(serving.items())
    ] + silent


async def _names_at(api_key: str | None, base_url: str | None) -> tuple[str, ...] | ProviderError:
    """Return the names of a server's models, or why there are none."""
    from agents.providers.openai import models_at  # noqa: PLC0415

    try:
        return await models_at(api_key=api_key, base_url=base_url)
    except ProviderError as error:
        return error


async def _ollama_models(host: str) -> list[ReachableModel]:
    from agents.providers.ollama import models_at  # noqa: PLC0415

    try:
        names = await models_at(host)
    except ProviderError as error:
        return [ReachableModel("ollama:MODEL", False, str(error))]
    if not names:
        return [ReachableModel("ollama:MODEL", False, "the server has no model yet: `ollama pull MODEL`")]
    return [ReachableModel(f"ollama:{name}", True, "Ollama") for name in names]
