"""Everything that is wrong with the prompts of a folder, or with one text that is not saved yet."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from prompts.asked_names import names_without_a_place
from prompts.findings import Finding, PromptError, doubt, errors_in, fault, in_order
from prompts.lengths import LONG_TEMPLATE, guessed_tokens
from prompts.library import fragments_in, loaded
from prompts.prompt_files import PromptSource, fragment_references, take_apart
from prompts.sections import Section
from prompts.slots import NO_SLOTS, GivenSlots, misfits, repeated_slots
from prompts.sources import Texts, name_faults, normal_text, prompt_paths, text_or_fault

Answers = Mapping[str, frozenset[str]]  # file in the folder without ".md" -> names that its answer may have


def lint_folder(
    folder: Path, *, variant: str | None = None, answers: Answers | None = None, slots: GivenSlots = NO_SLOTS
) -> list[Finding]:
    """Return all findings of all files of a folder and its variants, or of one variant's and the folder's own alone.

    `answers` holds, by file ("critic", "embedded/critic"), what the answer may name, and `slots` what the agent gives;
    a file that is missing there is not held against them. Raises `PromptError` where there is no such folder.
    """
    if not folder.is_dir():
        raise PromptError(f"{folder}: no such folder of prompts")
    variants = [variant] if variant is not None else sorted({path.parent.name for path in folder.glob("*/*.md")})
    texts: Texts = {}
    findings: list[Finding] = []
    for path in {path: None for name in (None, *variants) for path in prompt_paths(folder, name)}:
        wrong_name, read = list(name_faults(path)), text_or_fault(path, folder)
        findings += wrong_name
        if isinstance(read, Finding):
            findings.append(read)
        elif not wrong_name:
            texts[path.relative_to(folder).as_posix()] = read
    if not any(_is_prompt(file) for file in texts) and not findings:
        raise PromptError(f"{folder}: holds no prompts (NAME.md)")
    findings += [found for file in texts for found in _of_file(file, texts, folder, answers or {}, slots)]
    return in_order([*findings, *_of_the_whole(texts, folder)])


def lint_text(
    name: str, text: str, folder: Path, *, answers: Answers | None = None, slots: GivenSlots = NO_SLOTS
) -> list[Finding]:
    """Return all findings of a text that is not saved yet as the file `name` ("critic", "embedded/critic", "_tone.md").

    The fragments that it includes are those of `folder`.
    """
    file = name if name.endswith(".md") else f"{name}.md"
    others = [path for place in (folder, (folder / file).parent) for path in place.glob("_*.md")]
    read = {path.relative_to(folder).as_posix(): text_or_fault(path, folder) for path in others}
    texts = {other: found for other, found in read.items() if not isinstance(found, Finding)}
    texts[file] = normal_text(text)
    return in_order(_of_file(file, texts, folder, answers or {}, slots))


def _of_file(file: str, texts: Texts, folder: Path, answers: Answers, slots: GivenSlots) -> Iterator[Finding]:
    path, text = folder / file, texts[file]
    if not _is_prompt(file):
        yield from fragment_references(str(path), text).findings
        return
    variant, _, _ = file.rpartition("/")
    fragments = fragments_in(texts, variant or None)
    taken = take_apart(str(path), path.stem, text, fragments)
    yield from taken.findings
    if taken.source is None or errors_in(taken.findings):
        return
    try:
        loaded(path.stem, path, text, fragments)
    except PromptError as error:
        yield fault(str(path), None, "render", str(error))
    yield from misfits(str(path), file.removesuffix(".md"), text, taken.source.head, slots)
    yield from repeated_slots(str(path), [taken.source.system, taken.source.user])
    yield from _length(str(path), taken.source)
    if known := answers.get(file.removesuffix(".md")):
        yield from _asked_in_vain(str(path), taken.source, known)


def _length(file: str, source: PromptSource) -> Iterator[Finding]:
    own = [source.system.text, source.user.text, *(text for _, text in source.fragments)]
    tokens = guessed_tokens(*own)
    if tokens > LONG_TEMPLATE:
        yield doubt(file, None, "long", f"has about {tokens:,} tokens before any value; each item pays for them")


def _asked_in_vain(file: str, source: PromptSource, known: frozenset[str]) -> Iterator[Finding]:
    sections = [source.system, source.user, *(Section(text) for _, text in source.fragments)]
    files = [file, file, *(str(Path(file).parent / name) for name, _ in source.fragments)]
    for place, section in zip(files, sections, strict=True):
        for asked in names_without_a_place(section.text, known, frozenset(source.head.inputs)):
            line = section.line + asked.line - 1
            reason = f"asks for {asked.name!r}, but the answer has only {sorted(known)}"
            yield fault(place, line, "answer", reason) if asked.sure else doubt(place, line, "answer", reason)


def _of_the_whole(texts: Texts, folder: Path) -> Iterator[Finding]:
    """Yield what no file shows by itself: variants of nothing, and fragments that nothing includes."""
    for file in texts:
        if "/" in file and _is_prompt(file) and Path(file).name not in texts:
            name = Path(file).name
            yield fault(str(folder / file), None, "variant", f"stands in for nothing; {folder / name} is missing")
    for file in texts:
        name = Path(file).name
        included = any(f"'{name}'" in text or f'"{name}"' in text for other, text in texts.items() if other != file)
        if not _is_prompt(file) and not included:
            yield doubt(str(folder / file), None, "fragment", "is included by no prompt")


def _is_prompt(file: str) -> bool:
    return not Path(file).name.startswith("_")
