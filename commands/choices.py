"""What the settings choose: the model, the prompts that it gets, the taxonomy."""

from typing import get_args

import orjson
from pydantic import SecretStr

from agents.providers.base import Capabilities, ChatModel
from agents.providers.specs import build_model
from commands.aids import aids_in
from commands.settings import Agent, Settings
from memory.schema import Provenance
from memory.taxonomy import Taxonomy, load_taxonomy, starter_taxonomy
from memory.version import VERSION
from prompts.library import PromptLibrary, default_folder

EMBEDDED_VARIANT = "embedded"  # short prompts for models that only pick


def model_of(settings: Settings) -> ChatModel:
    """Return the model that the settings name."""
    key = settings.openai_api_key
    return build_model(
        settings.model,
        openai_api_key=key.get_secret_value() if key else None,
        openai_base_url=settings.openai_base_url,
        ollama_host=settings.ollama_host,
        call_seconds=settings.call_seconds,
        client=settings.client,
    )


def capabilities_of(settings: Settings, model: ChatModel) -> Capabilities:
    """Return what the model is asked for: less than it could, where agents go without it."""
    return model.capabilities.without(_silent(settings))


def taxonomy_of(settings: Settings) -> Taxonomy:
    """Return the taxonomy that the settings name, else the starter one."""
    return load_taxonomy(settings.taxonomy) if settings.taxonomy else starter_taxonomy()


def prompts_of(settings: Settings, model: ChatModel) -> PromptLibrary:
    """Return the prompts for a model."""
    return PromptLibrary.load(settings.prompts or default_folder(), variant_for(model))


def variant_for(model: ChatModel) -> str | None:
    """Return the variant of prompts that a model gets: the short one where it can only pick what it is offered."""
    return None if model.capabilities.proposes else EMBEDDED_VARIANT


def keyless(settings: Settings) -> Settings:
    """Return settings with which a model can be looked at without a key: nothing is to be asked."""
    return settings.overridden(openai_api_key=settings.openai_api_key or SecretStr("none"))


def provenance_of(
    settings: Settings, model: ChatModel, prompts: PromptLibrary, taxonomy: Taxonomy, encoder: str
) -> Provenance:
    """Return the configuration of which results are told apart."""
    without = {"without": _silent(settings)} if _silent(settings) else {}
    return Provenance(
        prompts=prompts.fingerprints(),
        model=model.spec,
        parameters=orjson.dumps({**model.parameters, **without}, option=orjson.OPT_SORT_KEYS).decode(),
        taxonomy_version=taxonomy.version,
        encoder=encoder,
        code_version=VERSION,
        max_revisions=settings.max_revisions,
        aids=aids_in(settings),
    )


def _silent(settings: Settings) -> list[str]:
    """Return the agents that ask no model."""
    return sorted(set(settings.without) & set(get_args(Agent)))
