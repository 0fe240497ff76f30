"""The settings that the commands work with, each default in this one place; `app.py` reads them."""

import re
from pathlib import Path
from typing import Any, Literal, Self

import typer
from pydantic import Field, SecretStr

from agents.providers.addresses import addresses_in
from commands.output import AsJson, print_json, print_table
from memory.record import Record

_USER_IN_URL = re.compile(r"(?<=://)(?!/).*@")

Agent = Literal["category_expert", "attribute_extractor", "critic", "demand_analyst", "demand_critic", "summarizer"]
Aid = Literal["look_up", "demonstrations", "student", "calibration", "abstention", "escalation", "cascade"]
Origins = dict[str, str]  # setting -> where its value came from


class Settings(Record):
    """Where the knowledge base is, which model answers, and how much it may do."""

    kb: str = "sqlite:///knowledge.db"
    model: str = "embedded:smollm2"
    prompts: Path | None = None  # a folder that stands in for the bundled prompts
    taxonomy: Path | None = None  # a file or folder that stands in for the starter taxonomy
    concurrency: int = Field(default=8, ge=1, le=50_000)  # items on their way at once
    max_revisions: int = Field(default=2, ge=0, le=10)
    without: tuple[Agent | Aid, ...] = ()  # agents that ask no model: their code does what it can; aids left out
    approved: Path | None = None  # golden items that look-up and demonstrations learn from; the split "test" never
    approved_catalog: Path | None = None  # has the texts of those that are an id alone
    demonstrations: int = Field(default=10, ge=0, le=50)  # approved items that the extractor's prompt shows
    extractor: Path | None = None  # a student that `reaseq train-extractor` wrote
    calibration: Path | None = None  # a file of `reaseq calibrate`; else the bundled one, for the embedded model
    abstain: bool | None = None  # leave claims below a threshold to a person; None: where a calibration is named
    cascade: bool = False  # a capable model is asked only for what rules, look-up and student are unsure of
    escalate: str | None = None  # a stronger model, asked where they disagree
    call_seconds: float = Field(default=120, gt=0)  # the longest that one model call may take
    client: Literal["aiohttp", "langchain"] = "aiohttp"  # what speaks to OpenAI-compatible servers
    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)
    durability: Literal["normal", "full"] = "normal"  # full: also a loss of power loses no answer that was paid
    prices: Path | None = None  # a file with prices of one's own
    editor: str = "vi"  # what `reaseq replay --edit` opens a prompt in
    cache: Path = Path(".reaseq")  # embeddings of taxonomies; safe to delete
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None  # several with commas between them, where several servers serve one model
    ollama_host: str = "http://127.0.0.1:11434"
    otel: str | None = None  # a collector that spans of each run are sent to, by OTLP over HTTP
    otel_content: bool = False  # with the text of prompts and answers
    otel_sample: float = Field(default=1.0, ge=0, le=1)  # the share of items whose spans are sent
    otel_exporter_otlp_headers: SecretStr | None = None  # what the collector wants to see: name=value,…

    @property
    def stronger(self) -> str | None:
        """The model that is asked where the others disagree; None where none is named, or it is left out."""
        return self.escalate if self.escalate and "escalation" not in self.without else None

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
    shown = {name: _shown(name, str(getattr(read, name))) for name in Settings.model_fields}
    if as_json:
        print_json({name: {"value": value, "from": origins[name]} for name, value in shown.items()})
        return
    print_table("Settings", ["setting", "value", "from"], [[name, shown[name], origins[name]] for name in shown])


def _shown(name: str, value: str) -> str:
    """Return a setting's value without the user and password of an address."""
    parts = addresses_in(value) if name == "openai_base_url" else (value,)
    return ",".join(_USER_IN_URL.sub("***@", part) for part in parts)
