"""`reaseq prompts history`: every fingerprint that a prompt ever had, what it cost, and how right it was."""

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated

import typer

from commands.evaluate import EVALUATION_KB
from commands.output import AsJson, KnowledgeBase, print_json, print_table, say
from commands.prompt_choices import Folder, Model, Name, library_of
from commands.settings import Settings, settings_of

if TYPE_CHECKING:
    from memory.prompt_uses import PromptUse
    from memory.scores import Score

COLUMNS = ("fingerprint", "first used (UTC)", "last used", "runs", "items", "calls", "tokens", "cost", "golden items")

Evaluations = Annotated[
    str, typer.Option("--evaluations", help="Where `reaseq evaluate` keeps what it found.", metavar="URL")
]


def history(
    context: typer.Context,
    agent: Name,
    kb: KnowledgeBase = None,
    evaluations: Evaluations = EVALUATION_KB,
    prompts: Folder = None,
    model: Model = None,
    as_json: AsJson = False,
) -> None:
    """List each fingerprint of a prompt ever used: dates, runs, items, cost, and its scores on golden items."""
    settings = settings_of(context, prompts=prompts, model=model, kb=kb)
    present = library_of(settings).get(agent).fingerprint
    uses, scores = _known(settings, agent, evaluations)
    if as_json:
        print_json([_described(use, scores[use.fingerprint], present) for use in uses])
        return
    print_table(f"History of {agent}", COLUMNS, [_cells(use, scores[use.fingerprint], present) for use in uses])
    if present not in {use.fingerprint for use in uses}:
        say(f"the present one, {present[:12]}, was not used yet")


def _known(settings: Settings, agent: str, evaluations: str) -> "tuple[list[PromptUse], dict[str, list[Score]]]":
    from memory.database import DatabaseMissing, open_existing_database  # noqa: PLC0415 - SQL takes a moment to import
    from memory.prompt_uses import joined, prompt_uses  # noqa: PLC0415
    from memory.scores import scores_of  # noqa: PLC0415

    uses, scores, missing = [], defaultdict(list), []
    for url in dict.fromkeys((settings.kb, evaluations)):
        try:
            with open_existing_database(url) as database, database.session() as session:
                uses += prompt_uses(session, agent)
                for fingerprint, score in scores_of(session, agent):
                    scores[fingerprint].append(score)
        except DatabaseMissing as error:
            missing.append(error)
    if len(missing) == 2 or (missing and settings.kb == evaluations):
        raise missing[0]
    return joined(uses), scores


def _described(use: "PromptUse", scores: "list[Score]", present: str) -> dict[str, object]:
    told = [score.model_dump(mode="json", exclude={"prompts"}) for score in scores]
    return use.model_dump(mode="json") | {"present": use.fingerprint == present, "scores": told}


def _cells(use: "PromptUse", scores: "list[Score]", present: str) -> list[str]:
    first, last = (f"{time:%Y-%m-%d %H:%M}" if time else "" for time in (use.first, use.last))
    unpriced = f" + {use.unpriced} calls of unknown price" if use.unpriced else ""
    return [
        f"{use.fingerprint[:12]}{' (present)' if use.fingerprint == present else ''}",
        first,
        last,
        str(use.runs),
        str(use.items),
        str(use.calls),
        str(use.tokens),
        f"{use.cost:.4f}{unpriced}",
        "\n".join(dict.fromkeys(f"F1 {score.f1:.1%} of {score.items}, {score.model}" for score in scores)),
    ]
