"""The prompts of a folder: loaded, checked, rendered, and known by a fingerprint of their content."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Self

import orjson
from jinja2 import TemplateError

from memory.model_call import Message
from memory.record import Record
from prompts.findings import PromptError, refuse
from prompts.prompt_files import take_apart
from prompts.sources import PROMPT_NAME, Texts, normal_text, texts_in
from prompts.templates import Fragments, compiled

__all__ = ["Prompt", "PromptError", "PromptLibrary", "RenderedPrompt", "default_folder"]


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
        self._texts: Texts = {}
        self._variant: str | None = None
        self._folder = Path()

    @classmethod
    def load(cls, folder: Path, variant: str | None = None) -> Self:
        """Return every prompt of a folder; those in the subfolder `variant` stand in for their namesakes.

        A prompt is a file NAME.md; README.md is none, and _NAME.md is a fragment that prompts may include.
        `PromptError` names the first file that breaks a rule.
        """
        return cls.from_texts(texts_in(folder, variant), variant, folder)

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], variant: str | None = None, folder: Path = Path()) -> Self:
        """Return the prompts of a folder's texts, by their path in it; errors and `file_of` call it `folder`."""
        kept = {file: normal_text(text) for file, text in texts.items()}
        fragments = fragments_in(kept, variant)
        library = cls(
            loaded(name, folder / file, kept[file], fragments) for name, file in _files(kept, variant, folder)
        )
        library._texts, library._variant, library._folder = kept, variant, folder
        return library

    def with_text(self, name: str, text: str) -> Self:
        """Return the library with another text of one prompt ("critic") or file ("_tone.md"); nothing is written.

        `PromptError` where the text breaks a rule, or the library was not made of texts.
        """
        file = name if name in self._texts else str(self.file_of(name).relative_to(self._folder))
        return self.from_texts({**self._texts, file: text}, self._variant, self._folder)

    def file_of(self, name: str) -> Path:
        """Return the file that a prompt was read from; `PromptError` where there is none of that name."""
        self.get(name)
        files = dict(_files(self._texts, self._variant, self._folder)) if self._texts else {}
        if name not in files:
            raise PromptError(f"the prompt {name!r} was read from no file")
        return self._folder / files[name]

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


def fragments_in(texts: Mapping[str, str], variant: str | None = None) -> dict[str, str]:
    """Return the fragments that prompts may include, by file name; a variant's own stand in for their namesakes."""
    places = ["", *([f"{variant}/"] if variant is not None else [])]
    return {
        file.removeprefix(place): text + "\n"
        for place in places
        for file, text in texts.items()
        if file.startswith(f"{place}_") and "/" not in file.removeprefix(place)
    }


def loaded(name: str, path: Path, text: str, fragments: Mapping[str, str]) -> Prompt:
    """Return the prompt of a file's text; `PromptError` names the first rule that it breaks."""
    source, findings = take_apart(str(path), name, text, fragments)
    refuse(findings)
    if source is None:
        raise PromptError(f"{path}: is no prompt")
    prompt = Prompt(
        name=name,
        agent=source.head.agent,
        purpose=source.head.purpose,
        inputs=source.head.inputs,
        notes=source.head.notes,
        system=source.system.text,
        user=source.user.text,
        fragments=source.fragments,
    )
    prompt.render(**dict.fromkeys(prompt.inputs, "x"))  # what only fails when it runs fails here
    return prompt


def _files(texts: Mapping[str, str], variant: str | None, folder: Path) -> list[tuple[str, str]]:
    """Return (name, file) of each prompt: a variant's own in the place of their namesakes."""
    files = {file.removesuffix(".md"): file for file in texts if "/" not in file and not file.startswith("_")}
    if variant is not None:
        of_variant = [file for file in texts if file.startswith(f"{variant}/") and not file.startswith(f"{variant}/_")]
        for file in of_variant:
            name = Path(file).stem
            if name not in files:
                raise PromptError(f"{folder / file}: stands in for nothing; {folder / name}.md is missing")
            files[name] = file
    if not files:
        raise PromptError(f"{folder}: holds no prompts (NAME.md)")
    for name, file in files.items():
        if not PROMPT_NAME.fullmatch(name):
            raise PromptError(f"{folder / file}: a prompt's name has small letters and _ only")
    return list(files.items())
