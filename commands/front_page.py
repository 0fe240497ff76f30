"""What `reaseq --help` says: the commands in the order of a person's work, each with one line."""

from typing import Any

from typer.core import TyperGroup

# Panel, command, and its line, which fits a terminal of 80 columns.
PANELS: dict[str, dict[str, str]] = {
    "Begin": {
        "demo": "All of it on a bundled sample; needs no key and no server",
        "models": "Which models can be asked now, and how to add one",
        "settings": "Every setting, its value, and where it came from",
        "studio": "The same work in a browser, on this machine alone",
    },
    "Make knowledge of a catalog": {
        "enrich": "Find out what each product is; the same again goes on",
        "runs": "What was run: counts, calls, tokens, money",
        "failures": "Which items failed and why; try them again",
    },
    "Look at it": {
        "show": "What is known of an item, and the words that prove it",
        "graph": "What items, values and demands have in common",
        "taxonomy": "What a category asks for, and which words it lacks",
        "unmapped": "Values that the taxonomy has no place for",
    },
    "Edit a prompt and try it on one item": {
        "prompts": "Write, check, compare and render prompts",
        "trace": "One item through all agents, step by step",
        "replay": "A trace again from one step, with another prompt",
        "traces": "The traces that are stored",
    },
    "From an edit to the ranking": {
        "stale": "What an edit makes out of date; nothing is asked",
        "impact": "What an edit does to quality, ranking and cost",
        "kb": "Versions of the knowledge: compare, ship, roll back",
    },
    "Judge and correct": {
        "evaluate": "How right it is on golden items; a gate for CI",
        "review": "Values that wait for your word, and your word",
        "calibrate": "Make confidences come true",
        "train-extractor": "Train a small extractor that spares model calls",
    },
    "Rank and imagine": {
        "behaviors": "What shoppers did: import a log, show it, delete it",
        "simulate": "Made-up shoppers, where there is no log yet",
        "ranker": "Train a ranker on log and knowledge, and rank with it",
        "diffusion": "Imagine behaviours that the log lacks, with reasons",
        "benchmark": "Who finds what the log hides: models side by side",
    },
    "Take it elsewhere": {
        "export": "Knowledge as JSON Lines, CSV, Parquet, GraphML, RecBole",
        "vectors": "Vectors of items, for search and other rankers",
    },
}


class FrontPage(TyperGroup):
    """The group of all commands, listed by panel; one that no panel names comes last, with its own words."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for panel, lines in PANELS.items():
            for name in lines.keys() & self.commands.keys():
                command: Any = self.commands[name]
                command.short_help, command.rich_help_panel = lines[name], panel

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands in the order of the panels."""
        listed = [name for lines in PANELS.values() for name in lines if name in self.commands]
        return [*listed, *(name for name in self.commands if name not in listed)]
