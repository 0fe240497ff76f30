"""A folder of one prompt for tests, and what its agent gives and may answer."""

from pathlib import Path

from prompts.slots import Given

CRITIC = """\
---
agent: critic
purpose: Rule on each claim.
inputs: [item, claims]
---
# System
You check facts. Rule on every claim:
- accept: it holds;
- reject: it does not.

Give a `note` with each.
# User
{{ item }}

{{ claims }}
"""
ANSWERS = {"critic": frozenset({"verdicts", "claim_id", "decision", "note", "accept", "reject"})}
SLOTS = {"critic": Given(frozenset({"item", "claims"}), frozenset({"hints"}))}


def written(folder: Path, text: str = CRITIC, name: str = "critic.md") -> Path:
    """Write a prompt and return its file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
