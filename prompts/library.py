"""The prompts of a folder: loaded, checked, rendered, and known by a fingerprint of their content."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Self

import orjson
from jinja2 import TemplateError

from memory.model_call import Message
from memory.record import Record
from prompts.linting import FRAGMENT_NAME, Fragments, PromptError, compiled, read_prompt, read_text

__all__ = ["Prompt", "PromptError", "PromptLibrary", "RenderedPrompt", "default_folder"]

_NAME = re.compile(r"[a-z][a-z_]*")


class RenderedPrompt(Record):
    """A prompt with its values: what is sent, and which prompt it was."""

    prompt: str  # the prompt's name
    fingerprint: str
    messages: tuple[Message, ...]


class Prompt(Record):
    """One prompt file: two templates, and the inputs that they take."""

    name: str
    agent: str
    purpose: str
    inputs: tuple[str, ...]
    notes: tuple[str, ...] = ()
    system: str
    user: str
    fragments: Fragments = ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of all that shapes the messages; purpose, notes and white space at line ends are left out."""
        return _fingerprint(self.agent, self.inputs, self.system, self.user, self.fragments)

    def render(self, **values: str) -> RenderedPrompt:
        """Return the messages; `values` are exactly the declared inputs, else `PromptError`.

        A value is data: template code inside it stays text.
        """
        if set(values) != set(self.inputs):
            raise PromptError(f"{self.name!r} takes {sorted(self.inputs)}, got {sorted(values)}")
        messages = (
            Message(role="system", content=self._filled(self.system, values)),
            Message(role="user", content=self._filled(self.user, values)),
        )
        return RenderedPrompt(prompt=self.name, fingerprint=self.fingerprint, messages=messages)

    def _filled(self, template: str, values: dict[str, str]) -> str:
        try:
            return compiled(template, self.fragments).render(values)
        # Besides its own errors, jinja2 lets those of the expression through, as in {{ item + 1 }}.
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise PromptError(f"{self.name!r} cannot be rendered: {error}") from error


@lru_cache(maxsize=256)
def _fingerprint(agent: str, inputs: tuple[str, ...], system: str, user: str, fragments: Fragments) -> str:
    return hashlib.sha256(orjson.dumps([agent, sorted(inputs), system, user, fragments])).hexdigest()


class PromptLibrary:
    """The prompts of one folder, by name."""

    def __init__(self, prompts: Iterable[Prompt]) -> None:
        self._prompts = {prompt.name: prompt for prompt in sorted(prompts, key=lambda prompt: prompt.name)}

    @classmethod
    def load(cls, folder: Path, variant: str | None = None) -> Self:
        """Return every prompt of a folder; those in the subfolder `variant` stand in for their namesakes.

        A prompt is a file NAME.md; README.md is none, and _NAME.md is a fragment that prompts may include.
        `PromptError` names the first file that breaks a rule.
        """
        if not folder.is_dir():
            raise PromptError(f"{folder}: no such folder of prompts")
        files, fragments = _files(folder), _fragments(folder)
        if variant is not None and (folder / variant).is_dir():
            stand_ins = _files(folder / variant)
            for name in stand_ins.keys() - files.keys():
                raise PromptError(f"{stand_ins[name]}: stands in for nothing; {folder / name}.md is missing")
            files |= stand_ins
            fragments |= _fragments(folder / variant)
        if not files:
            raise PromptError(f"{folder}: holds no prompts (NAME.md)")
        return cls(_load(name, path, folder, fragments) for name, path in files.items())

    def get(self, name: str) -> Prompt:
        """Return one prompt; `PromptError` lists those there."""
        if name not in self._prompts:
            raise PromptError(f"no prompt {name!r}; there are {', '.join(self._prompts)}")
        return self._prompts[name]

    def names(self) -> tuple[str, ...]:
        """Return the names, sorted."""
        return tuple(self._prompts)

    def fingerprints(self) -> tuple[tuple[str, str], ...]:
        """Return (name, fingerprint) of each prompt, sorted by name."""
        return tuple((prompt.name, prompt.fingerprint) for prompt in self)

    def __iter__(self) -> Iterator[Prompt]:
        return iter(self._prompts.values())

    def __len__(self) -> int:
        return len(self._prompts)


def default_folder() -> Path:
    """Return the folder of the prompts that come with the product."""
    return Path(__file__).parent


def _files(folder: Path) -> dict[str, Path]:
    """Return the prompt files of a folder by name."""
    paths = [path for path in sorted(folder.glob("*.md")) if path.name != "README.md" and path.name[0] != "_"]
    for path in paths:
        if not _NAME.fullmatch(path.stem):
            raise PromptError(f"{path}: a prompt's name has small letters and _ only")
    return {path.stem: path for path in paths}


def _fragments(folder: Path) -> dict[str, str]:
    """Return the texts of a folder's fragments by file name."""
    paths = sorted(folder.glob("_*.md"))
    for path in paths:
        if not FRAGMENT_NAME.fullmatch(path.name):
            raise PromptError(f"{path}: a fragment's name has small letters and _ only")
    return {path.name: read_text(path, folder) + "\n" for path in paths}


def _load(name: str, path: Path, folder: Path, fragments: dict[str, str]) -> Prompt:
    source = read_prompt(path, folder, fragments)
    head = source.head
    if name != head.agent and not name.startswith(f"{head.agent}_"):
        raise PromptError(f"{path}: agent {head.agent!r} has its prompts in {head.agent}.md or {head.agent}_*.md")
    prompt = Prompt(
        name=name,
        agent=head.agent,
        purpose=head.purpose,
        inputs=head.inputs,
        notes=head.notes,
        system=source.system,
        user=source.user,
        fragments=source.fragments,
    )
    prompt.render(**dict.fromkeys(prompt.inputs, "x"))  # what only fails when it runs fails here
    return prompt
