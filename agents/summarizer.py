"""The summarizer: one factual sentence about an item, from accepted claims only."""

import re
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from agents.answering import Interviewer
from agents.phrasing import phrase_claims, phrase_path, phrase_value
from memory.category import CategoryTemplate
from memory.schema import Claim
from prompts.library import Prompt

AGENT = "summarizer"
LONGEST_SUMMARY = 400  # characters
WORD = re.compile(r"[^\W_]+(?:[.,]\d+)?", re.UNICODE)
# Words that carry no fact about a product: a summary may use them without a claim that names them.
FUNCTION_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "this",
        "that",
        "these",
        "it",
        "its",
        "is",
        "are",
        "was",
        "has",
        "have",
        "comes",
        "come",
        "with",
        "without",
        "and",
        "or",
        "in",
        "of",
        "for",
        "from",
        "by",
        "to",
        "on",
        "at",
        "as",
        "which",
        "made",
        "designed",
        "features",
        "feature",
        "featuring",
        "includes",
        "including",
        "contains",
        "containing",
        "offers",
        "offering",
        "provides",
        "weighing",
        "weighs",
        "measuring",
        "measures",
        "sized",
        "size",
        "product",
        "item",
    ]
)


class SummaryAnswer(BaseModel):
    """What the model answers."""

    model_config = ConfigDict(extra="forbid")

    summary: str = Field(min_length=1, max_length=2000)


async def summarize(
    item_id: str, template: CategoryTemplate, accepted: Sequence[Claim], *, model: Interviewer, prompt: Prompt
) -> str:
    """Return one sentence; the plain template where the model cannot write, or names what nobody accepted."""
    plain = plain_summary(template, accepted)
    if not model.capabilities.writes or not accepted:
        return plain
    rendered = prompt.render(category=phrase_path(template.path), claims=phrase_claims(accepted))
    answer = await model.ask(rendered, SummaryAnswer, agent=AGENT, item_id=item_id)
    summary = " ".join(answer.parsed.summary.split())
    return summary if _is_supported(summary, template, accepted) else plain


def plain_summary(template: CategoryTemplate, accepted: Sequence[Claim]) -> str:
    """Return the sentence that needs no model: the category's name, then each accepted fact."""
    names = {spec.key: spec.name for spec in template.attributes}
    facts: dict[str, list[str]] = {}
    for claim in accepted:
        facts.setdefault(names.get(claim.name, claim.name).lower(), []).append(phrase_value(claim))
    listed = "; ".join(f"{name} {', '.join(values)}" for name, values in facts.items())
    return f"{template.path[-1]}: {listed}." if listed else f"{template.path[-1]}."


def _is_supported(summary: str, template: CategoryTemplate, accepted: Sequence[Claim]) -> bool:
    """Return whether a summary says something, and nothing that was not accepted."""
    says_something = any(word not in FUNCTION_WORDS for word in _words(summary))
    return says_something and len(summary) <= LONGEST_SUMMARY and not unsupported_words(summary, template, accepted)


def unsupported_words(summary: str, template: CategoryTemplate, accepted: Sequence[Claim]) -> set[str]:
    """Return the words and numbers of a summary that neither the category nor an accepted claim supports."""
    names = {spec.key: spec.name for spec in template.attributes}
    sources = [*template.path]
    for claim in accepted:
        sources += [names.get(claim.name, ""), claim.name.replace("_", " "), claim.value, phrase_value(claim)]
    known = {_stem(word) for source in sources for word in _words(source)}
    return {word for word in _words(summary) if word not in FUNCTION_WORDS and _stem(word) not in known}


def _words(text: str) -> list[str]:
    return [word.casefold() for word in WORD.findall(text)]


def _stem(word: str) -> str:
    """Return the word without an English plural ending, so that "headphone" supports "headphones"."""
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
