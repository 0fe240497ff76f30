"""One call of a model: what was sent, what came back, what it cost."""

from typing import Literal

from pydantic import Field

from memory.record import Record


class Message(Record):
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    content: str


class Usage(Record):
    """Tokens of one call, or of many added up."""

    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)
    estimated: bool = False

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            estimated=self.estimated or other.estimated,
        )


class ModelCall(Record):
    """One call as it was made and answered, before anything is parsed."""

    item_id: str  # or the category's id, for a template
    agent: str
    prompt: str  # the prompt file's name
    prompt_fingerprint: str
    round: int = Field(default=0, ge=0)
    model: str
    parameters: str  # canonical JSON
    schema_name: str
    messages: tuple[Message, ...]
    raw_answer: str
    finish_reason: str
    usage: Usage
    seconds: float = Field(ge=0)
