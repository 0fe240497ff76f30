"""The settings that the commands work with, each default in this one place; `app.py` reads them."""

import re
from pathlib import Path
from typing import Any, Literal, Self

import typer
from pydantic import Field, SecretStr

from commands.output import AsJson, print_json, print_table
from memory.record import Record

_USER_IN_URL = re.compile(r"(?<=://)(?!/).*@")

Agent = Literal["category_expert", "attribute_extractor", "critic", "demand_analyst", "demand_critic", "summarizer"]
Origins = dict[str, str]  # setting -> where its value came from


class Settings(Record):
    """Where the knowledge base is, which model answers, and how much it may do."""

    kb: str = "sqlite:///knowledge.db"
    model: str = "embedded:smollm2"
    prompts: Path | None = None  # a folder that stands in for the bundled prompts
    taxonomy: Path | None = None  # a file or folder that stands in for the starter taxonomy
    concurrency: int = Field(default=8, ge=1, le=50_000)  # items on their way at once
    max_revisions: int = Field(default=2, ge=0, le=10)
    without: tuple[Agent, ...] = ()  # agents that ask no model: their code does what it can
    call_seconds: float = Field(default=120, gt=0)  # the longest that one model call may take
    client: Literal["aiohttp", "langchain"] = "aiohttp"  # what speaks to OpenAI-compatible servers
    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)
    durability: Literal["normal", "full"] = "normal"  # full: also a loss of power loses no answer that was paid
    prices: Path | None = None  # a file with prices of one's own
    cache: Path = Path(".reaseq")  # embeddings of taxonomies; safe to delete
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    ollama_host: str = "http://127.0.0.1:11434"

    def overridden(self, **given: Any) -> Self:
        """Return the settings with those that the command line gave (not None) on top."""
        chosen = {name: value for name, value in given.items() if value is not None}
        return type(self).model_validate({**dict(self), **chosen})


def settings_of(context: typer.Context, **given: Any) -> Settings:
    """Return the settings of this call, with what its own options say on top."""
    read: tuple[Settings, Origins] = context.obj
    return read[0].overridden(**given)


def settings(context: typer.Context, as_json: AsJson = False) -> None:
    """Show each setting, its value, and where it came from; secrets are masked."""
    read, origins = context.obj
    shown = {name: _USER_IN_URL.sub("***@", str(getattr(read, name))) for name in Settings.model_fields}
    if as_json:
        print_json({name: {"value": value, "from": origins[name]} for name, value in shown.items()})
        return
    print_table("Settings", ["setting", "value", "from"], [[name, shown[name], origins[name]] for name in shown])
