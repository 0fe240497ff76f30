"""Proposals as a piece of a taxonomy file, for a person to read, mend and merge."""

from collections.abc import Iterable, Sequence

import yaml

from agents.open_vocabularies import OpenValue
from agents.vocabulary_proposals import Proposal
from memory.category import AttributeType
from memory.category_tree import Taxonomy

_HEAD = "# Proposed from a knowledge base for {version}. Merge what is right into a taxonomy file.\n"


def fragment(proposals: Iterable[Proposal], listed: Iterable[OpenValue], taxonomy: Taxonomy) -> str:
    """Return the proposals in the form of `memory/departments`: attributes with their new values and words alone.

    It reads as a file of its own. A word that was proposed twice for one attribute stands where it gained more.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for proposal in proposals:
        _add(found.setdefault(proposal.attribute, {}), proposal.value, proposal.words)
    for value in listed:
        _add(found.setdefault(value.attribute, {}), value.value, value.words)
    attributes = {key: _entry(key, values, taxonomy) for key, values in sorted(found.items())}
    content = yaml.safe_dump({"attributes": attributes}, allow_unicode=True, sort_keys=False, width=120)
    return _HEAD.format(version=taxonomy.version) + content


def _add(values: dict[str, list[str]], value: str, words: Sequence[str]) -> None:
    taken = {word.casefold() for old, others in values.items() for word in (old, *others)}
    if value not in values and value.casefold() in taken:
        return
    own = values.setdefault(value, [])
    for word in words:
        if word.casefold() not in taken | {value.casefold()}:
            own.append(word)
            taken.add(word.casefold())


def _entry(key: str, values: dict[str, list[str]], taxonomy: Taxonomy) -> dict[str, object]:
    spec = taxonomy.attributes.get(key)
    kind = spec.type if spec else AttributeType.ENUM
    return {"name": spec.name if spec else key, "type": kind.value, "values": values}
