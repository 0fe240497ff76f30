"""Tracing for callers other than the command line: what stops in the middle is stored as far as it came."""

import os
from contextlib import aclosing
from pathlib import Path

import pytest

from commands.catalog_items import given_item
from commands.settings import Settings
from commands.tracing import traced
from memory.database import open_database
from memory.kept_prompts import kept_prompt
from memory.traces import TraceStep, trace_heads, trace_of
from prompts.library import Prompt, PromptLibrary, default_folder
from tests.commands.willing_model import willing
from tests.loopback_provider import LoopbackProvider

ITEM = given_item("Acme steel kettle 1.7 l red", "")


def settings_for(provider: LoopbackProvider) -> Settings:
    named = {"cache": Path(os.environ["REASEQ_CACHE"]), "taxonomy": Path(os.environ["REASEQ_TAXONOMY"])}
    given = {"model": "openai:small", "openai_base_url": provider.base_url, "openai_api_key": "not-a-key"}
    return Settings.model_validate(named | given)


async def test_a_trace_that_its_caller_leaves_is_stored_as_far_as_it_came() -> None:
    with LoopbackProvider(willing) as provider:
        settings = settings_for(provider)
        async with aclosing(traced(settings, ITEM)) as seen:
            first = await anext(seen)

    with open_database(settings.kb) as database, database.session() as session:
        [head] = trace_heads(session)
        kept = trace_of(session, head.id).steps
    assert isinstance(first, TraceStep)
    assert (head.state, head.failure) == ("failed", "interrupted")
    assert kept[0] == first


async def test_an_edit_that_is_not_saved_is_what_the_model_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    edited = PromptLibrary(_stricter(prompt) for prompt in PromptLibrary.load(default_folder()))
    with LoopbackProvider(willing) as provider:
        settings = settings_for(provider)
        seen = [found async for found in traced(settings, ITEM, library=edited)]

    steps = {step.node: step for step in seen if isinstance(step, TraceStep)}
    [call] = steps["critic"].calls
    assert call.messages[0].content.startswith("Be strict.")
    assert call.prompt_fingerprint == edited.get("critic").fingerprint
    with open_database(settings.kb) as database, database.session() as session:
        kept = kept_prompt(session, "critic", call.prompt_fingerprint)
    assert kept.system.startswith("Be strict.")


def _stricter(prompt: Prompt) -> Prompt:
    return prompt.model_copy(update={"system": f"Be strict. {prompt.system}"}) if prompt.name == "critic" else prompt
