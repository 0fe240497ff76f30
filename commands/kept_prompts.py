"""Prompts on their way into the knowledge base, and back."""

from collections.abc import Iterable, Iterator

from memory.kept_prompts import KeptPrompt
from prompts.library import Prompt


def to_keep(prompts: Iterable[Prompt]) -> Iterator[KeptPrompt]:
    """Yield prompts as the knowledge base keeps them."""
    for prompt in prompts:
        yield KeptPrompt(fingerprint=prompt.fingerprint, **prompt.model_dump())


def as_used(kept: KeptPrompt) -> Prompt:
    """Return a prompt as it was when a run used it."""
    return Prompt.model_validate(kept.model_dump(exclude={"fingerprint", "first_used"}))
