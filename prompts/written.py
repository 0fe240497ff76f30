"""A prompt written out as the file that it would be read from."""

import yaml

from prompts.library import Prompt


def as_file(prompt: Prompt) -> str:
    """Return the text of a prompt's file; fragments stay files of their own."""
    head: dict[str, object] = {"agent": prompt.agent, "purpose": prompt.purpose}
    notes = {"notes": list(prompt.notes)} if prompt.notes else {}
    written = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=10_000)
    written += f"inputs: [{', '.join(prompt.inputs)}]\n"
    written += yaml.safe_dump(notes, sort_keys=False, allow_unicode=True, width=10_000) if notes else ""
    return f"---\n{written}---\n# System\n{prompt.system}\n# User\n{prompt.user}\n"
